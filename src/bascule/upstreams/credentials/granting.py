"""The request for a token and its answer (RFC 6749 sections 4.4, 5.1 and 5.2; RFC 8693)."""

import base64
import math
from typing import Final, NamedTuple, cast
from urllib.parse import quote_plus, urlencode

import msgspec

from bascule.gateway.connector import ClientCredentials, TokenExchange
from bascule.upstreams.credentials.failures import TokenRefused, TokenUnavailable
from bascule.upstreams.http1 import HttpRequest, HttpResponse, Origin

USUAL_SECONDS: Final = 300.0
"""The life of a token whose answer does not say: short, as nothing is known of it."""
_MOST_SECONDS: Final = 24 * 60 * 60.0
_LONGEST_TOKEN: Final = 32_768
_FORM: Final = "application/x-www-form-urlencoded"
_ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a name
_SENDABLE_TYPES: Final = (_ACCESS_TOKEN, "urn:ietf:params:oauth:token-type:jwt")
_KNOWN_ERRORS: Final = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client",
     "unsupported_grant_type", "invalid_scope", "invalid_target"}
)  # fmt: skip
_ABOUT_CLIENT: Final = ("invalid_client", "unauthorized_client", "unsupported_grant_type")
_LATER: Final = frozenset({408, 425, 429})


class Grant(NamedTuple):
    """A token, and for how many seconds from the request on; 0 or less: for now only."""

    token: str
    seconds: float


def token_request(wanted: ClientCredentials, client_id: str, client_secret: str) -> HttpRequest:
    """Ask for a token. ValueError: the URL is unusable."""
    return _request(wanted, {"grant_type": "client_credentials"}, client_id, client_secret)


def exchange_request(
    wanted: TokenExchange, client_id: str, client_secret: str, subject_token: str
) -> HttpRequest:
    """Ask for a token in exchange for a caller's (RFC 8693 section 2.1). ValueError: as above."""
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": subject_token,
        "subject_token_type": _ACCESS_TOKEN,
        "requested_token_type": _ACCESS_TOKEN,
    }
    if wanted.resource:
        form["resource"] = wanted.resource
    return _request(wanted, form, client_id, client_secret)


def _request(
    wanted: ClientCredentials | TokenExchange,
    form: dict[str, str],
    client_id: str,
    client_secret: str,
) -> HttpRequest:
    origin, target = Origin.locate(wanted.token_url)
    if wanted.scope:
        form["scope"] = wanted.scope
    if wanted.audience:
        form["audience"] = wanted.audience
    headers = [("content-type", _FORM), ("accept", "application/json")]
    if wanted.secret_in_body:
        form |= {"client_id": client_id, "client_secret": client_secret}
    else:
        # Section 2.3.1: each half is encoded as in a form before both are joined.
        pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
        headers.append(("authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"))
    return HttpRequest(origin, "POST", target, headers, urlencode(form).encode())


def read_grant(response: HttpResponse, endpoint: Origin) -> Grant:
    """The token in an answer. What the endpoint says in words may repeat a secret: it is dropped.

    Raises:
        TokenRefused: it said no.
        TokenUnavailable: it said nothing that can be used.
    """
    members = _members(response.body)
    if response.status != 200:
        error = members.get("error")
        named = f" ({error})" if isinstance(error, str) and error in _KNOWN_ERRORS else ""
        said = f"The token endpoint {endpoint} answered with status {response.status}{named}."
        if 400 <= response.status < 500 and response.status not in _LATER:
            is_about_client = error in _ABOUT_CLIENT or (not named and response.status == 401)
            raise TokenRefused(said, is_about_client=is_about_client)
        raise TokenUnavailable(said)
    token, kind = members.get("access_token"), members.get("token_type", "bearer")
    if members.get("issued_token_type", _ACCESS_TOKEN) not in _SENDABLE_TYPES:
        raise TokenUnavailable(f"The token endpoint {endpoint} gave a token that is no access's.")
    if not isinstance(token, str) or not _is_sendable(token):
        raise TokenUnavailable(f"The token endpoint {endpoint} gave no token.")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise TokenUnavailable(f"The token endpoint {endpoint} gave a token that is no bearer's.")
    return Grant(token, _seconds(members.get("expires_in")))


def _seconds(value: object) -> float:
    """`expires_in` as some endpoints write it: a number, a text with one, or not at all."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value.strip()[:12])
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return USUAL_SECONDS
    return min(float(value), _MOST_SECONDS)


def _members(body: bytes) -> dict[str, object]:
    try:
        found: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return cast("dict[str, object]", found) if isinstance(found, dict) else {}


def _is_sendable(token: str) -> bool:
    return (
        0 < len(token) <= _LONGEST_TOKEN
        and token.isascii()
        and token.isprintable()
        and " " not in token
    )
