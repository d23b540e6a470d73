"""API keys: how they are made, and how a bearer of one becomes a principal."""

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from bascule.gateway.errors import ErrorCode
from bascule.gateway.principal import KeyRecord, Principal
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.verdict import Refuse

_PREFIX: Final = "bsc_"
_SHOWN_CHARACTERS: Final = 12
_LONGEST_CREDENTIAL: Final = 4096


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made: `secret` is shown once and kept nowhere."""

    secret: str
    digest: bytes
    prefix: str


class Revocations(Protocol):
    """Live word on keys withdrawn, and people shut out, since the snapshot was compiled."""

    def revoked(self, credential_id: str) -> bool:
        """True once the key or user with that id must no longer be accepted."""
        ...


class RevokedKeys:
    """Revocations of one process, effective with the next call."""

    def __init__(self) -> None:
        self._ids: set[str] = set()

    def revoke(self, credential_id: str) -> None:
        """Refuse the key or user with that id from now on."""
        self._ids.add(credential_id)

    def restore(self, credential_id: str) -> None:
        """Leave it to the snapshot again; for users, as keys end for good."""
        self._ids.discard(credential_id)

    def revoked(self, credential_id: str) -> bool:
        """True once it was revoked."""
        return credential_id in self._ids


def digest_of(secret: str) -> bytes:
    """What is stored and looked up. Keys hold 256 random bits, so one SHA-256 is enough."""
    return hashlib.sha256(secret.encode()).digest()


def new_key() -> NewKey:
    """Make a key of 256 random bits."""
    secret = _PREFIX + secrets.token_urlsafe(32)
    return NewKey(secret, digest_of(secret), secret[:_SHOWN_CHARACTERS])


class ApiKeys:
    """Knows the bearers of API keys by the digests in a snapshot."""

    def __init__(
        self, revocations: Revocations, now_seconds: Callable[[], float] = time.time
    ) -> None:
        self._revoked = revocations.revoked
        self._now = now_seconds

    @staticmethod
    def issued(credential: str) -> bool:
        """Whether `credential` looks like a key, and so like nothing else."""
        return credential.startswith(_PREFIX)

    def shut_out(self, principal: Principal) -> bool:
        """Whether the person, if any, behind `principal` was shut out since the snapshot."""
        return principal.user_id is not None and self._revoked(principal.user_id)

    def principal_for(self, credential: str | None, snapshot: Snapshot) -> Principal | Refuse:
        """Whose key `credential` is, according to `snapshot` and live revocations."""
        if not credential:
            return _NO_CREDENTIAL
        if len(credential) > _LONGEST_CREDENTIAL:
            return _unknown("credential longer than any key")
        record = snapshot.keys.get(digest_of(credential))
        if record is None:
            return _unknown("no key has this digest")
        if withdrawn := self._withdrawn(record):
            return _unknown(withdrawn)
        if record.expires_at is not None and record.expires_at <= self._now():
            return _expired(record)
        return record.principal

    def holder_of(self, tenant: str, key_id: str, snapshot: Snapshot) -> Principal | Refuse:
        """Whose key has that id, for who was identified by it before; judged as the key itself."""
        found = (
            one
            for one in snapshot.keys.values()
            if one.key_id == key_id and one.principal.tenant == tenant
        )
        record = next(found, None)
        if record is None:
            return _unknown(f"no key has the id {key_id} any more")
        if withdrawn := self._withdrawn(record):
            return _unknown(withdrawn)
        if record.expires_at is not None and record.expires_at <= self._now():
            return _expired(record)
        return record.principal

    def _withdrawn(self, record: KeyRecord) -> str:
        """Why a key is not accepted any more, in spite of the snapshot; empty where it is."""
        if self._revoked(record.key_id):
            return f"key {record.key_id} is revoked"
        if self.shut_out(record.principal):
            return f"the user {record.principal.subject}, whose key it is, was shut out"
        return ""


_NO_CREDENTIAL: Final = Refuse(
    ErrorCode.AUTH_REQUIRED,
    public="Send an API key: Authorization: Bearer <key>. "
    "`bascule keys create --name NAME --role user` makes one.",
    private="no credential",
)


def _expired(record: KeyRecord) -> Refuse:
    return Refuse(
        ErrorCode.TOKEN_EXPIRED,
        public="This API key has expired. Ask an administrator for a new one.",
        private=f"key {record.key_id} expired",
    )


def _unknown(private: str) -> Refuse:
    return Refuse(
        ErrorCode.INVALID_TOKEN,
        public="This API key is not known here. Check it, or ask an administrator for a new one.",
        private=private,
    )


UNKNOWN_KEY: Final = _unknown("neither a key nor a token")
"""For what has the form of neither."""
