"""Grants and registrations at rest: AES-256-GCM, each bound to whose it is and what it is for.

A row that was moved to another tenant, owner, upstream, issuer or resource opens no more.
"""

from typing import NamedTuple

import msgspec

from bascule.gateway.secrets import SealedSecret
from bascule.upstreams.oauth.ports import Holder
from bascule.upstreams.secrets.box import SecretBox

_encode = msgspec.json.Encoder().encode


class Tokens(msgspec.Struct, frozen=True):
    """What is secret of a grant."""

    access_token: str
    refresh_token: str | None = None

    def __repr__(self) -> str:
        return "Tokens(hidden)"


_decode = msgspec.json.Decoder(Tokens).decode


class Place(NamedTuple):
    """Where a grant belongs."""

    holder: Holder
    issuer: str
    resource: str


def seal_tokens(box: SecretBox, place: Place, tokens: Tokens) -> SealedSecret:
    """Encrypt `tokens` for `place`."""
    return box.close(place.holder.tenant, _name_of(place), _encode(tokens).decode())


def open_tokens(box: SecretBox, place: Place, sealed: SealedSecret) -> Tokens:
    """Decrypt what was sealed for the same place.

    Raises:
        SecretUnavailable: no key opens it, or it was changed or moved.
    """
    named = _renamed(sealed, _name_of(place))
    return _decode(box.open(place.holder.tenant, named))


def seal_client(box: SecretBox, tenant: str, issuer: str, secret: str | None) -> SealedSecret:
    """Encrypt the secret of the registration at `issuer`; there may be none."""
    return box.close(tenant, _client_name(issuer), secret or "")


def open_client(box: SecretBox, tenant: str, issuer: str, sealed: SealedSecret) -> str | None:
    """Decrypt what was sealed for the same tenant and issuer.

    Raises:
        SecretUnavailable: as `open_tokens`.
    """
    return box.open(tenant, _renamed(sealed, _client_name(issuer))) or None


def _name_of(place: Place) -> str:
    # In JSON no two places give the same text, and no name of a secret has such characters.
    holder = place.holder
    parts = (holder.owner, holder.upstream, place.issuer, place.resource)
    return "grant:" + _encode(parts).decode()


def _client_name(issuer: str) -> str:
    return "oauth-client:" + _encode([issuer]).decode()


def _renamed(sealed: SealedSecret, name: str) -> SealedSecret:
    return SealedSecret(name, sealed.nonce, sealed.ciphertext, sealed.key_id, sealed.version)
