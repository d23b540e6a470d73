"""What upstreams and authorization servers publish of themselves, and where.

Sources: RFC 9728, RFC 8414, OpenID Connect Discovery 1.0; MCP specification 2026-07-28,
basic/authorization/authorization-server-discovery.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast
from urllib.parse import urlsplit

import msgspec

_RESOURCE: Final = "/.well-known/oauth-protected-resource"
_SERVER: Final = "/.well-known/oauth-authorization-server"
_OPENID: Final = "/.well-known/openid-configuration"
_MOST_SERVERS: Final = 8
_LONGEST_LIST: Final = 512

_Struct = TypeVar("_Struct", bound=msgspec.Struct)


class ResourceMetadata(msgspec.Struct, frozen=True):
    """What a service says about access to it. `resource` is sent back exactly as it came."""

    resource: str
    authorization_servers: tuple[str, ...] = ()
    scopes_supported: tuple[str, ...] | None = None


class ServerMetadata(msgspec.Struct, frozen=True):
    """An authorization server, as far as it matters here."""

    issuer: str
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    registration_endpoint: str = ""
    scopes_supported: tuple[str, ...] = ()
    code_challenge_methods_supported: tuple[str, ...] = ()
    token_endpoint_auth_methods_supported: tuple[str, ...] = ()
    client_id_metadata_document_supported: bool = False
    authorization_response_iss_parameter_supported: bool = False


def resource_places(url: str) -> tuple[str, ...]:
    """Where a service at `url` publishes, in the order to look: beneath its path, then the root."""
    parts = urlsplit(url)
    base, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    return tuple(dict.fromkeys((f"{base}{_RESOURCE}{path}", f"{base}{_RESOURCE}")))


def server_places(issuer: str) -> tuple[str, ...]:
    """Where an issuer publishes, in the order that the specification sets."""
    parts = urlsplit(issuer)
    base, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    if not path:
        return f"{base}{_SERVER}", f"{base}{_OPENID}"
    return f"{base}{_SERVER}{path}", f"{base}{_OPENID}{path}", f"{base}{path}{_OPENID}"


def read_resource(body: bytes) -> ResourceMetadata:
    """Read the document of a service.

    Raises:
        ValueError: it is none, or names no authorization server.
    """
    found = _read(body, ResourceMetadata, _resource_member)
    if not found.authorization_servers:
        raise ValueError("it names no authorization server")
    return found


def read_server(body: bytes, issuer: str) -> ServerMetadata:
    """Read the document of an authorization server, which must call itself `issuer` exactly.

    Raises:
        ValueError: it is none, or another's (RFC 8414 section 3.3).
    """
    found = _read(body, ServerMetadata, _server_member)
    if found.issuer != issuer:
        raise ValueError("its issuer is not the one it was asked for as")
    return found


def _read(body: bytes, kind: type[_Struct], usable: Callable[[str, object], bool]) -> _Struct:
    try:
        members = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError("it is not a JSON object") from None
    # Absent and null mean the same, and a member that means nothing spoils no other.
    kept = {name: value for name, value in members.items() if usable(name, value)}
    try:
        return msgspec.convert(kept, kind)
    except msgspec.ValidationError as error:
        raise ValueError(f"it is malformed: {str(error)[:100]}") from None


def _resource_member(name: str, value: object) -> bool:
    if name == "resource":
        return isinstance(value, str)
    if name == "authorization_servers":
        return _is_list(value, _MOST_SERVERS)
    return name == "scopes_supported" and _is_list(value, _LONGEST_LIST)


def _server_member(name: str, value: object) -> bool:
    if name.endswith("_endpoint") or name == "issuer":
        return isinstance(value, str)
    if name in ("scopes_supported", "code_challenge_methods_supported"):
        return _is_list(value, _LONGEST_LIST)
    if name == "token_endpoint_auth_methods_supported":
        return _is_list(value, _LONGEST_LIST)
    return isinstance(value, bool)


def _is_list(value: object, most: int) -> bool:
    if not isinstance(value, list):
        return False
    items = cast("list[object]", value)
    return len(items) <= most and all(isinstance(one, str) for one in items)
