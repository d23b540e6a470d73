"""Secrets of tenants at rest: AES-256-GCM, each bound to its tenant and name.

What is stored under one name, or by one tenant, opens under no other: a row that was moved is as
good as gone. Nonces are random; keys are derived with HKDF-SHA256 from the installation's.
"""

import os
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bascule.gateway.secrets import SealedSecret
from bascule.upstreams.secrets.failures import SecretUnavailable

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_ID_BYTES: Final = 8


class SecretBox:
    """Closes and opens secrets under `keys` of 32 random bytes: the first closes, all open."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"secrets take at least one key, each of {KEY_BYTES} bytes")
        ids = [_derived(key, b"bascule/secret-key-id/1", _ID_BYTES).hex() for key in keys]
        ciphers = [AESGCM(_derived(key, b"bascule/secret/1", KEY_BYTES)) for key in keys]
        self.key_id = ids[0]
        self._ciphers = dict(zip(reversed(ids), reversed(ciphers), strict=True))

    def close(self, tenant: str, name: str, value: str, version: int = 1) -> SealedSecret:
        """Encrypt `value` under the first key."""
        nonce = os.urandom(_NONCE_BYTES)
        cipher = self._ciphers[self.key_id]
        sealed = cipher.encrypt(nonce, value.encode(), _bound(tenant, name))
        return SealedSecret(name, nonce, sealed, self.key_id, version)

    def open(self, tenant: str, secret: SealedSecret) -> str:
        """Decrypt what `close` gave for the same tenant and name.

        Raises:
            SecretUnavailable: no key opens it, or it was changed or moved.
        """
        cipher = self._ciphers.get(secret.key_id)
        if cipher is None:
            raise SecretUnavailable(
                f"The secret {secret.name} is closed with the key {secret.key_id}, which is not "
                "among those of this gateway. Put that key back into security.secret_keys (or "
                "secrets.key into the data directory), or set the secret again."
            )
        try:
            return cipher.decrypt(
                secret.nonce, secret.ciphertext, _bound(tenant, secret.name)
            ).decode()
        except (InvalidTag, ValueError):
            raise SecretUnavailable(
                f"The secret {secret.name} was changed in the database and does not open. "
                "Set it again."
            ) from None


def _derived(key: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(key)


def _bound(tenant: str, name: str) -> bytes:
    # Neither holds a NUL, so no two pairs give the same bytes.
    return b"bascule/secret/1\0" + tenant.encode() + b"\0" + name.encode()
