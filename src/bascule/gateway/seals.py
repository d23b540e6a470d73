"""Seals made with AES-256-GCM (NIST SP 800-38D), under keys only this installation has.

A token is base64url without padding of: format (1 byte), key hint (1), nonce (12), ciphertext, tag
(16). Each purpose has a key of its own, derived with HKDF-SHA256 (RFC 5869), so that no mistake in
one use of tokens opens another. Nonces are random, so one key serves 2^32 seals of one purpose: at
a hundred a second, for 16 months. A new key begins the count anew.
"""

import base64
import binascii
import os
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bascule.gateway.sealing import MOST_PAYLOAD_BYTES, Purpose, SealBroken

KEY_BYTES: Final = 32
_FORMAT: Final = b"1"
_HEADER_BYTES: Final = 2
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_LEAST_BYTES: Final = _HEADER_BYTES + _NONCE_BYTES + _TAG_BYTES
_MOST_CHARACTERS: Final = (_LEAST_BYTES + MOST_PAYLOAD_BYTES) * 4 // 3 + 1


class Seals:
    """A `Sealer` over `keys` of 32 random bytes each: the first seals, all of them open.

    To rotate, put a new key in front; drop the old one when what it sealed has expired.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"sealing takes at least one key, each of {KEY_BYTES} bytes")
        self._keys = [_Key(key) for key in keys]

    def seal(self, purpose: Purpose, owner: str, payload: bytes) -> str:
        """As `Sealer.seal`."""
        if len(payload) > MOST_PAYLOAD_BYTES:
            raise ValueError(f"a handle holds at most {MOST_PAYLOAD_BYTES} bytes")
        key = self._keys[0]
        header = _FORMAT + key.hint
        nonce = os.urandom(_NONCE_BYTES)
        sealed = key.ciphers[purpose].encrypt(nonce, payload, _bound(header, purpose, owner))
        return _encoded(header + nonce + sealed)

    def open(self, purpose: Purpose, owner: str, token: str) -> bytes:
        """As `Sealer.open`."""
        raw = _decoded(token)
        header, sealed = raw[:_HEADER_BYTES], raw[_HEADER_BYTES:]
        bound = _bound(header, purpose, owner)
        for key in self._keys:
            # Two keys may share a hint, once in 256 pairs.
            if header == _FORMAT + key.hint:
                try:
                    return key.ciphers[purpose].decrypt(
                        sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound
                    )
                except InvalidTag:
                    continue
        raise SealBroken


class _Key:
    """What is derived from one key: a cipher for each purpose, and a byte to know it by."""

    def __init__(self, key: bytes) -> None:
        self.hint = _derived(key, b"bascule/key-hint/1", 1)
        self.ciphers = {
            purpose: AESGCM(_derived(key, f"bascule/{purpose}/1".encode(), KEY_BYTES))
            for purpose in Purpose
        }


def _derived(key: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(key)


def _bound(header: bytes, purpose: Purpose, owner: str) -> bytes:
    # Purposes hold no NUL, so the owner begins at one place only. Surrogates come of odd JSON.
    return header + purpose.encode() + b"\0" + owner.encode("utf-8", "surrogatepass")


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(token: str) -> bytes:
    """The bytes of `token`, which must be spelled as `_encoded` does, to the last bit."""
    if len(token) > _MOST_CHARACTERS:
        raise SealBroken
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        raise SealBroken from None
    # The decoder skips what is not of its alphabet, and the spare bits of the last character.
    if len(raw) < _LEAST_BYTES or _encoded(raw) != token:
        raise SealBroken
    return raw
