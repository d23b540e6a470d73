"""The outer form of a signed token (RFC 7515 compact, RFC 7519): taken apart, nothing believed."""

import re
from binascii import Error as NotBase64
from dataclasses import dataclass
from typing import Final, cast

import msgspec
from joserfc.util import urlsafe_b64decode

from bascule.identity.rejections import Reason, Rejection, shown

_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750, section 2.1 (b64token)."""
MOST_TOKEN_CHARACTERS: Final = 16_384
_LONGEST_KEY_ID: Final = 500
_SIGNED_PARTS: Final = 3
_ENCRYPTED_PARTS: Final = 5
_MOST_PARTS: Final = 6


@dataclass(frozen=True, slots=True)
class Envelope:
    """A token taken apart. Until its signature is verified, anybody may have written it."""

    algorithm: str
    key_id: str | None
    type: str
    """In lower case, without `application/`; "" where the header has none."""
    claims: dict[str, object]
    message: bytes
    signature: bytes


def looks_like_token(credential: str) -> bool:
    """Whether `credential` has as many parts as a signed or an encrypted token, and no blanks."""
    parts = credential.count(".") + 1
    return parts in {_SIGNED_PARTS, _ENCRYPTED_PARTS} and bool(_TOKEN.fullmatch(credential))


def open_envelope(token: str) -> Envelope | Rejection:
    """Take `token` apart.

    Header members that name keys or places of keys (`jwk`, `jku`, `x5u`, `x5c`) are not looked
    at: keys come from the issuer's set only. `crit` is refused, since nothing critical is known.
    """
    parts = token.split(".", _MOST_PARTS)
    wrong = _misshapen(token, parts)
    if wrong is not None:
        return wrong
    try:
        octets = [urlsafe_b64decode(part.encode("ascii")) for part in parts]
        header, claims = msgspec.json.decode(octets[0]), msgspec.json.decode(octets[1])
    except (NotBase64, UnicodeError, msgspec.DecodeError, RecursionError) as error:
        return _malformed(f"cannot be decoded: {type(error).__name__}")
    if not isinstance(header, dict) or not isinstance(claims, dict):
        return _malformed("header or claims are no JSON object")
    members = cast("dict[str, object]", header)
    wrong = _objection_to(members)
    if wrong is not None:
        return wrong
    return Envelope(
        algorithm=cast("str", members["alg"]),
        key_id=cast("str | None", members.get("kid")),
        type=cast("str", members.get("typ", "")).lower().removeprefix("application/"),
        claims=cast("dict[str, object]", claims),
        message=f"{parts[0]}.{parts[1]}".encode("ascii"),
        signature=octets[2],
    )


def _misshapen(token: str, parts: list[str]) -> Rejection | None:
    if len(token) > MOST_TOKEN_CHARACTERS:
        return _malformed(f"longer than {MOST_TOKEN_CHARACTERS:,} characters")
    if len(parts) == _ENCRYPTED_PARTS:
        return _malformed("encrypted (JWE), which nothing here can open")
    if len(parts) != _SIGNED_PARTS:
        return _malformed("not three parts with dots between them")
    return None


def _objection_to(header: dict[str, object]) -> Rejection | None:
    if not isinstance(header.get("alg"), str):
        return Rejection(Reason.ALGORITHM, f"its alg is {shown(header.get('alg'))}")
    for name in ("crit", "b64"):
        if name in header:
            return _malformed(f"its header has {name}, and nothing of the kind is understood")
    if not isinstance(header.get("typ", ""), str):
        return _malformed("its typ is no text")
    key_id = header.get("kid")
    if "kid" in header and (not isinstance(key_id, str) or len(key_id) > _LONGEST_KEY_ID):
        return _malformed("its kid is no text of an id's length")
    return None


def _malformed(why: str) -> Rejection:
    return Rejection(Reason.MALFORMED, f"malformed token: {why}")
