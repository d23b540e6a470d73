import pytest

from bascule.gateway.call import EVERYTHING, Endpoint, EndpointKind
from bascule.transports.paths import DoorKind, door_at


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
