import pytest

from bascule.gateway.call import EVERYTHING, Endpoint, EndpointKind
from bascule.transports.paths import DoorKind, door_at, pinned_bundle


@pytest.mark.parametrize(
    ("path", "kind", "endpoint"),
    [
        ("/mcp/ws", DoorKind.WEBSOCKET, EVERYTHING),
        ("/mcp/sse", DoorKind.SSE, EVERYTHING),
        ("/mcp/sse/messages", DoorKind.MESSAGES, EVERYTHING),
        ("/mcp/bundles/a b/ws", DoorKind.WEBSOCKET, Endpoint(EndpointKind.BUNDLE, "a b")),
        ("/mcp/servers/ws/sse", DoorKind.SSE, Endpoint(EndpointKind.SERVER, "ws")),
        ("/mcp/servers/x/sse/messages", DoorKind.MESSAGES, Endpoint(EndpointKind.SERVER, "x")),
    ],
)
def test_each_slice_has_each_door(path: str, kind: DoorKind, endpoint: Endpoint) -> None:
    assert door_at(path) == (kind, endpoint)


@pytest.mark.parametrize(
    "path",
    [
        "/mcp", "/mcp/", "/mcp/ws/", "/mcp/wss", "/x/mcp/ws", "/mcp/bundles/ws", "/mcp/bundles//ws",
        "/mcp/bundles/a/b/ws", "/mcp/tools/a/ws", "/mcp/ws\n", "/mcp/sse/messages/x",
    ],
)  # fmt: skip
def test_no_other_path_has_one(path: str) -> None:
    assert door_at(path) is None


@pytest.mark.parametrize(
    ("name", "sent", "served"),
    [
        ("desk", {}, "desk"),
        ("desk", {b"x-mcp-bundle-version": b" 1.2 "}, "desk@1.2"),
        ("desk", {b"x-mcp-bundle-version": b""}, "desk"),
        ("desk@1", {b"x-mcp-bundle-version": b"2"}, "desk@1"),
        ("desk", {b"x-mcp-bundle-version": b"9" * 1000}, f"desk@{'9' * 64}"),
    ],
)
def test_a_header_pins_a_release_where_the_path_does_not(
    name: str, sent: dict[bytes, bytes], served: str
) -> None:
    endpoint = pinned_bundle(Endpoint(EndpointKind.BUNDLE, name), sent)
    assert endpoint == Endpoint(EndpointKind.BUNDLE, served)
