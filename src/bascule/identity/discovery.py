"""What an issuer says of itself, and where: OpenID Connect Discovery 1.0 and RFC 8414."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast
from urllib.parse import urlsplit

import msgspec

from bascule.identity.fetching import Fetch, Fetched, IssuerUnusable, objection_to
from bascule.identity.rejections import shown

_OPENID: Final = "/.well-known/openid-configuration"
_OAUTH: Final = "/.well-known/oauth-authorization-server"
_MOST_BYTES: Final = 262_144
_MOST_WORDS: Final = 500
_LONGEST_WORD: Final = 300


@dataclass(frozen=True, slots=True)
class Metadata:
    """An issuer's document, as far as it matters here; "" and empty for what it leaves out.

    URLs are https, or http on loopback.
    """

    issuer: str
    jwks_url: str = ""
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    end_session_endpoint: str = ""
    algorithms: tuple[str, ...] = ()
    """Of ID tokens; nothing says which ones access tokens are signed with."""
    scopes: tuple[str, ...] = ()
    challenge_methods: tuple[str, ...] = ()
    """Of PKCE (RFC 7636)."""
    token_methods: tuple[str, ...] = ()
    """How a client may authenticate at the token endpoint."""
    names_itself: bool = False
    """It puts `iss` into its authorization responses (RFC 9207)."""


def metadata_urls(issuer: str) -> tuple[str, ...]:
    """Where the document of `issuer` may be, in the order of trying.

    Nearly every product has the first. For an issuer with a path, RFC 8414 section 3.1 puts the
    well-known part before it; some do so with OpenID's document as well.
    """
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    origin = f"{parts.scheme}://{parts.netloc}"
    found = [f"{origin}{path}{_OPENID}", f"{origin}{_OAUTH}{path}"]
    if path:
        found.append(f"{origin}{_OPENID}{path}")
    return tuple(found)


def parse_metadata(body: bytes, issuer: str) -> Metadata:
    """The document of `issuer`, which must name it character by character (RFC 8414, 3.3).

    Raises:
        IssuerUnusable: it cannot be read, is another's, or names a URL that may not be used.
    """
    document = read_object(body, "its metadata")
    named = document.get("issuer")
    if named != issuer:
        raise IssuerUnusable(
            f"the document names the issuer {shown(named)}, not {shown(issuer)}: register the "
            "issuer as the document writes it"
        )
    return Metadata(
        issuer=issuer,
        jwks_url=_url(document, "jwks_uri"),
        authorization_endpoint=_url(document, "authorization_endpoint"),
        token_endpoint=_url(document, "token_endpoint"),
        end_session_endpoint=_url(document, "end_session_endpoint"),
        algorithms=_words(document, "id_token_signing_alg_values_supported"),
        scopes=_words(document, "scopes_supported"),
        challenge_methods=_words(document, "code_challenge_methods_supported"),
        token_methods=_words(document, "token_endpoint_auth_methods_supported"),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


async def discover(fetch: Fetch, issuer: str) -> Metadata:
    """Find and read the document of `issuer`.

    Raises:
        IssuerUnusable: nothing is at any of the places, or what is there cannot be used.
    """
    wrong = objection_to(issuer)
    if wrong is not None:
        raise IssuerUnusable(f"the issuer {shown(issuer)} cannot be asked: {wrong}")
    statuses: list[str] = []
    for url in metadata_urls(issuer):
        answer = await fetch(url, chosen_here=True)
        if answer.status == 200:
            return parse_metadata(answer.body, issuer)
        statuses.append(f"{url} answered {_status(answer)}")
    raise IssuerUnusable(
        f"no metadata: {'; '.join(statuses)}. Check the issuer, or name its jwks_url"
    )


def read_object(body: bytes, what: str) -> dict[str, object]:
    """A JSON object out of a document of bounded size; `what` names it in a failure.

    Raises:
        IssuerUnusable: it is none, or too large.
    """
    if len(body) > _MOST_BYTES:
        raise IssuerUnusable(f"{what} is larger than {_MOST_BYTES:,} bytes")
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise IssuerUnusable(f"{what} is no JSON") from None
    if not isinstance(value, dict):
        raise IssuerUnusable(f"{what} is no JSON object")
    return cast("dict[str, object]", value)


def _status(answer: Fetched) -> str:
    moved = 300 <= answer.status < 400
    return f"{answer.status}, a redirect, which is not followed" if moved else str(answer.status)


def _url(document: dict[str, object], name: str) -> str:
    value = document.get(name)
    if value is None:
        return ""
    wrong = objection_to(value) if isinstance(value, str) else "it is no text"
    if wrong is not None:
        raise IssuerUnusable(f"{name} {shown(value)} cannot be used: {wrong}")
    return cast("str", value)


def _words(document: dict[str, object], name: str) -> tuple[str, ...]:
    value = document.get(name)
    return tuple(_short(cast("list[object]", value))) if isinstance(value, list) else ()


def _short(values: list[object]) -> Iterator[str]:
    for value in values[:_MOST_WORDS]:
        if isinstance(value, str) and len(value) <= _LONGEST_WORD:
            yield value
