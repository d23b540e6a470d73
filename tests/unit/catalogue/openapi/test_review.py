"""Oddities of a whole document are said, and change nothing."""

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document
from bascule.catalogue.openapi.findings import Finding
from bascule.catalogue.openapi.review import review


def reviewed(root: object) -> list[tuple[str, str]]:
    context = Context(Document(root), ignores_ref_siblings=True)
    review(context)
    findings: tuple[Finding, ...] = context.remarks.findings({})
    return [(one.location, one.message) for one in findings]


def test_parts_that_nothing_refers_to_are_named() -> None:
    schemas = {"Used": {}, "By/mapping": {}, "Named": {}, "Alone": {}}
    media = {
        "$ref": "#/components/schemas/Used/properties/x",
        "discriminator": {"mapping": {"a": "#/components/schemas/By~1mapping", "b": "Named"}},
    }

    assert reviewed({"paths": {"/a": [media]}, "components": {"schemas": schemas}}) == [
        ("#/components/schemas/Alone", "Nothing refers to 'Alone'.")
    ]


def test_what_other_files_may_refer_to_is_let_be() -> None:
    root = {"paths": {"/a": {"$ref": "a.yaml"}}, "components": {"schemas": {"Alone": {}}}}

    assert reviewed(root) == []


def test_security_schemes_have_to_be_described() -> None:
    root = {
        "security": [{"key": []}],
        "paths": {
            "/a": {"get": {"security": [{"oauth": []}, {"https://example.test/scheme": []}]}}
        },
        "components": {"securitySchemes": {"key": {}}},
    }

    assert reviewed(root) == [
        ("#/paths/~1a/get/security/0/oauth", "The security scheme 'oauth' is not described.")
    ]


def test_paths_that_differ_in_the_names_of_variables_only_are_named() -> None:
    ((location, message),) = reviewed({"paths": {"/a/{id}": {}, "/a/{name}": {}, "/b": {}}})

    assert location == "#/paths/~1a~1{name}"
    assert "'/a/{id}'" in message


def test_documents_of_any_shape_are_reviewed() -> None:
    for root in ({}, [], {"paths": 5, "components": [], "security": "x"}, {"components": {}}):
        assert reviewed(root) == []
