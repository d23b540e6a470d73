"""What feeds need to know of the edition in force: who may hear of what, and where it is."""

from typing import Protocol

from bascule.gateway.call import Call, Endpoint
from bascule.gateway.feed import ChangeKind, ListenFilter
from bascule.gateway.inventory import Target
from bascule.gateway.principal import Principal


class Rights(Protocol):
    """The rights of one edition. A feed outlives editions, and asks the newest."""

    def current(self, principal: Principal) -> Principal | None:
        """The same caller as this edition knows it; None once it may not call any more."""
        ...

    def serves(self, principal: Principal, endpoint: Endpoint) -> bool:
        """Whether the endpoint's slice still exists."""
        ...

    def upstreams(self, principal: Principal, endpoint: Endpoint) -> frozenset[str]:
        """The MCP upstreams of which the caller sees anything there."""
        ...

    def visible(self, principal: Principal, endpoint: Endpoint, kind: ChangeKind) -> int:
        """A fingerprint of the list that the caller sees there: it changes with the list."""
        ...

    def advertised(self, tenant: str, upstream: str) -> bytes:
        """The capabilities an upstream advertised, as JSON; `{}` where they are not known."""
        ...

    async def readable(self, call: Call, uri: str) -> Target | None:
        """Where the resource is, if it is in the slice and the caller may read it."""
        ...

    async def task(self, call: Call, task_id: str) -> Target | None:
        """Where the caller's task is, if the caller may still use the tool that began it."""
        ...

    def may(self, principal: Principal, target: Target) -> bool:
        """Whether the caller may use what was found before."""
        ...


class Lease(Protocol):
    """A share in what is listened for at one upstream; must be released."""

    async def granted(self) -> ListenFilter:
        """Wait until the upstream has answered, and give what it agreed to tell."""
        ...

    def release(self) -> None:
        """Want it no more; safe to repeat."""
        ...


class Watcher(Protocol):
    """Listens at upstreams on behalf of feeds."""

    def want(self, tenant: str, upstream: str, wanted: ListenFilter) -> Lease | None:
        """Listen for `wanted` as well; None where there is no such upstream."""
        ...
