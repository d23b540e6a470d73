"""Probes of upstreams, again and again, spread over time and never two at once of the same."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog

from bascule.gateway.errors import GatewayError
from bascule.gateway.tool import Upstream
from bascule.traffic.pulse import Health, Pulse

Probe = Callable[[str, Upstream], Awaitable[None]]
"""Asks the upstream of a tenant whether it is there. Raises GatewayError where it is not."""

Start = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]
"""Runs something for as long as the process, unless it is cancelled before."""

_MOST_AT_ONCE: Final = 8
_LONGEST_PROBE_SECONDS: Final = 10.0
_LONGEST_SPREAD_SECONDS: Final = 5.0
_SOONER: Final = 6.0
"""One that is not well is asked so many times as often: its end is worth knowing early."""

_log = structlog.get_logger(__name__)


def _ignore(tenant: str, upstream: Upstream) -> None:
    del tenant, upstream


@dataclass(frozen=True, slots=True)
class Times:
    """Time and chance; real ones unless a test gives its own."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random


class Watch:
    """Probes what it follows, every `interval_seconds`, with a fifth more or less by chance."""

    def __init__(
        self,
        interval_seconds: float,
        probe: Probe,
        start: Start,
        times: Times | None = None,
        on_change: Callable[[str, Upstream], None] = _ignore,
    ) -> None:
        """0 seconds: never. `on_change` is told where an upstream's health is another one."""
        self._interval_seconds = interval_seconds
        self._probe = probe
        self._start = start
        self._times = times or Times()
        self._on_change = on_change
        self._places = asyncio.Semaphore(_MOST_AT_ONCE)
        self._pulses: dict[tuple[str, Upstream], Pulse] = {}
        self._tasks: dict[tuple[str, Upstream], asyncio.Task[None]] = {}

    @property
    def pulses(self) -> Mapping[tuple[str, Upstream], Pulse]:
        """Of everything followed, by tenant and upstream."""
        return self._pulses

    def follow(self, named: Iterable[tuple[str, Upstream]]) -> None:
        """Probe these and no others; what was learnt of one that stays is kept."""
        if self._interval_seconds <= 0:
            return
        wanted = set(named)
        for gone in self._tasks.keys() - wanted:
            self._tasks.pop(gone).cancel()
            del self._pulses[gone]
        for key in wanted - self._tasks.keys():
            self._pulses[key] = Pulse()
            self._tasks[key] = self._start(self._run(*key))

    async def _run(self, tenant: str, upstream: Upstream) -> None:
        times, pulse = self._times, self._pulses[tenant, upstream]
        wait = min(_LONGEST_SPREAD_SECONDS, self._interval_seconds) * times.chance()
        while True:
            await times.sleep(wait)
            async with self._places:
                await self._ask(tenant, upstream, pulse)
            found = pulse.finding
            is_well = found is not None and found.health is Health.HEALTHY
            wait = self._interval_seconds / (1.0 if is_well else _SOONER)
            wait *= 0.8 + 0.4 * times.chance()

    async def _ask(self, tenant: str, upstream: Upstream, pulse: Pulse) -> None:
        before, began = pulse.finding, self._times.now()
        failure = await self._failure(tenant, upstream)
        pulse.note(self._times.now() - began, failure)
        found = pulse.finding
        if found is None or (before is not None and before.health is found.health):
            return
        if before is not None or found.health is not Health.HEALTHY:
            level = _log.info if found.health is Health.HEALTHY else _log.warning
            level(
                "upstream.health_changed",
                upstream=upstream.name,
                tenant=tenant,
                health=found.health.value,
                reason=found.reason,
            )
        self._on_change(tenant, upstream)

    async def _failure(self, tenant: str, upstream: Upstream) -> str:
        try:
            async with asyncio.timeout(_LONGEST_PROBE_SECONDS):
                await self._probe(tenant, upstream)
        except TimeoutError:
            return f"no answer within {_LONGEST_PROBE_SECONDS:g} s"
        except GatewayError as failure:
            return failure.private
        except Exception as crash:  # noqa: BLE001 - one probe's bug must not end all probes
            _log.exception("upstream.probe_crashed", upstream=upstream.name)
            return f"the probe failed: {type(crash).__name__}"
        return ""
