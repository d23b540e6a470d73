"""Schemas keep their shape; their words and references change."""

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document, Node
from bascule.catalogue.openapi.library import Library
from bascule.catalogue.openapi.pointers import root_of
from bascule.catalogue.openapi.sources import DocumentSource
from bascule.catalogue.openapi.swagger2.origins import Origins
from bascule.catalogue.openapi.swagger2.schemas import SchemaUpgrade


def upgraded(schema: object, **root: object) -> tuple[object, dict[str, object], list[str]]:
    """The schema, the components it needs, and the remarks made."""
    context = Context(Document(root), ignores_ref_siblings=True)
    schemas = SchemaUpgrade(context, Origins())
    found = schemas.upgrade(Node(schema, ("here",)), ("there",))
    return found, schemas.complete(), [one.message for one in context.remarks.findings({})]


def test_words_of_swagger_become_words_of_openapi_3_at_any_depth() -> None:
    old = {"type": "string", "x-nullable": True, "x-other": 1}
    new = {"type": "string", "nullable": True, "x-other": 1}
    schema = {
        "discriminator": "kind", "properties": {"a": old, "f": {"type": "file"}},
        "additionalProperties": old, "allOf": [old], "items": [old], "not": True, "enum": [old],
    }  # fmt: skip

    found, components, remarks = upgraded(schema)

    assert found == {
        "discriminator": {"propertyName": "kind"},
        "properties": {"a": new, "f": {"type": "string", "format": "binary"}},
        "additionalProperties": new, "allOf": [new], "items": [new], "not": True, "enum": [old],
    }  # fmt: skip
    assert (components, remarks) == ({}, [])


def test_references_lead_into_components_and_cycles_end() -> None:
    pet = {"properties": {"mother": {"$ref": "#/definitions/Pet"}}}

    found, components, _ = upgraded(
        {"$ref": "#/definitions/Pet", "description": "A pet.", "x-nullable": True},
        definitions={"Pet": pet, "Unused": {}},
    )

    here = {"$ref": "#/components/schemas/Pet"}
    assert found == {**here, "description": "A pet.", "nullable": True}
    assert components == {"Pet": {"properties": {"mother": here}}}


def test_a_schema_outside_the_definitions_gets_a_name_of_its_own() -> None:
    found, components, _ = upgraded(
        {"allOf": [{"$ref": "#/definitions/Pet"}, {"$ref": "#/x-models/Pet"}]},
        definitions={"Pet": {"type": "object"}}, **{"x-models": {"Pet": {"type": "string"}}},
    )  # fmt: skip

    assert found == {
        "allOf": [{"$ref": "#/components/schemas/Pet"}, {"$ref": "#/components/schemas/Pet_2"}]
    }
    assert components == {"Pet": {"type": "object"}, "Pet_2": {"type": "string"}}


def test_a_reference_to_nothing_stays_to_be_reported() -> None:
    assert upgraded({"$ref": "#/definitions/No"})[0] == {"$ref": "#/definitions/No"}


def test_schemas_of_other_files_are_brought_in() -> None:
    files = {"models/pet.yaml": b"Pet: {$ref: '#/Dog'}\nDog: {$ref: gone.yaml}"}
    document = Document({}, Library(DocumentSource("", files)))
    context, origins = Context(document, ignores_ref_siblings=True), Origins()
    schemas = SchemaUpgrade(context, origins)

    schemas.upgrade(Node({"$ref": "models/pet.yaml#/Pet"}, ()), ("x",))

    assert schemas.complete() == {
        "Pet": {"$ref": "#/components/schemas/Dog"}, "Dog": {"$ref": "#/nowhere"},
    }  # fmt: skip
    dog = (*root_of("models/pet.yaml"), "Dog")
    assert origins.of(("components", "schemas", "Dog", "type")) == (*dog, "type")
    (finding,) = context.remarks.findings({})
    assert finding.location == "models/pet.yaml#/Dog"
    assert "'models/gone.yaml' was not given" in finding.message


def test_what_is_no_schema_stays_what_it_is() -> None:
    assert upgraded(5)[0] == 5
    assert upgraded(True)[0] is True
