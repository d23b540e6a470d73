"""What the OAuth client of this gateway needs from around it, and what it hands out.

The client is one per (tenant, caller, upstream): what one caller was granted is never used for
another (MCP specification 2026-07-28, basic/authorization).
"""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

import msgspec


@dataclass(frozen=True, slots=True)
class Holder:
    """For whom access is sought: `owner` is `Principal.owner`, `upstream` the upstream's name.

    The owner `""` is the gateway itself, which lists what an upstream offers, and calls nothing.
    """

    tenant: str
    owner: str
    upstream: str


@dataclass(frozen=True, slots=True)
class Grant:
    """What an authorization server gave a holder for one resource.

    `scopes` are those that were asked for, and any given besides: what the next request must name
    again. `expires_at` is in seconds since the epoch, None where the server does not say.
    """

    issuer: str
    resource: str
    client_id: str
    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    scopes: tuple[str, ...] = ()
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class Registration:
    """This gateway as one authorization server knows it. `method` authenticates it at the token
    endpoint: `none`, `client_secret_basic` or `client_secret_post`.

    It holds for `redirect_uri` alone, and until `expires_at` (seconds since the epoch), if set.
    """

    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    method: str = "none"
    redirect_uri: str = ""
    expires_at: float | None = None


class Pending(msgspec.Struct, frozen=True):
    """An authorization that has begun and waits for a person; sealed wherever it is kept.

    `url` is where the person goes; `verifier` is the PKCE secret (RFC 7636). `requires_iss` is
    whether the answer must name its issuer (RFC 9207).
    """

    state: str
    url: str
    tenant: str
    owner: str
    upstream: str
    issuer: str
    resource: str
    token_endpoint: str
    redirect_uri: str
    verifier: str
    client_id: str
    scopes: tuple[str, ...] = ()
    requires_iss: bool = False


class Callback(msgspec.Struct, frozen=True):
    """What the authorization server sent a person's browser back with."""

    state: str
    code: str = ""
    iss: str | None = None
    error: str = ""


class Grants(Protocol):
    """Keeps grants, encrypted, each for its holder and resource alone."""

    async def load(self, holder: Holder, resource: str) -> Grant | None:
        """The grant as it is now, which another process may just have refreshed."""
        ...

    async def save(self, holder: Holder, grant: Grant) -> None:
        """Keep the grant in place of any for the same holder, issuer and resource."""
        ...

    async def forget(self, holder: Holder, resource: str) -> None:
        """Remove what the holder has for `resource`: it is not accepted any more."""
        ...

    def refreshing(
        self, holder: Holder, resource: str
    ) -> AbstractAsyncContextManager[Grant | None]:
        """Have the refresh token alone, among all processes, while the block lasts.

        Gives the grant as it is then: another process may just have refreshed it, and one that
        was revoked is gone. What is saved within the block replaces that grant only; it is
        dropped where the grant was revoked meanwhile. Authorization servers that rotate refresh
        tokens take a second use of one for theft (RFC 9700, section 4.14).
        """
        ...

    async def lender(self, tenant: str, upstream: str) -> str | None:
        """With whose grant the gateway lists what `upstream` offers: its own (owner `""`) if it
        has one, else that of who consented first and still has it; None: nobody has."""
        ...


class Registrations(Protocol):
    """Keeps dynamic registrations by tenant and issuer."""

    async def load(self, tenant: str, issuer: str) -> Registration | None:
        """The registration, if there is one."""
        ...

    async def save(self, tenant: str, registration: Registration) -> None:
        """Keep the registration in place of any with the same issuer."""
        ...


class Consent(Protocol):
    """How a person gets to the authorization server and back."""

    @property
    def redirect_uri(self) -> str:
        """Where authorization servers send people back to."""
        ...

    async def ask(self, pending: Pending) -> Callback:
        """Bring the person to `pending.url`, and give the answer.

        Raises:
            ConsentNeeded: the person must go there first; the call can be made again afterwards.
        """
        ...
