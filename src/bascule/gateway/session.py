"""A legacy session as the stages see it: who opened it, and what was agreed on."""

import msgspec

from bascule.gateway.capabilities import NO_CAPABILITIES, Capabilities
from bascule.gateway.principal import Principal


class SessionOwner(msgspec.Struct, frozen=True):
    """Whose session it is. Every request of it is authenticated anew and held against this."""

    tenant: str
    subject: str
    key_id: str | None = None

    @classmethod
    def of(cls, principal: Principal) -> "SessionOwner":
        """The owner that `principal` would be."""
        return cls(principal.tenant, principal.owner, principal.key_id)


class Session(msgspec.Struct, frozen=True):
    """What the seal of a session id holds. `issued_at` in seconds since 1970."""

    session_id: str
    owner: SessionOwner
    version: str
    endpoint: str = "all:"
    """Kind and name of the endpoint it was opened at, joined by a colon."""
    capabilities: Capabilities = NO_CAPABILITIES
    agent: str = ""
    issued_at: int = 0
