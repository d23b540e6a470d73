import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.call import EVERYTHING, Endpoint, EndpointKind
from bascule.transports.paths import door_at
from bascule.transports.places import (
    WELL_KNOWN,
    Place,
    described_path,
    door_path,
    endpoint_path,
    metadata_url,
)

PUBLIC = Place("https://Gateway.Example/")


def test_the_public_address_goes_before_what_the_request_names() -> None:
    assert PUBLIC.base(b"127.0.0.1:8000") == "https://gateway.example"
    assert PUBLIC.resource(b"127.0.0.1:8000", "/mcp") == "https://gateway.example/mcp"
    assert Place("https://example.com/gw/").resource(None, "/mcp") == "https://example.com/gw/mcp"


def test_without_a_public_address_the_checked_host_is_the_place() -> None:
    assert Place().base(b"LOCALHOST:8000") == "http://localhost:8000"
    assert Place().resource(b"[::1]:8000", "/mcp/ws") == "http://[::1]:8000/mcp/ws"
    assert Place(scheme="https").base(b"gw.example") == "https://gw.example"
    assert Place().base(b"gw.example", "https") == "https://gw.example"


@pytest.mark.parametrize(
    "host", [None, b"", b'x", error="', b"a b", b"a/b", b"a@b", b"a:b", b"\xff"]
)
def test_a_host_that_is_none_is_not_repeated(host: bytes | None) -> None:
    assert Place().base(host) == ""
    assert Place().resource(host, "/mcp") == ""


@given(st.text())
def test_a_resource_is_an_address_whatever_the_name_in_its_path(name: str) -> None:
    resource = PUBLIC.resource(None, f"/mcp/bundles/{name.encode('utf-8', 'ignore').decode()}")
    assert re.fullmatch(r"[!#-;=?-\[\]_a-z~A-Z]*", resource)


def test_the_well_known_part_goes_before_the_path() -> None:
    assert metadata_url("https://gw.example") == f"https://gw.example{WELL_KNOWN}"
    assert metadata_url("https://gw.example:8/mcp") == f"https://gw.example:8{WELL_KNOWN}/mcp"


def test_each_endpoint_and_door_has_its_path() -> None:
    assert endpoint_path(EVERYTHING) == "/mcp"
    assert endpoint_path(Endpoint(EndpointKind.SERVER, "notes")) == "/mcp/servers/notes"
    for path in ("/mcp/ws", "/mcp/sse", "/mcp/bundles/desk/ws", "/mcp/servers/notes/sse"):
        doorway = door_at(path)
        assert doorway is not None
        assert door_path(doorway) == path
    messages = door_at("/mcp/bundles/desk/sse/messages")
    assert messages is not None
    assert door_path(messages) == "/mcp/bundles/desk/sse"


@pytest.mark.parametrize(
    "path",
    ["", "/mcp", "/mcp/ws", "/mcp/sse", "/mcp/bundles/desk", "/mcp/bundles/desk@1.0.0/ws",
     "/mcp/servers/Ünï côdé", "/mcp/servers/nobody-has-this/sse"],
)  # fmt: skip
def test_what_has_a_name_is_described_whether_it_exists_or_not(path: str) -> None:
    assert described_path(WELL_KNOWN + path) == path


def test_a_final_slash_means_the_same() -> None:
    assert described_path(f"{WELL_KNOWN}/") == ""
    assert described_path(f"{WELL_KNOWN}/mcp/") == "/mcp"


@pytest.mark.parametrize(
    "path",
    ["/api", "/mcp/bundles", "/mcp/bundles/", "/mcp/bundles/a/b", "/mcp/bundles/..", "x",
     "/mcp/bundles/a\nb", "/mcp/servers/" + "a" * 201, "/mcp/sse/messages",
     "/mcp/bundles/./ws", "/mcp/tools/x"],
)  # fmt: skip
def test_what_is_no_resource_is_not_described(path: str) -> None:
    assert described_path(WELL_KNOWN + path) is None
