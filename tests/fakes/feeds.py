"""Rights that a test sets, and upstreams that agree when a test says so."""

import asyncio
from collections.abc import Awaitable, Callable

from bascule.gateway.call import EVERYTHING, Call, Endpoint, Method, More
from bascule.gateway.capabilities import Capabilities
from bascule.gateway.feed import ChangeKind, ListenFilter
from bascule.gateway.inventory import ItemKind, Target
from bascule.gateway.principal import Principal
from fakes.catalogue import TENANT, make_principal

NEWS = "file:///news"
ALL_LISTS = ListenFilter(
    tools_list_changed=True, prompts_list_changed=True, resources_list_changed=True
)


def resource(uri: str, upstream: str = "docs") -> Target:
    return Target(ItemKind.RESOURCE, upstream, uri, upstream, uri)


def task(inner: str, upstream: str = "jobs") -> Target:
    return Target(ItemKind.TASK, upstream, "work", upstream, inner)


def listen_call(
    wanted: ListenFilter | None,
    *,
    endpoint: Endpoint = EVERYTHING,
    principal: Principal | None = None,
    capabilities: Capabilities | None = None,
) -> Call:
    return Call(
        Method.LISTEN,
        "c-1",
        message_id=1,
        endpoint=endpoint,
        principal=principal or make_principal(),
        capabilities=capabilities or Capabilities(),
        more=More(wanted=wanted),
    )


class FakeRights:
    """Everybody sees `seen`, reads what is in `readables` and owns `tasks`, unless changed."""

    def __init__(self) -> None:
        self.gone: set[str] = set()
        self.removed: set[str] = set()
        self.seen = frozenset({"docs", "jobs"})
        self.prints: dict[ChangeKind, int] = {}
        self.capabilities: dict[str, bytes] = {}
        self.readables: dict[str, Target] = {NEWS: resource(NEWS)}
        self.tasks: dict[str, Target] = {}
        self.forbidden: set[str] = set()
        self.on_look: Callable[[str], Awaitable[None]] | None = None

    def current(self, principal: Principal) -> Principal | None:
        return None if principal.subject in self.gone else principal

    def serves(self, principal: Principal, endpoint: Endpoint) -> bool:
        del principal
        return endpoint.name not in self.removed

    def upstreams(self, principal: Principal, endpoint: Endpoint) -> frozenset[str]:
        del principal, endpoint
        return self.seen

    def visible(self, principal: Principal, endpoint: Endpoint, kind: ChangeKind) -> int:
        del principal, endpoint
        return self.prints.get(kind, 0)

    def advertised(self, tenant: str, upstream: str) -> bytes:
        assert tenant == TENANT
        return self.capabilities.get(upstream, b"{}")

    async def readable(self, call: Call, uri: str) -> Target | None:
        del call
        if self.on_look is not None:
            await self.on_look(uri)
        return self.readables.get(uri)

    async def task(self, call: Call, task_id: str) -> Target | None:
        del call
        return self.tasks.get(task_id)

    def may(self, principal: Principal, target: Target) -> bool:
        del principal
        return target.inner not in self.forbidden


class FakeLease:
    """Agrees to everything at once, unless it `waits`."""

    def __init__(self, wanted: ListenFilter, *, waits: bool) -> None:
        self.wanted = wanted
        self.released = 0
        self._answer = asyncio.Event()
        self._granted = wanted
        if not waits:
            self._answer.set()

    def agree(self, granted: ListenFilter) -> None:
        self._granted = granted
        self._answer.set()

    async def granted(self) -> ListenFilter:
        await self._answer.wait()
        return self._granted

    def release(self) -> None:
        self.released += 1


class FakeWatcher:
    """Remembers every lease; `slow` upstreams never answer, `absent` ones do not exist."""

    def __init__(self) -> None:
        self.leases: list[tuple[str, FakeLease]] = []
        self.slow: set[str] = set()
        self.absent: set[str] = set()
        self.grants: dict[str, ListenFilter] = {}

    def want(self, tenant: str, upstream: str, wanted: ListenFilter) -> FakeLease | None:
        assert tenant == TENANT
        if upstream in self.absent:
            return None
        lease = FakeLease(wanted, waits=upstream in self.slow)
        if upstream in self.grants:
            lease.agree(self.grants[upstream])
        self.leases.append((upstream, lease))
        return lease

    def wanted(self, upstream: str) -> list[ListenFilter]:
        return [lease.wanted for name, lease in self.leases if name == upstream]

    @property
    def held(self) -> int:
        return sum(not lease.released for _, lease in self.leases)
