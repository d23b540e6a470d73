"""Secrets as the data plane knows them: encrypted, and opened where a request is made ready."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A stored secret: AES-256-GCM, a nonce of its own; `key_id` names the key that opens it."""

    name: str
    nonce: bytes
    ciphertext: bytes
    key_id: str
    version: int = 1
