"""Who calls: the answer identity gives and every later stage reads."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller, known for the length of one call.

    `subject` names the person or service; `agent` the software acting for it, where known.
    `permissions` are the union over `roles`, resolved when the snapshot was compiled.
    """

    tenant: str
    subject: str
    roles: frozenset[str]
    permissions: frozenset[str] = frozenset()
    key_id: str | None = None
    agent: str | None = None

    def may(self, permission: str) -> bool:
        """Hold `permission`, by name or as a system administrator."""
        return permission in self.permissions or "system_admin" in self.permissions


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """An API key as the snapshot knows it: its SHA-256 digest stays the only trace of the secret.

    `expires_at` is seconds since the epoch, None for never.
    """

    key_id: str
    principal: Principal
    expires_at: float | None = None
