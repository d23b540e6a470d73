"""This gateway as a client of an authorization server: who it is there, and how it proves it.

Sources: RFC 7591, RFC 6749 section 2.3, Client ID Metadata Documents; MCP specification
2026-07-28, basic/authorization/client-registration.
"""

import base64
import time
from collections.abc import Callable
from typing import Any, Final, cast
from urllib.parse import quote_plus, urlsplit

import msgspec

from bascule import __version__
from bascule.upstreams.http1 import HttpResponse
from bascule.upstreams.oauth.exchange import Exchange
from bascule.upstreams.oauth.failures import AuthorizationFailed, AuthorizationUnavailable
from bascule.upstreams.oauth.ground import is_loopback
from bascule.upstreams.oauth.metadata import ServerMetadata
from bascule.upstreams.oauth.ports import Registration

_GRANT_TYPES: Final = ["authorization_code", "refresh_token"]
_METHODS: Final = ("none", "client_secret_basic", "client_secret_post")
_SECRET_METHODS: Final = _METHODS[1:]
_KNOWN_ERRORS: Final = frozenset(
    {"invalid_redirect_uri", "invalid_client_metadata", "invalid_software_statement",
     "unapproved_software_statement"}
)  # fmt: skip
_LONGEST_ID: Final = 1000
_LONGEST_SECRET: Final = 8192


def client_document(client_id: str, redirect_uri: str) -> dict[str, object]:
    """The document that `client_id`, its own URL, leads authorization servers to."""
    return {"client_id": client_id, **_metadata(redirect_uri, "none")}


def portable(document_url: str, server: ServerMetadata, redirect_uri: str) -> Registration | None:
    """The client that a document describes, where `server` takes such; None where not."""
    methods = server.token_endpoint_auth_methods_supported
    if not (document_url and server.client_id_metadata_document_supported):
        return None
    if methods and "none" not in methods:
        return None
    return Registration(server.issuer, document_url, redirect_uri=redirect_uri)


def by_hand(server: ServerMetadata, client_id: str, client_secret: str) -> Registration:
    """The client that was registered by hand, proven by the best way `server` takes."""
    if not client_secret:
        return Registration(server.issuer, client_id)
    methods = server.token_endpoint_auth_methods_supported
    method = next((one for one in _SECRET_METHODS if one in methods), _SECRET_METHODS[0])
    return Registration(server.issuer, client_id, client_secret, method)


class Registrar:
    """Registers dynamically at authorization servers."""

    def __init__(self, exchange: Exchange, clock: Callable[[], float] = time.time) -> None:
        self._exchange = exchange
        self._clock = clock

    def holds(self, kept: Registration | None, redirect_uri: str) -> bool:
        """Whether an earlier registration can be used still."""
        if kept is None or kept.redirect_uri != redirect_uri:
            return False
        return kept.expires_at is None or kept.expires_at > self._clock()

    async def register(self, server: ServerMetadata, redirect_uri: str) -> Registration:
        """Make this gateway known to `server` (RFC 7591).

        Raises:
            AuthorizationFailed: it does not take clients this way, or refuses.
            AuthorizationUnavailable: it does not answer.
        """
        name = self._exchange.name
        if not server.registration_endpoint:
            raise AuthorizationFailed(
                name,
                f"{server.issuer} does not register clients by itself: register this gateway there "
                "by hand, and give its client_id in the connector",
            )
        method = _method(server)
        body = msgspec.json.encode(_metadata(redirect_uri, method))
        try:
            response = await self._exchange.post_json(server.registration_endpoint, body)
        except ValueError as reason:
            raise AuthorizationFailed(name, f"its registration endpoint has {reason}") from None
        return self._read(response, Registration(server.issuer, "", None, method, redirect_uri))

    def _read(self, response: HttpResponse, asked: Registration) -> Registration:
        name, members = self._exchange.name, members_of(response.body)
        if response.status not in (200, 201):
            error = members.get("error")
            known = f" ({error})" if isinstance(error, str) and error in _KNOWN_ERRORS else ""
            said = f"{asked.issuer} answered a registration with status {response.status}{known}"
            if response.status >= 500 or response.status == 429:
                raise AuthorizationUnavailable(name, said)
            raise AuthorizationFailed(
                name, f"{said}; it may not take the redirect address {asked.redirect_uri}"
            )
        client_id, secret = members.get("client_id"), members.get("client_secret")
        method = members.get("token_endpoint_auth_method", asked.method)
        if not isinstance(client_id, str) or not 0 < len(client_id) <= _LONGEST_ID:
            raise AuthorizationFailed(name, f"{asked.issuer} registered without a client_id")
        if method not in _METHODS:
            raise AuthorizationFailed(name, f"{asked.issuer} wants a proof that is not known here")
        if method != "none" and (not isinstance(secret, str) or len(secret) > _LONGEST_SECRET):
            raise AuthorizationFailed(name, f"{asked.issuer} wants a secret it did not give")
        expires = members.get("client_secret_expires_at")
        has_end = isinstance(expires, int | float) and not isinstance(expires, bool) and expires > 0
        return Registration(
            asked.issuer,
            client_id,
            secret if isinstance(secret, str) and method != "none" else None,
            cast("str", method),
            asked.redirect_uri,
            float(cast("float", expires)) if has_end else None,
        )


def proof(client: Registration) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """What goes into the form, and into the headers, of a request by `client`."""
    form = {"client_id": client.client_id}
    if client.method == "client_secret_basic":
        # RFC 6749 section 2.3.1: each half is encoded as in a form before both are joined.
        pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret or '')}"
        value = f"Basic {base64.b64encode(pair.encode()).decode()}"
        # Servers made with the official Python SDK want the id in the form as well.
        return form, (("authorization", value),)
    if client.method == "client_secret_post":
        form["client_secret"] = client.client_secret or ""
    return form, ()


def members_of(body: bytes) -> dict[str, Any]:
    """The members of a JSON object; none where `body` is no such thing."""
    try:
        found: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _method(server: ServerMetadata) -> str:
    """How to prove who asks: a secret where the server has a use for one."""
    supported = server.token_endpoint_auth_methods_supported or _SECRET_METHODS[:1]
    found = [one for one in (*_SECRET_METHODS, "none") if one in supported]
    return found[0] if found else "none"


def _metadata(redirect_uri: str, method: str) -> dict[str, object]:
    host = urlsplit(redirect_uri).hostname or ""
    return {
        "client_name": "Bascule",
        "software_id": "bascule",
        "software_version": __version__,
        "redirect_uris": [redirect_uri],
        "grant_types": _GRANT_TYPES,
        "response_types": ["code"],
        "token_endpoint_auth_method": method,
        # Left out it means "web", which forbids addresses on this machine (OpenID Connect
        # Registration section 2).
        "application_type": "native" if is_loopback(host) else "web",
    }
