"""The doors to MCP: where they are, who may reach them; and HTTP with SSE, and WebSocket."""

from pathlib import Path
from urllib.parse import urlsplit

from bascule.gateway.kernel import Gateway
from bascule.protocol.results import Identity
from bascule.settings.model import Settings
from bascule.transports.access import Door, DoorConfig
from bascule.transports.certificate_headers import PASSED_THROUGH
from bascule.transports.certificates import UnreadableCertificate
from bascule.transports.chains import Chains
from bascule.transports.channel import DuplexConfig
from bascule.transports.entrance import Entrance
from bascule.transports.http_sse import HttpSseDoor
from bascule.transports.places import Place
from bascule.transports.proxies import Proxies, ProxyConfig
from bascule.transports.tls import TlsUnusable
from bascule.transports.websocket import WebSocketDoor


def door_config(settings: Settings) -> DoorConfig:
    """Who may reach the listener; the public address is always one of its own."""
    server = settings.server
    hosts, origins = set(server.allowed_hosts), set(server.allowed_origins)
    if server.public_url:
        parts = urlsplit(server.public_url)
        hosts.add(parts.hostname or "")
        origins.add(f"{parts.scheme}://{parts.netloc}")
    return DoorConfig(frozenset(hosts), frozenset(origins))


def proxies_of(settings: Settings) -> Proxies:
    """Which proxies are believed, and what of what they say.

    Raises:
        TlsUnusable: the authorities that certificates are verified by cannot be read.
    """
    server = settings.server
    header = server.certificate_header
    chains = None
    if header == PASSED_THROUGH and server.client_ca:
        try:
            chains = Chains(Path(server.client_ca))
        except (OSError, UnreadableCertificate) as failure:
            raise TlsUnusable(f"server.client_ca: {server.client_ca}: {failure}.") from failure
    return Proxies(ProxyConfig(server.trusted_proxies, header), chains)


def place_of(settings: Settings) -> Place:
    """Where the gateway is found from outside."""
    server = settings.server
    return Place(server.public_url, "https" if server.tls_certificate else "http")


def other_doors(
    settings: Settings, gateway: Gateway, door: Door, identity: Identity
) -> dict[str, HttpSseDoor | WebSocketDoor]:
    """Both doors to `gateway`, by path without the slice; `drain` them when the server stops."""
    server = settings.server
    config = DuplexConfig(
        server.max_body_bytes, server.request_timeout_seconds, server.stream_keep_alive_seconds
    )
    entrance = Entrance(gateway, door, identity, config, place_of(settings))
    most, own = server.max_streams, server.max_streams_per_principal
    return {
        "/mcp/sse": HttpSseDoor(entrance, most_streams=most, most_per_caller=own),
        "/mcp/ws": WebSocketDoor(entrance, most_channels=most, most_per_caller=own),
    }
