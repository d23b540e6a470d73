"""An issuer's public keys (RFC 7517): read once, and used by their id."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from bascule.identity.discovery import read_object
from bascule.identity.fetching import IssuerUnusable

_MOST_KEYS: Final = 100
_LONGEST_ID: Final = 500
_FEWEST_RSA_BITS: Final = 2048
"""RFC 7518, section 3.3."""
_MOST_RSA_BITS: Final = 16_384
"""What OpenSSL calculates with."""
_FEWEST_SECRET_BYTES: Final = 32
"""RFC 7518, section 3.2, for HS256."""
_MOST_MODULUS_CHARACTERS: Final = _MOST_RSA_BITS // 6 + 2

SHARED_SECRET: Final = "HS256"  # noqa: S105 - the name of an algorithm
ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "Ed25519",
)  # fmt: skip
"""Signatures that an issuer may be trusted with, beside HS256 in development."""
_PUBLIC: Final = ("kty", "n", "e", "crv", "x", "y")
_KEY_TYPES: Final[Mapping[str, type[RSAKey | ECKey | OKPKey]]] = {
    "RSA": RSAKey,
    "EC": ECKey,
    "OKP": OKPKey,
}


class VerificationKey:
    """A key of an issuer. Whoever was verified by it looks at `is_current` with each use."""

    __slots__ = ("_key", "algorithm", "is_current", "key_id", "kind", "text")

    def __init__(self, key: Key, text: str, key_id: str = "", algorithm: str = "") -> None:
        self._key = key
        self.text = text
        """What tells it from all others: the key itself, with its id."""
        self.key_id = key_id
        self.algorithm = algorithm
        """The only one it is for; "" where its set does not say."""
        self.kind = str(key.key_type)
        self.is_current = True
        """False once its issuer does not have it any more."""

    def verifies(self, algorithm: str, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is its own. An algorithm for another kind of key: it is not."""
        try:
            model = JWSRegistry.algorithms[algorithm]
            model.check_key(self._key)
            return model.verify(message, signature, self._key)
        except (JoseError, ValueError, TypeError, KeyError, UnsupportedAlgorithm):
            return False


def parse_keys(body: bytes) -> tuple[VerificationKey, ...]:
    """The keys of a set that verify signatures; others are left out.

    Raises:
        IssuerUnusable: it is no key set, or has too many keys, or none of use.
    """
    listed = read_object(body, "its key set").get("keys")
    if not isinstance(listed, list):
        raise IssuerUnusable("its key set has no keys")
    entries = cast("list[object]", listed)
    if len(entries) > _MOST_KEYS:
        raise IssuerUnusable(f"its key set has more than {_MOST_KEYS} keys")
    found = [key for one in entries if (key := _key(one)) is not None]
    if not found:
        raise IssuerUnusable(f"none of the {len(entries)} keys in its set can verify a signature")
    return tuple({key.text: key for key in found}.values())


def secret_key(secret: str) -> VerificationKey:
    """The key that a shared secret is.

    Raises:
        IssuerUnusable: it is too short to keep anybody out.
    """
    octets = secret.encode("utf-8", "surrogatepass")
    if len(octets) < _FEWEST_SECRET_BYTES:
        raise IssuerUnusable(f"the shared secret has fewer than {_FEWEST_SECRET_BYTES} bytes")
    text = f"secret {hashlib.sha256(octets).hexdigest()}"
    return VerificationKey(OctKey(octets, octets), text, algorithm=SHARED_SECRET)


def fitting(
    keys: Iterable[VerificationKey], algorithm: str, key_id: str | None
) -> Sequence[VerificationKey]:
    """Those that a token which names `algorithm` and `key_id` may be signed with.

    A token that names no key may be signed with any that fits its algorithm.
    """
    kind = _kind_of(algorithm)
    return [
        key
        for key in keys
        if key.kind == kind
        and key.algorithm in {"", algorithm}
        and (key_id is None or key.key_id == key_id)
    ]


def _kind_of(algorithm: str) -> str:
    if algorithm.startswith("Ed"):
        return "OKP"
    return {"R": "RSA", "P": "RSA", "E": "EC"}.get(algorithm[:1], "oct")


def _key(entry: object) -> VerificationKey | None:
    if not isinstance(entry, dict):
        return None
    members = cast("dict[str, Any]", entry)
    kind, key_id = members.get("kty"), members.get("kid", "")
    algorithm = members.get("alg", "")
    if not isinstance(key_id, str) or len(key_id) > _LONGEST_ID or not _is_for_signatures(members):
        return None
    if not isinstance(kind, str) or kind not in _KEY_TYPES or not isinstance(algorithm, str):
        return None
    key = _import(kind, members)
    return None if key is None else VerificationKey(key, _text(key, key_id), key_id, algorithm)


def _import(kind: str, members: Mapping[str, Any]) -> Key | None:
    if kind == "RSA" and not _is_rsa_size(members.get("n")):
        return None
    public = ("kty", "n", "e", "crv", "x", "y")
    try:
        key = _KEY_TYPES[kind].import_key(
            {name: members[name] for name in public if name in members}
        )
    except (JoseError, ValueError, TypeError, KeyError, UnsupportedAlgorithm):
        return None
    return key


def _is_rsa_size(modulus: object) -> bool:
    """Whether so long a text is a modulus of a size that is neither weak nor a burden."""
    if not isinstance(modulus, str) or len(modulus) > _MOST_MODULUS_CHARACTERS:
        return False
    try:
        octets = urlsafe_b64decode(modulus.encode("ascii"))
    except ValueError:
        return False
    return _FEWEST_RSA_BITS <= int.from_bytes(octets).bit_length() <= _MOST_RSA_BITS


def _is_for_signatures(members: Mapping[str, Any]) -> bool:
    operations = members.get("key_ops")
    if isinstance(operations, list) and "verify" not in cast("list[object]", operations):
        return False
    return members.get("use", "sig") == "sig"


def _text(key: Key, key_id: str) -> str:
    return f"{key.thumbprint()} {key_id}"
