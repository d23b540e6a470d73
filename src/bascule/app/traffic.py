"""How much and how soon, put together: breakers, kept answers, health, of every upstream."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Final

import structlog

from bascule.api.condition import Condition
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.stage import Executor
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.guards.output import Mismatches, OnMismatch
from bascule.settings.model import Settings
from bascule.telemetry.upstreams import KeptFigures, UpstreamFigures
from bascule.traffic.answers import Answers, Space
from bascule.traffic.breakers import Breaker, Breakers, State
from bascule.traffic.cached import Cached, scope_for
from bascule.traffic.pulse import Finding, Health
from bascule.traffic.resilience import Pauses, Resilient, Surroundings
from bascule.traffic.standby import WhenDown
from bascule.traffic.watch import Start, Watch

_CALLED: Final = frozenset(
    {UpstreamKind.REST, UpstreamKind.GRPC, UpstreamKind.PLUGIN, UpstreamKind.WASM}
)
"""What the gateway calls itself; MCP servers are relayed, with a state of their own."""

Known = Callable[[str, str], str | None]
"""What the last look at an MCP server of a tenant came to: "" for well, None for no look yet."""

_log = structlog.get_logger(__name__)


class Traffic:
    """What outlives snapshots. `known` is given once there is a relay.

    `generation`, given once there are secrets, grows whenever one of the tenant is another.
    """

    def __init__(self, settings: Settings) -> None:
        self.when_down = WhenDown(settings.upstreams.when_down)
        self.mismatches_of_output = Mismatches(OnMismatch(settings.guards.output_mismatch))
        self.known: Known = _nothing_known
        self.generation: Callable[[str], int] = _one_generation
        cache = settings.cache
        self._answers = Answers(cache.response_max_entries, cache.response_max_bytes)
        self._breakers = Breakers(on_change=_tell)
        self._spaces: dict[tuple[str, Upstream], Space] = {}
        self._retries: Counter[tuple[str, str]] = Counter()
        self._pauses = Pauses()
        self._health_seconds = settings.upstreams.health_seconds
        self._watch: Watch | None = None
        self._named: dict[tuple[str, str], Upstream] = {}

    def begin(self, probe: Callable[[str, Upstream], Awaitable[None]], start: Start) -> None:
        """Probe upstreams from now on; `start` runs something until the process ends."""
        self._watch = Watch(self._health_seconds, probe, start)

    def end(self) -> None:
        """Try nothing again: the clients are about to close, and each call is to be recorded."""
        self._pauses.end()

    def wrap(self, tenant: str, upstream: Upstream, executor: Executor) -> Executor:
        """`executor` behind its breaker, with retries, and with answers kept where tools allow."""
        around = Surroundings(
            sleep=self._pauses.sleep,
            on_retry=partial(self._count_retry, tenant, upstream.name),
            is_ending=lambda: self._pauses.are_over,
        )
        resilient = Resilient(executor, upstream, self._breakers.of(tenant, upstream), around)
        space = self._spaces.setdefault((tenant, upstream), Space(lambda: self.generation(tenant)))
        return Cached(resilient, space, self._answers, scope_for(upstream))

    def follow(self, snapshot: Snapshot) -> None:
        """Keep what belongs to the upstreams of `snapshot`, and probe those of active tools."""
        named = {
            (tenant, upstream)
            for tenant, view in snapshot.tenants.items()
            for upstream in view.upstreams.values()
        }
        self._named = {(tenant, upstream.name): upstream for tenant, upstream in named}
        self._breakers.keep(named)
        for gone in self._spaces.keys() - named:
            del self._spaces[gone]
        if self._watch is not None:
            self._watch.follow(_probed(snapshot))

    def is_down(self, tenant: str, name: str) -> bool:
        """Whether calls of its tools can be expected to fail."""
        upstream = self._named.get((tenant, name))
        if upstream is None:
            return False
        found = self._finding(tenant, upstream)
        return found is not None and found.health is Health.DOWN

    def of(self, tenant: str, name: str) -> Condition | None:
        """As `bascule.api.condition.Conditions`."""
        upstream = self._named.get((tenant, name))
        return None if upstream is None else self._condition(tenant, upstream)

    def all(self, tenant: str) -> dict[str, Condition]:
        """As `bascule.api.condition.Conditions`."""
        return {
            upstream.name: self._condition(owner, upstream)
            for (owner, _), upstream in sorted(self._named.items())
            if owner == tenant
        }

    def reset(self, tenant: str, name: str) -> bool:
        """As `bascule.api.condition.Conditions`."""
        upstream = self._named.get((tenant, name))
        if upstream is None or upstream.kind not in _CALLED:
            return False
        self._breakers.of(tenant, upstream).reset()
        return True

    def upstreams(self) -> Iterable[UpstreamFigures]:
        """As `bascule.telemetry.upstreams.Figures`."""
        for (tenant, name), upstream in self._named.items():
            condition = self._condition(tenant, upstream)
            yield UpstreamFigures(tenant, name, condition.breaker, condition.health or None)

    def retries(self) -> Mapping[tuple[str, str], int]:
        """As `bascule.telemetry.upstreams.Figures`."""
        return self._retries

    def kept(self) -> KeptFigures:
        """As `bascule.telemetry.upstreams.Figures`."""
        tally = self._answers.tally
        return KeptFigures(tally.hits, tally.misses, len(self._answers), self._answers.size_bytes)

    def mismatches(self) -> Mapping[str, int]:
        """As `bascule.telemetry.upstreams.Figures`."""
        return self.mismatches_of_output.counts

    def _condition(self, tenant: str, upstream: Upstream) -> Condition:
        breaker = self._breaker(tenant, upstream)
        found = self._finding(tenant, upstream)
        pulse = None if self._watch is None else self._watch.pulses.get((tenant, upstream))
        return Condition(
            State.CLOSED if breaker is None else breaker.state,
            0 if breaker is None else breaker.failures,
            0.0 if breaker is None else round(breaker.retry_after_seconds, 1),
            "" if found is None else found.health,
            "" if found is None else found.reason,
            None if pulse is None or pulse.last_seconds is None else round(pulse.last_seconds, 3),
        )

    def _breaker(self, tenant: str, upstream: Upstream) -> Breaker | None:
        return self._breakers.of(tenant, upstream) if upstream.kind in _CALLED else None

    def _finding(self, tenant: str, upstream: Upstream) -> Finding | None:
        """The worst of what is known."""
        found = [self._of_breaker(tenant, upstream), self._of_relay(tenant, upstream)]
        pulse = None if self._watch is None else self._watch.pulses.get((tenant, upstream))
        found.append(None if pulse is None else pulse.finding)
        known = [one for one in found if one is not None]
        return min(known, key=lambda one: _ORDER.index(one.health)) if known else None

    def _of_breaker(self, tenant: str, upstream: Upstream) -> Finding | None:
        breaker = self._breaker(tenant, upstream)
        if breaker is None or breaker.is_closed:
            return None
        if breaker.state is State.OPEN:
            return Finding(Health.DOWN, "its breaker is open")
        return Finding(Health.DEGRADED, "its breaker waits for a call that tries")

    def _of_relay(self, tenant: str, upstream: Upstream) -> Finding | None:
        if upstream.kind in _CALLED:
            return None
        reason = self.known(tenant, upstream.name)
        if reason is None:
            return None
        if not reason:
            return Finding(Health.HEALTHY)
        # A server whose lists fail may still answer calls; a child that does not start cannot.
        child = upstream.kind is UpstreamKind.MCP_STDIO
        return Finding(Health.DOWN if child else Health.DEGRADED, reason)

    def _count_retry(self, tenant: str, name: str) -> None:
        self._retries[tenant, name] += 1


_PROBED_URLS: Final = ("http://", "https://")
_ORDER: Final = (Health.DOWN, Health.DEGRADED, Health.HEALTHY)


def _used(view: TenantView) -> set[str]:
    """The upstreams that any tool is of; with many tools, all are soon found."""
    unused = set(view.upstreams)
    for tool in view.tools.values():
        unused.discard(tool.source.upstream)
        if not unused:
            break
    return view.upstreams.keys() - unused


def _probed(snapshot: Snapshot) -> set[tuple[str, Upstream]]:
    """The upstreams of active tools; not child processes, which a probe would have to start."""
    found: set[tuple[str, Upstream]] = set()
    for tenant, view in snapshot.tenants.items():
        used = _used(view)
        for upstream in view.upstreams.values():
            if upstream.name in used and upstream.url.startswith(_PROBED_URLS):
                found.add((tenant, upstream))
    return found


def _nothing_known(tenant: str, name: str) -> str | None:
    del tenant, name
    return None


def _one_generation(tenant: str) -> int:
    del tenant
    return 0


def _tell(tenant: str, upstream: Upstream, state: State) -> None:
    level = _log.info if state is State.CLOSED else _log.warning
    level("breaker.changed", upstream=upstream.name, tenant=tenant, state=state.value)
