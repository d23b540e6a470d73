"""The other doors to MCP: HTTP with SSE, and WebSocket."""

from bascule.gateway.kernel import Gateway
from bascule.protocol.results import Identity
from bascule.settings.model import Settings
from bascule.transports.access import Door
from bascule.transports.channel import DuplexConfig
from bascule.transports.entrance import Entrance
from bascule.transports.http_sse import HttpSseDoor
from bascule.transports.websocket import WebSocketDoor


def other_doors(
    settings: Settings, gateway: Gateway, door: Door, identity: Identity
) -> dict[str, HttpSseDoor | WebSocketDoor]:
    """Both doors to `gateway`, by path without the slice; `drain` them when the server stops."""
    server = settings.server
    config = DuplexConfig(
        server.max_body_bytes, server.request_timeout_seconds, server.stream_keep_alive_seconds
    )
    entrance = Entrance(gateway, door, identity, config)
    return {"/mcp/sse": HttpSseDoor(entrance), "/mcp/ws": WebSocketDoor(entrance)}
