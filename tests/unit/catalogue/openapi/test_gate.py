"""The gate opens for OpenAPI 3.0 and 3.1 and names everything else."""

import pytest

from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import DocumentRejected
from bascule.catalogue.openapi.gate import admit

PATHS = {"/a": {"get": {}}}


@pytest.mark.parametrize(
    ("version", "is_3_0"),
    [
        ("3.0.3", True),
        ("3.0", True),
        (3.0, True),
        ("3.1.0", False),
        (3.1, False),
        ("3.1.9-x", False),
    ],
)
def test_accepted_versions_pass(version: object, is_3_0: bool) -> None:
    admission = admit(
        Node({"openapi": version, "info": {"title": " T ", "version": 2}, "paths": PATHS}, ())
    )

    assert (admission.title, admission.version, admission.is_3_0) == ("T", "2", is_3_0)


def test_a_document_without_a_head_still_has_a_title() -> None:
    admission = admit(Node({"openapi": "3.1.0", "paths": PATHS}, ()))

    assert (admission.title, admission.version) == ("Untitled API", "0")


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "not an object"),
        ("text", "not an object"),
        ({"swagger": "2.0"}, "Swagger 2.0 is not accepted.*swagger2openapi"),
        ({"swagger": 2.0}, "Swagger 2.0"),
        ({"openapi": "3.2.0"}, "OpenAPI 3.2.0 is not accepted"),
        ({"openapi": "4.0.0"}, "OpenAPI 4.0.0 is not accepted"),
        ({"openapi": "3.10.0"}, "OpenAPI 3.10.0 is not accepted"),
        ({"openapi": None}, "no `openapi` member"),
        ({"asyncapi": "2.6.0"}, "AsyncAPI"),
        ({"info": {"schema": "https://schema.getpostman.com/json/c.json"}}, "Postman"),
        ({"openapi": "3.1.0"}, "no paths"),
        ({"openapi": "3.1.0", "paths": {}}, "no paths"),
        ({"openapi": "3.1.0", "paths": []}, "no paths"),
    ],
)
def test_anything_else_is_named(document: object, reason: str) -> None:
    with pytest.raises(DocumentRejected, match=reason):
        admit(Node(document, ()))
