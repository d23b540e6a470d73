"""Parameters and fields out of schemas, also of odd ones."""

from bascule.chat.models import ModelTool
from bascule.chat.offline.schemas import fields_of, kind_of, leaves_of, resolved


def tool(schema: object, output: object = None) -> ModelTool:
    return ModelTool("show_pet", "", schema, output_schema=output)


def test_references_and_nulls_are_resolved() -> None:
    root = {"$defs": {"Day": {"type": "string", "format": "date"}}}
    found = resolved({"anyOf": [{"type": "null"}, {"$ref": "#/$defs/Day"}], "title": "T"}, root)
    assert found == {"type": "string", "format": "date", "title": "T"}
    assert kind_of({"type": ["null", "integer"]}) == "integer"
    assert kind_of({"properties": {}}) == "object"


def test_a_reference_to_itself_ends() -> None:
    root = {"$defs": {"A": {"$ref": "#/$defs/A"}}}
    assert kind_of(resolved({"$ref": "#/$defs/A"}, root)) == "string"


def test_parts_of_all_of_are_joined() -> None:
    parts = [{"properties": {"a": {}}}, {"properties": {"b": {}}, "type": "object"}]
    assert set(resolved({"allOf": parts}, {})["properties"]) == {"a", "b"}


def test_required_parameters_come_first_and_inner_ones_have_paths() -> None:
    schema = {
        "type": "object",
        "required": ["body"],
        "properties": {
            "note": {"type": "string", "title": "A note"},
            "body": {
                "type": "object",
                "required": ["petName"],
                "properties": {"petName": {"type": "string"}, "made": {"readOnly": True}},
            },
            "tags": {"type": "array", "items": {"type": "string"}},
        },
    }
    leaves = leaves_of(tool(schema))
    assert [(one.path, one.required) for one in leaves] == [
        (("body", "petName"), True),
        (("note",), False),
        (("tags",), False),
    ]
    assert [one.label for one in leaves] == ["pet name", "a note", "tags"]
    assert leaves[2].items == {"type": "string"}
    assert leaves[0].is_free


def test_fields_know_what_they_belong_to() -> None:
    output = {
        "title": "PetList",
        "type": "object",
        "properties": {
            "pets": {
                "type": "array",
                "items": {
                    "title": "Pet",
                    "type": "object",
                    "properties": {"id": {"type": "integer"}},
                },
            },
            "codes": {"type": "array", "items": {"type": "string"}, "description": "Codes"},
            "total": {"type": "integer"},
        },
    }
    found = {one.path: one for one in fields_of(tool({}, output))}
    assert found["pets", "*", "id"].entities == {"pet"}
    assert found["pets", "*", "id"].is_listed
    assert found["codes", "*"].is_item
    assert found["codes", "*"].schema["description"] == "Codes"
    assert found[("total",)].stems == ("total",)
    assert fields_of(tool({})) == []


def test_deep_and_wide_schemas_are_bounded() -> None:
    deep: dict[str, object] = {"type": "string"}
    for _ in range(200):
        deep = {"type": "object", "properties": {"a": deep, "b": {"type": "string"}}}
    wide = {"type": "object", "properties": {f"p{at}": {"type": "string"} for at in range(5000)}}
    assert len(fields_of(tool({}, deep))) <= 200
    assert len(leaves_of(tool(wide))) == 200
    assert leaves_of(tool({"properties": {"a": True, "b": 4}, "required": 3}))
