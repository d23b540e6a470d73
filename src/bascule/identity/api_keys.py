"""API keys: how they are made, and how a bearer of one becomes a principal."""

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from bascule.gateway.call import Call
from bascule.gateway.errors import ErrorCode
from bascule.gateway.principal import Principal
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.stage import FailureMode
from bascule.gateway.verdict import PASS, Refuse, Verdict

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
    """Live word on keys withdrawn since the snapshot was compiled."""

    def revoked(self, key_id: str) -> bool:
        """True once `key_id` must no longer be accepted."""
        ...


class RevokedKeys:
    """Revocations of one process, effective with the next call."""

    def __init__(self) -> None:
        self._key_ids: set[str] = set()

    def revoke(self, key_id: str) -> None:
        """Refuse `key_id` from now on."""
        self._key_ids.add(key_id)

    def revoked(self, key_id: str) -> bool:
        """True once `key_id` was revoked."""
        return key_id in self._key_ids


def digest_of(secret: str) -> bytes:
    """What is stored and looked up. Keys hold 256 random bits, so one SHA-256 is enough."""
    return hashlib.sha256(secret.encode()).digest()


def new_key() -> NewKey:
    """Make a key of 256 random bits."""
    secret = _PREFIX + secrets.token_urlsafe(32)
    return NewKey(secret, digest_of(secret), secret[:_SHOWN_CHARACTERS])


class AuthenticateKey:
    """The stage that knows the caller by the API key in `Authorization: Bearer`."""

    name = "authenticate"
    on_failure = FailureMode.CLOSED

    def __init__(
        self, revocations: Revocations, now_seconds: Callable[[], float] = time.time
    ) -> None:
        self._revoked = revocations.revoked
        self._now = now_seconds

    async def inbound(self, call: Call) -> Verdict:
        """Set `call.principal`, and drop the secret from the call."""
        credential, call.credential = call.credential, None
        known = self.principal_for(credential, call.snapshot)
        if isinstance(known, Refuse):
            return known
        call.principal = known
        return PASS

    def principal_for(self, credential: str | None, snapshot: Snapshot) -> Principal | Refuse:
        """Whose key `credential` is, according to `snapshot` and live revocations."""
        if not credential:
            return _NO_CREDENTIAL
        if len(credential) > _LONGEST_CREDENTIAL:
            return _unknown("credential longer than any key")
        record = snapshot.keys.get(digest_of(credential))
        if record is None:
            return _unknown("no key has this digest")
        if self._revoked(record.key_id):
            return _unknown(f"key {record.key_id} is revoked")
        if record.expires_at is not None and record.expires_at <= self._now():
            return Refuse(
                ErrorCode.TOKEN_EXPIRED,
                public="This API key has expired. Ask an administrator for a new one.",
                private=f"key {record.key_id} expired",
            )
        return record.principal


_NO_CREDENTIAL: Final = Refuse(
    ErrorCode.AUTH_REQUIRED,
    public="Send an API key: Authorization: Bearer <key>. "
    "`bascule keys create --name NAME --role user` makes one.",
    private="no credential",
)


def _unknown(private: str) -> Refuse:
    return Refuse(
        ErrorCode.INVALID_TOKEN,
        public="This API key is not known here. Check it, or ask an administrator for a new one.",
        private=private,
    )
