"""An upstream behind its breaker, tried again where that is safe."""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from bascule.gateway.call import Call, Result
from bascule.gateway.connector import Retry
from bascule.gateway.errors import (
    GatewayError,
    UpstreamFailed,
    UpstreamRateLimited,
    UpstreamUnreachable,
)
from bascule.gateway.stage import Executor
from bascule.gateway.tool import Upstream
from bascule.traffic.breakers import Breaker
from bascule.traffic.retries import is_failure, may_repeat, pause_seconds

ATTEMPTS_NOTE: Final = "attempts"
"""In the audit record of a call: how often it was sent, where that was more than once."""


class CircuitOpen(UpstreamUnreachable):
    """The breaker let nothing pass: nothing was sent."""


def _ignore() -> None:
    pass


def _never() -> bool:
    return False


class Pauses:
    """Pauses between tries, which end at once when the process does."""

    def __init__(self) -> None:
        self._ended = asyncio.Event()

    @property
    def are_over(self) -> bool:
        """Whether `end` was called."""
        return self._ended.is_set()

    def end(self) -> None:
        """Wake all who wait; from now on nobody does."""
        self._ended.set()

    async def sleep(self, seconds: float) -> None:
        """Wait, or until the end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Time, chance, and who is told of a retry; real ones unless a test gives its own."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random
    on_retry: Callable[[], None] = _ignore
    is_ending: Callable[[], bool] = _never
    """Whether the process is about to end: then nothing is tried again."""


class Resilient:
    """Executes calls on `executor`; what fails in passing is tried again, within the deadline.

    Cancelling a call ends its tries; that says nothing about the upstream, what came of a try does.
    However often a call was tried, the breaker counts it once.
    """

    def __init__(
        self,
        executor: Executor,
        upstream: Upstream,
        breaker: Breaker,
        around: Surroundings | None = None,
    ) -> None:
        self._run = executor.execute
        self._name = upstream.name
        self._retry: Retry = upstream.connector.retry
        self._breaker = breaker
        self._around = around or Surroundings()

    async def execute(self, call: Call) -> Result:
        """Run the call.

        Raises:
            CircuitOpen: the upstream failed too often lately; nothing was sent.
            GatewayError: as the executor, after the last try.
        """
        breaker = self._breaker
        if not breaker.is_closed:
            return await self._probe(call)
        epoch = breaker.epoch
        try:
            result = await self._run(call)
        except GatewayError as failure:
            return await self._go_on(call, epoch, failure)
        if result.upstream_status >= 500:
            return await self._go_on(call, epoch, result)
        breaker.successes += 1
        return result

    async def _go_on(self, call: Call, epoch: int, outcome: Result | GatewayError) -> Result:
        """After a first try that was no success.

        The breaker counts calls: it is told the last outcome alone, with the epoch of that try.
        """
        tries, began = 1, call.arrived
        breaker, around = self._breaker, self._around
        try:
            while (pause := self._pause(call, tries, began, outcome)) is not None:
                await around.sleep(pause)
                # Others may have found out meanwhile that there is no use.
                if not breaker.is_closed or around.is_ending():
                    break
                tries, began, current = tries + 1, around.now(), breaker.epoch
                around.on_retry()
                outcome, epoch = await self._try(call), current
        finally:
            # Also where the caller left meanwhile: what came of the tries before it is known.
            self._judge(epoch, outcome)
        if tries > 1:
            call.notes = {**(call.notes or {}), ATTEMPTS_NOTE: tries}
        if isinstance(outcome, GatewayError):
            raise outcome
        return outcome

    async def _try(self, call: Call) -> Result | GatewayError:
        try:
            return await self._run(call)
        except GatewayError as failure:
            return failure

    async def _probe(self, call: Call) -> Result:
        """The one call that may try while the breaker is half open; it is tried once."""
        breaker = self._breaker
        epoch = breaker.take_probe()
        if epoch is None:
            raise self._refusal()
        try:
            result = await self._run(call)
        except GatewayError as failure:
            if is_failure(failure) or _is_answer(failure):
                breaker.settle(epoch, works=not is_failure(failure))
            raise
        else:
            breaker.settle(epoch, works=not is_failure(result))
            return result
        finally:
            breaker.give_back(epoch)

    def _judge(self, epoch: int, outcome: Result | GatewayError) -> None:
        if is_failure(outcome):
            self._breaker.fail(epoch)
        elif isinstance(outcome, Result) or _is_answer(outcome):
            self._breaker.successes += 1

    def _pause(
        self, call: Call, tries: int, began: float, outcome: Result | GatewayError
    ) -> float | None:
        """How long to wait before the next try; None where there is none."""
        around = self._around
        if around.is_ending() or not self._breaker.is_closed or not may_repeat(call, outcome):
            return None
        pause = pause_seconds(self._retry, tries, outcome, around.chance)
        if pause is None:
            return None
        now = around.now()
        # A try that takes as long as the last one must still end in time.
        needed = pause + (now - began if began else 0.0)
        return pause if now + needed < (call.deadline or math.inf) else None

    def _refusal(self) -> CircuitOpen:
        seconds = math.ceil(self._breaker.retry_after_seconds) or 1
        return CircuitOpen(
            "The service behind this tool failed too often lately, so it is given a rest: the "
            f"circuit is open. Nothing was sent to it; try again in {seconds} seconds.",
            private=f"upstream {self._name}: circuit open",
            details={"circuit": "open", "retry_after_seconds": seconds},
        )


def _is_answer(failure: GatewayError) -> bool:
    """Whether the upstream itself said this: it is there, whatever is wrong with the call."""
    return isinstance(failure, UpstreamRateLimited | UpstreamFailed)
