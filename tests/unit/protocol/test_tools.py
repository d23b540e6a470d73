import json

from bascule.protocol.tools import encode_definition, text_content

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


def test_a_minimal_definition_has_only_what_is_known() -> None:
    definition = json.loads(encode_definition(name="a", description="b", input_schema=SCHEMA))
    assert definition == {"name": "a", "description": "b", "inputSchema": SCHEMA}


def test_a_full_definition_has_every_member_under_its_wire_name() -> None:
    encoded = encode_definition(
        name="a",
        title="A",
        description="b",
        input_schema=SCHEMA,
        output_schema={"type": "object"},
        annotations={"readOnlyHint": True},
    )
    assert json.loads(encoded) == {
        "name": "a",
        "title": "A",
        "description": "b",
        "inputSchema": SCHEMA,
        "outputSchema": {"type": "object"},
        "annotations": {"readOnlyHint": True},
    }


def test_an_empty_output_schema_is_kept_because_it_promises_structured_content() -> None:
    encoded = encode_definition(name="a", description="", input_schema={}, output_schema={})
    assert json.loads(encoded)["outputSchema"] == {}


def test_hostile_text_cannot_leave_its_string() -> None:
    name = 'x","inputSchema":{},"y":"\n\x00'
    encoded = encode_definition(name=name, description="", input_schema={})
    assert json.loads(encoded)["name"] == name
    assert b"\n" not in encoded


def test_text_content_is_a_text_block() -> None:
    assert text_content("hi") == {"type": "text", "text": "hi"}
