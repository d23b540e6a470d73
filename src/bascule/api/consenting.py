"""What the pages for consent ask of what keeps authorizations that wait for a person."""

from dataclasses import dataclass
from typing import Final, Protocol

from bascule.gateway.principal import Principal
from bascule.gateway.snapshot import Snapshot
from bascule.upstreams.oauth.ports import Callback, Pending

GATEWAY: Final = "the gateway itself"


@dataclass(frozen=True, slots=True)
class Approved:
    """An authorization that a person agreed to, in the browser whose cookie has this digest.

    `flow` is public, and tells its cookie from those of others.
    """

    pending: Pending
    flow: str
    browser: str


class Consents(Protocol):
    """Authorizations on their way through a person's browser. Each step can be taken once."""

    @property
    def public_url(self) -> str:
        """The address of this gateway, without a path."""
        ...

    @property
    def client_document(self) -> dict[str, object] | None:
        """What this gateway is as an OAuth client; None where its address is not https."""
        ...

    async def find(self, link: str) -> Pending | None:
        """What the link is about; None where it is over."""
        ...

    async def approve(self, link: str, approved: Approved) -> bool:
        """Let the person go on. False where somebody did so, or declined, before."""
        ...

    async def decline(self, link: str) -> Pending | None:
        """End it; None where it is over."""
        ...

    async def take(self, state: str) -> Approved | None:
        """What a browser comes back to; nobody can come back to it again."""
        ...

    async def finish(self, pending: Pending, callback: Callback) -> None:
        """Redeem the answer and keep what it is good for.

        Raises:
            GatewayError: it is good for nothing; `public` says what to do, and repeats nothing.
        """
        ...

    async def connect(self, tenant: str, upstream: str, owner: str) -> str:
        """The address where `owner` (`""`: the gateway itself) consents to the use of a server.

        Raises:
            NotFound: there is no such server.
            Conflict: it is not called on behalf of its callers.
            GatewayError: its authorization server cannot be found, or used.
        """
        ...


def is_owner(pending: Pending, principal: Principal, snapshot: Snapshot) -> bool:
    """Whether `principal`, who is signed in, is for whom the authorization was begun."""
    if principal.tenant != pending.tenant:
        return False
    if principal.owner == pending.owner:
        return True
    if pending.owner == "":
        return principal.may("mcp:manage_servers")
    # A caller who was a stranger when it began has an account since they signed in.
    return principal.user_id is not None and any(
        person.user_id == principal.user_id and pending.owner == f"token|{issuer}|{subject}"
        for (issuer, subject), person in snapshot.tenant(pending.tenant).people.items()
    )


def is_there(pending: Pending, snapshot: Snapshot) -> bool:
    """Whether for whom it was begun can still come in: names of keys are given again."""
    tenant, owner = pending.tenant, pending.owner
    view = snapshot.tenants.get(tenant)
    if view is None or pending.upstream not in view.upstreams:
        return False
    if owner.startswith("key|"):
        bearers = (one.principal for one in snapshot.keys.values())
        return any(one.tenant == tenant and one.owner == owner for one in bearers)
    if owner.startswith("user|"):
        people = view.people.values()
        return any(one.is_active and owner == f"user|{one.user_id}" for one in people)
    return True


class Owned(Protocol):
    """What is one caller's: `owner` is `Principal.owner`."""

    @property
    def tenant(self) -> str:
        """The caller's tenant."""
        ...

    @property
    def owner(self) -> str:
        """Whose it is."""
        ...


def signs_in_with(owned: Owned, snapshot: Snapshot) -> bool:
    """Whether for whom it was begun can sign in here, by way of an issuer that knows them."""
    people = snapshot.tenant(owned.tenant).people
    known_to = {
        issuer
        for (issuer, subject), person in people.items()
        if owned.owner in {f"user|{person.user_id}", f"token|{issuer}|{subject}"}
    }
    if owned.owner.startswith("token|"):
        known_to.add(owned.owner.split("|")[1])
    issuers = (snapshot.issuers.get(one) for one in known_to)
    return any(one is not None and bool(one.client_id) for one in issuers)


def subject_of(tenant: str, owner: str, snapshot: Snapshot) -> str:
    """What records call `owner`."""
    kind, _, rest = owner.partition("|")
    return rest if kind == "key" else account_name(tenant, owner, snapshot)


def account_name(tenant: str, owner: str, snapshot: Snapshot) -> str:
    """How people call `owner`."""
    kind, _, rest = owner.partition("|")
    if kind == "user":
        people = snapshot.tenant(tenant).people.values()
        names = (one.name for one in people if one.user_id == rest)
        return next(names, "an account that is gone")
    if kind == "token":
        issuer, _, subject = rest.partition("|")
        return f"{subject} ({issuer})"
    return f"the API key {rest}" if kind == "key" else GATEWAY
