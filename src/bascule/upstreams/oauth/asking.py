"""The authorization request, and what a browser brings back (OAuth 2.1, RFC 7636, RFC 9207)."""

import base64
import hashlib
import secrets
from typing import Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from bascule.upstreams.oauth.failures import AuthorizationFailed
from bascule.upstreams.oauth.ground import Ground
from bascule.upstreams.oauth.metadata import ServerMetadata
from bascule.upstreams.oauth.ports import Callback, Holder, Pending, Registration

_PKCE: Final = "S256"
_LONGEST_CODE: Final = 8192
_KNOWN_ERRORS: Final = frozenset(
    {"invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type",
     "invalid_scope", "server_error", "temporarily_unavailable", "invalid_target",
     "login_required", "consent_required", "interaction_required"}
)  # fmt: skip


def ask(
    holder: Holder,
    ground: Ground,
    server: ServerMetadata,
    client: Registration,
    resource: str,
    scopes: tuple[str, ...],
) -> Pending:
    """Begin an authorization; `client.redirect_uri` is where the browser comes back to.

    Raises:
        AuthorizationFailed: the server cannot be used safely; says why.
    """
    check_server(holder.upstream, ground, server)
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    params = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": _PKCE,
        "resource": resource,
    }
    if scopes:
        params["scope"] = " ".join(scopes)
    return Pending(
        state=state,
        url=_with_query(server.authorization_endpoint, params),
        tenant=holder.tenant,
        owner=holder.owner,
        upstream=holder.upstream,
        issuer=server.issuer,
        resource=resource,
        token_endpoint=server.token_endpoint,
        redirect_uri=client.redirect_uri,
        verifier=verifier,
        client_id=client.client_id,
        scopes=scopes,
        requires_iss=server.authorization_response_iss_parameter_supported,
    )


def check_server(upstream: str, ground: Ground, server: ServerMetadata) -> None:
    """See that `server` has what a safe request needs.

    Raises:
        AuthorizationFailed: it has not.
    """
    if _PKCE not in server.code_challenge_methods_supported:
        raise AuthorizationFailed(
            upstream, f"{server.issuer} does not say that it checks PKCE with S256, so no code "
            "from it would be safe",
        )  # fmt: skip
    for what, url in (
        ("authorization", server.authorization_endpoint),
        ("token", server.token_endpoint),
    ):
        try:
            # A browser is sent to the first: javascript:, data: and file: end here.
            ground.check_server(url)
        except ValueError as reason:
            raise AuthorizationFailed(upstream, f"its {what} endpoint has {reason}") from None


def read_callback(query: str) -> Callback | None:
    """What the browser was sent back with; None where that is no answer, or two."""
    try:
        found = parse_qs(query, keep_blank_values=True, max_num_fields=32)
    except ValueError:
        return None
    if any(len(found.get(name, ())) > 1 for name in ("state", "code", "iss", "error")):
        return None
    state = found.get("state", [""])[0]
    if not state:
        return None
    iss = found.get("iss")
    return Callback(
        state=state,
        code=found.get("code", [""])[0],
        iss=None if iss is None else iss[0],
        error=found.get("error", [""])[0],
    )


def check_callback(pending: Pending, callback: Callback) -> str:
    """The code that may be redeemed.

    Raises:
        AuthorizationFailed: the answer is another's, or a refusal. Of an answer that is another's
            nothing is told (RFC 9207 section 2.4).
    """
    name = pending.upstream
    if not secrets.compare_digest(callback.state.encode(), pending.state.encode()):
        raise AuthorizationFailed(name, "an answer came that belongs to another request")
    if callback.iss is None:
        if pending.requires_iss:
            raise AuthorizationFailed(name, f"{pending.issuer} did not sign its answer with iss")
    elif callback.iss != pending.issuer:
        raise AuthorizationFailed(name, f"an answer came that is not from {pending.issuer}")
    if callback.error:
        known = callback.error if callback.error in _KNOWN_ERRORS else "an unknown error"
        raise AuthorizationFailed(
            name,
            f"{pending.issuer} answered the request for consent with {known}",
            public="The service did not give this gateway access on your behalf. If you declined "
            "by mistake, make the call again.",
        )
    if not 0 < len(callback.code) <= _LONGEST_CODE:
        raise AuthorizationFailed(name, f"{pending.issuer} sent the browser back without a code")
    return callback.code


def _with_query(url: str, params: dict[str, str]) -> str:
    parts = urlsplit(url)
    own = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in params]
    return parts._replace(query=urlencode([*own, *params.items()])).geturl()
