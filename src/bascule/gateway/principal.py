"""Who calls: the answer identity gives and every later stage reads."""

from dataclasses import dataclass, field
from enum import StrEnum

from bascule.gateway.issuer import CertificateRule, Issuer


class Means(StrEnum):
    """How a caller was identified."""

    API_KEY = "api_key"
    TOKEN = "token"  # noqa: S105 - a name
    CERTIFICATE = "certificate"
    SESSION = "session"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A client certificate that the listener, or a proxy it trusts, has verified.

    `subject` and `issuer` are in the form of RFC 4514, `sha256` is the digest of the DER in hex,
    `names` are the subject alternative names with their kind before them, such as
    `URI:spiffe://example.org/agent` or `DNS:agent.example.org`. `not_after` and `not_before` are
    in seconds since the epoch; a proxy may hand on neither.
    """

    subject: str
    issuer: str
    sha256: str
    names: tuple[str, ...] = ()
    not_after: float = float("inf")
    not_before: float = 0.0


@dataclass(frozen=True, slots=True)
class Presented:
    """What a request brings to prove who sends it.

    `credential` is the bearer secret, `host` the name the request was sent to, in lower case and
    without a port. `place` is the path of the MCP endpoint that is called, such as
    `/mcp/bundles/desk`, and empty for the REST API.
    """

    credential: str | None = field(default=None, repr=False)
    certificate: Certificate | None = None
    host: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a verified token, certificate or sign-in says of its bearer.

    `roles` are names of roles of the tenant, after mapping; what they permit, and what an
    administrator added or took away, comes from the snapshot. `scopes` are the permissions that
    the bearer was limited to, None for no limit. Times are in seconds since the epoch.
    """

    means: Means
    tenant: str
    issuer: str
    """The `iss` of a token, `certificate`, or empty for an account of this installation."""
    subject: str
    """How the issuer calls the caller, for ever: never a name that can be given to another."""
    label: str
    """How records call a caller of whom there is no account: unique among all issuers."""
    display: str = ""
    agent: str | None = None
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    scopes: frozenset[str] | None = None
    issued_at: float = 0.0
    expires_at: float | None = None
    credential_id: str = ""
    """What a revocation of this one credential names: the `jti` or id of a session."""
    basis: Issuer | CertificateRule | None = field(default=None, repr=False, hash=False)
    """The record that made this of a token or certificate: once it is another, so is this."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller, known for the length of one call.

    `subject` names the person or service in records; `agent` the software acting for it, where
    known. `permissions` are the union over `roles`, less what its credential was limited to;
    `withheld` is what that limit took away.
    """

    tenant: str
    subject: str
    roles: frozenset[str]
    permissions: frozenset[str] = frozenset()
    key_id: str | None = None
    agent: str | None = None
    groups: frozenset[str] = frozenset()
    withheld: frozenset[str] = frozenset()
    user_id: str | None = None
    evidence: Evidence | None = None
    """What it was identified by, to be judged again; None for API keys and the local caller."""

    @property
    def owner(self) -> str:
        """Whose things are: the same for a caller for ever, and never another's of the tenant."""
        if self.user_id is not None:
            return f"user|{self.user_id}"
        if self.evidence is not None:
            return f"token|{self.evidence.issuer}|{self.evidence.subject}"
        return f"key|{self.subject}"

    @property
    def means(self) -> Means:
        """How it was identified."""
        if self.evidence is not None:
            return self.evidence.means
        return Means.LOCAL if self.key_id is None else Means.API_KEY

    def may(self, permission: str) -> bool:
        """Hold `permission`, by name or as a system administrator."""
        return permission in self.permissions or "system_admin" in self.permissions


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """An API key as the snapshot knows it: its SHA-256 digest stays the only trace of the secret.

    `expires_at` is seconds since the epoch, None for never. `created_by` is the name, in records,
    of who made it.
    """

    key_id: str
    principal: Principal
    expires_at: float | None = None
    created_by: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """An account, or what an administrator set about somebody whom an issuer vouches for.

    `roles` come on top of what is claimed. Credentials issued before `signed_out_at`, in seconds
    since the epoch, are not accepted any more; an inactive person's never are.
    """

    user_id: str
    name: str
    roles: frozenset[str] = frozenset()
    is_active: bool = True
    signed_out_at: float = 0.0
