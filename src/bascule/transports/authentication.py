"""What HTTP says about authentication: credentials in requests, challenges in answers.

Sources: RFC 6750 sections 2 and 3, RFC 9110 sections 5.6.4 and 11, RFC 9728 section 5.1;
specification 2026-07-28, basic/authorization.
"""

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import parse_qsl

from bascule.gateway.call import Call, Method, Outcome
from bascule.gateway.errors import ErrorCode
from bascule.gateway.scopes import issuers_at, needed_for, scopes_at
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.verdict import Refuse
from bascule.transports.places import metadata_url

WWW_AUTHENTICATE: Final = b"www-authenticate"
AUTHORIZATION: Final = b"authorization"
PLAIN_CHALLENGE: Final = b'Bearer realm="bascule"'

_MOST_CHARACTERS: Final = 300
_ANY_PERMISSION: Final = needed_for(Method.TOOLS_LIST)
# As a name in a query, without case, dashes and underscores.
_CREDENTIAL_NAMES: Final = frozenset(
    {
        "accesstoken", "apikey", "apitoken", "authorization", "authtoken", "basculekey", "bearer",
        "bearertoken", "clientsecret", "idtoken", "jwt", "key", "mcptoken", "password",
        "refreshtoken", "secret", "sessiontoken", "token", "xapikey",
    }
)  # fmt: skip
_KEY_PREFIX: Final = "bsc_"

REPEATED: Final = "Send one Authorization header, with one credential."
IN_QUERY: Final = (
    "An address is written down in many places, so no credential belongs into one, and this one "
    "should be replaced. Send it in a header: Authorization: Bearer <credential>."
)


def bearer(header: bytes | None) -> str | None:
    """The secret in an `Authorization: Bearer` header, in whatever form it is."""
    if header is None:
        return None
    scheme, _, credential = header.decode("latin-1").partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else None


def is_repeated(all_headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether Authorization came twice: whichever is judged, somebody else may read the other."""
    return [name for name, _ in all_headers].count(AUTHORIZATION) > 1


def names_credential(query: bytes) -> bool:
    """Whether a query string holds a credential, or a parameter that is meant for one."""
    if not query:
        return False
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return any(
        _bare(name) in _CREDENTIAL_NAMES or value.startswith(_KEY_PREFIX) for name, value in pairs
    )


def objection_to(
    all_headers: Sequence[tuple[bytes, bytes]], query: bytes
) -> tuple[ErrorCode, str] | None:
    """What is wrong with how a request brings its credential, whatever the credential is.

    A credential in the address beside one in a header is a malformed request (RFC 6750, section
    3.1); by itself it is none at all.
    """
    if is_repeated(all_headers):
        return ErrorCode.INVALID_REQUEST, REPEATED
    if not names_credential(query):
        return None
    has_header = any(name == AUTHORIZATION for name, _ in all_headers)
    return (ErrorCode.INVALID_REQUEST if has_header else ErrorCode.AUTH_REQUIRED), IN_QUERY


def challenge(
    *, metadata: str = "", scopes: Iterable[str] = (), error: str = "", description: str = ""
) -> bytes:
    """The value of a `WWW-Authenticate` header; what is empty is left out."""
    said = {
        "resource_metadata": metadata,
        "scope": " ".join(scopes),
        "error": error,
        "error_description": description,
    }
    more = "".join(f", {name}={quoted(value)}" for name, value in said.items() if value)
    return PLAIN_CHALLENGE + more.encode("ascii")


def quoted(text: str) -> str:
    """`text` as a quoted-string that nothing can break out of.

    Made of the characters that RFC 6750 allows in each of its attributes, so that nothing needs
    an escape; for any other there is a question mark, for a quotation mark an apostrophe.
    """
    kept = (one if " " <= one <= "~" and one not in '"\\' else _instead(one) for one in text)
    return '"' + "".join(kept)[:_MOST_CHARACTERS] + '"'


def challenge_to(call: Call, outcome: Outcome) -> bytes | None:
    """The challenge that goes with an answer to `call`; None for one that asks for nothing."""
    if not isinstance(outcome, Refuse):
        return None
    needed = needed_for(call.method) or _ANY_PERMISSION
    return challenge_of(outcome, call.resource, call.host, call.snapshot, needed)


def challenge_of(
    refusal: Refuse, resource: str, host: str, snapshot: Snapshot, needed: frozenset[str]
) -> bytes | None:
    """The challenge that goes with `refusal` of a request for `resource` at `host`.

    `needed` are the permissions that the operation takes. Where there are no issuers, there is
    nothing to say about tokens: only API keys help.
    """
    error = refusal.error
    if error is ErrorCode.INSUFFICIENT_SCOPE:
        scopes = (refusal.details or {}).get("scopes")
        if not isinstance(scopes, list):
            return None
        names = [str(one) for one in scopes]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        return challenge(
            metadata=_metadata(resource),
            scopes=names,
            error="insufficient_scope",
            description=refusal.public,
        )
    if error.http_status != 401:
        return None
    came = error is not ErrorCode.AUTH_REQUIRED
    issuers = issuers_at(snapshot, host)
    return challenge(
        metadata=_metadata(resource) if issuers else "",
        scopes=scopes_at(issuers, needed),
        error="invalid_token" if came else "",
        description=refusal.public if came else "",
    )


def _metadata(resource: str) -> str:
    return metadata_url(resource) if resource else ""


def _bare(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "").strip()


def _instead(character: str) -> str:
    return "'" if character == '"' else "?"
