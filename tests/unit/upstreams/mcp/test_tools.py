import msgspec
import pytest

from bascule.upstreams.mcp.tools import read_page, read_tool

FULL = (
    b'{ "name":"add", "title":"Add", "description":"Adds.", "inputSchema":{"type":"object"},'
    b'"outputSchema":{"type":"object"}, "x-unknown":[1.0] ,"_meta":{}}'
)


def test_definition_is_kept_byte_for_byte() -> None:
    page = read_page(b'{"resultType":"complete","tools":[' + FULL + b'],"ttlMs":0}')
    tool = read_tool(page.tools[0])
    assert tool.definition == FULL
    assert (tool.name, tool.title, tool.description) == ("add", "Add", "Adds.")
    assert tool.input_schema == tool.output_schema == {"type": "object"}
    assert page.next_cursor is None


def test_empty_string_is_a_cursor() -> None:
    assert read_page(b'{"tools":[],"nextCursor":""}').next_cursor == ""


def test_tool_needs_no_more_than_name_and_schema() -> None:
    tool = read_tool(msgspec.Raw(b'{"name":"x","inputSchema":{},"description":null}'))
    assert (tool.description, tool.title, tool.output_schema) == ("", None, None)


@pytest.mark.parametrize(
    "page", [b"", b"[]", b"{}", b'{"tools":{}}', b'{"tools":[],"nextCursor":1}']
)
def test_what_is_no_page_is_refused(page: bytes) -> None:
    with pytest.raises(ValueError, match="tools/list"):
        read_page(page)


@pytest.mark.parametrize(
    "definition",
    [
        b"1",
        b"{}",
        b'{"name":"","inputSchema":{}}',
        b'{"name":7,"inputSchema":{}}',
        b'{"name":"x"}',
        b'{"name":"x","inputSchema":null}',
        b'{"name":"x","inputSchema":[]}',
        b'{"name":"x","inputSchema":{},"outputSchema":[]}',
    ],
)
def test_what_is_no_tool_is_refused(definition: bytes) -> None:
    with pytest.raises(ValueError):
        read_tool(msgspec.Raw(definition))
