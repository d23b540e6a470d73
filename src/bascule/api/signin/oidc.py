"""Signing in at an OpenID provider: what is sent, and what may come back.

The authorization code flow (OpenID Connect Core 1.0, section 3.1) with PKCE (RFC 7636, S256),
`state`, `nonce`, and `iss` in the answer (RFC 9207). Texts of the provider are never shown.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote_plus, urlencode, urlsplit

import msgspec

from bascule.gateway.issuer import Issuer
from bascule.identity.discovery import Metadata

HOME: Final = "/account"
_LOCAL: Final = re.compile(r"/(?![/\\])[!-\[\]-~]{0,6000}")
_KNOWN_ERRORS: Final = frozenset(
    {"access_denied", "interaction_required", "login_required", "consent_required"}
    | {"account_selection_required", "temporarily_unavailable", "server_error", "invalid_scope"}
    | {"unauthorized_client", "invalid_request", "unsupported_response_type"}
)


class Begun(msgspec.Struct, frozen=True):
    """A sign-in on its way to a provider and back. `browser` is the digest of the cookie of the
    browser that began it, `verifier` the secret of PKCE."""

    issuer: str
    redirect_uri: str
    nonce: str
    verifier: str
    browser: str
    next_path: str


def begin(issuer: Issuer, redirect_uri: str, browser: str, next_path: str) -> Begun:
    """A sign-in at `issuer` for who has the cookie `browser`."""
    return Begun(
        issuer=issuer.issuer,
        redirect_uri=redirect_uri,
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        browser=digest_of(browser),
        next_path=next_path,
    )


def authorization_url(issuer: Issuer, metadata: Metadata, begun: Begun, state: str) -> str:
    """Where to send the browser."""
    challenge = hashlib.sha256(begun.verifier.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": issuer.client_id,
        "redirect_uri": begun.redirect_uri,
        "scope": " ".join(dict.fromkeys(("openid", *issuer.sign_in_scopes))),
        "state": state,
        "nonce": begun.nonce,
        "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    return with_query(metadata.authorization_endpoint, asked)


def objection_to_answer(
    issuer: Issuer, metadata: Metadata, answer: Mapping[str, str]
) -> str | None:
    """Why the code in `answer` must not be redeemed; None where it may."""
    named = answer.get("iss")
    if named is None and metadata.names_itself:
        return "the answer does not name its issuer, which says that it does (RFC 9207)"
    if named is not None and named != issuer.issuer:
        return "the answer names another issuer (RFC 9207)"
    error = answer.get("error")
    if error is not None:
        return f"the provider refused: {error if error in _KNOWN_ERRORS else 'for its own reasons'}"
    return None if answer.get("code") else "the answer has no code"


def redemption(
    issuer: Issuer, metadata: Metadata, begun: Begun, code: str, secret: str
) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """The form and the headers that redeem `code`; without a `secret` the client is public."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": begun.redirect_uri,
        "code_verifier": begun.verifier,
    }
    methods = metadata.token_methods or ("client_secret_basic",)
    if secret and ("client_secret_basic" in methods or "client_secret_post" not in methods):
        pair = f"{quote_plus(issuer.client_id)}:{quote_plus(secret)}"
        return form, (("authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"),)
    form["client_id"] = issuer.client_id
    if secret:
        form["client_secret"] = secret
    return form, ()


def sign_out_url(issuer: Issuer, metadata: Metadata, back_to: str) -> str | None:
    """Where to sign out at the provider, too (OpenID Connect RP-Initiated Logout 1.0)."""
    if not metadata.end_session_endpoint:
        return None
    asked = {"client_id": issuer.client_id, "post_logout_redirect_uri": back_to}
    return with_query(metadata.end_session_endpoint, asked)


def with_query(url: str, members: Mapping[str, str]) -> str:
    """`url` with more members in its query."""
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(members)}"


def local_path(text: str | None) -> str:
    """`text` where it is a path of this gateway; else the page of the account."""
    return text if text is not None and _LOCAL.fullmatch(text) else HOME


def digest_of(secret: str) -> str:
    """What may be kept of `secret`."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
