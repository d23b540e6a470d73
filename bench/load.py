"""The load generator: `python -m bench.load < plan.json` prints one JSON report.

A closed loop: each keep-alive connection sends its next request when the answer to the last one
is whole, so there are never more calls in flight than connections. Requests are encoded before
the first is sent.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Sequence
from typing import Annotated, Final, NamedTuple

import msgspec
import psutil
import uvloop

from bench.accounting import busy_seconds, cpu_seconds, usable_cores
from bench.callers import Connection, Log
from bench.operations import VARIANTS, Address, Exchange, Operation, exchange

REQUESTS_PER_CONNECTION: Final = 64
MOST_CONNECTIONS: Final = VARIANTS // REQUESTS_PER_CONNECTION
DRAIN_SECONDS: Final = 5.0
CONNECT_SECONDS: Final = 10.0


class Plan(msgspec.Struct, frozen=True):
    """What to do. Processes are 0 for none.

    The CPU time of `watch_pid` and its descendants is accounted for. `family_pid` is the ancestor
    of everything that belongs to the benchmark; all other work on the machine is noise.
    """

    address: Address
    operation: Operation
    connections: Annotated[int, msgspec.Meta(ge=1, le=MOST_CONNECTIONS)] = 32
    warmup_seconds: float = 1.0
    seconds: float = 5.0
    watch_pid: int = 0
    family_pid: int = 0


class Report(msgspec.Struct, frozen=True):
    """What came of it. CPU, calls and latencies are those of the window after the warm-up.

    `sent` and `errors` count the whole run: nothing may go wrong in the warm-up either.
    `reasons` are the first few errors. `others_cpu_share` is what other work took of the whole
    machine, 0 to 1.
    """

    calls: int
    errors: int
    seconds: float
    p50_ms: float
    p99_ms: float
    sent: int
    target_cpu_seconds: float
    own_cpu_seconds: float
    others_cpu_share: float
    reasons: list[str]


class LoadFailed(Exception):
    """No figures can be had; the message says why."""


async def run_load(plan: Plan) -> Report:
    """Carry out `plan`.

    Raises:
        LoadFailed: the target cannot be reached, drops every connection, or answers nothing right.
    """
    log = Log()
    connections = await _connect(plan, log)
    gc.collect()
    gc.disable()
    try:
        for connection in connections:
            connection.send()
        await _elapse(plan.warmup_seconds, log)
        before = _Reading.take(plan)
        first = len(log.latencies)
        await _elapse(plan.seconds, log)
        last = len(log.latencies)
        spent = _Reading.take(plan).since(before)
    finally:
        gc.enable()
        await _drain(connections, log)
    if last == first:
        raise LoadFailed(f"no call succeeded: {'; '.join(log.reasons) or 'no answers'}")
    return _report(log, sorted(log.latencies[first:last]), spent)


class _Reading(NamedTuple):
    """Clocks at one moment, or the seconds between two: CPU time but for `wall`."""

    wall: float
    target: float
    own: float
    family: float
    machine: float

    @classmethod
    def take(cls, plan: Plan) -> "_Reading":
        return cls(
            time.perf_counter(),
            cpu_seconds(plan.watch_pid) if plan.watch_pid else 0.0,
            time.process_time(),
            cpu_seconds(plan.family_pid) if plan.family_pid else 0.0,
            busy_seconds(),
        )

    def since(self, earlier: "_Reading") -> "_Reading":
        return _Reading(*(now - then for now, then in zip(self, earlier, strict=True)))

    def others_share(self) -> float:
        """What other work took of the machine; 0 where the family is unknown."""
        if not self.family:
            return 0.0
        return max(0.0, self.machine - self.family) / (self.wall * usable_cores())


async def _connect(plan: Plan, log: Log) -> list[Connection]:
    loop = asyncio.get_running_loop()
    address = plan.address
    connections: list[Connection] = []
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            for number in range(plan.connections):
                connection = Connection(log, _exchanges(plan, number))
                await loop.create_connection(lambda c=connection: c, address.host, address.port)
                connections.append(connection)
    except (OSError, TimeoutError) as error:
        for connection in connections:
            connection.abort()
        where = f"{address.host}:{address.port}"
        raise LoadFailed(f"cannot connect to {where}: {error or 'timed out'}") from error
    return connections


def _exchanges(plan: Plan, connection: int) -> list[Exchange]:
    """The requests of one connection; no two connections share a number, and so no id."""
    first = connection * REQUESTS_PER_CONNECTION
    numbers = range(first, first + REQUESTS_PER_CONNECTION)
    return [exchange(plan.operation, number, plan.address) for number in numbers]


async def _elapse(seconds: float, log: Log) -> None:
    try:
        async with asyncio.timeout(seconds):
            await log.closed.wait()
    except TimeoutError:
        return
    raise LoadFailed(f"the target closed every connection: {'; '.join(log.reasons)}")


async def _drain(connections: Sequence[Connection], log: Log) -> None:
    """Wait for the answers that are due; those that do not come are errors."""
    log.stopping = True
    for connection in connections:
        connection.stop()
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            await log.closed.wait()
    except TimeoutError:
        for connection in connections:
            connection.give_up(f"no answer {DRAIN_SECONDS:.0f} s after the load had ended")
        await log.closed.wait()


def _report(log: Log, ordered: Sequence[float], spent: _Reading) -> Report:
    return Report(
        calls=len(ordered),
        errors=log.errors,
        seconds=round(spent.wall, 6),
        p50_ms=round(percentile(ordered, 50) * 1000, 4),
        p99_ms=round(percentile(ordered, 99) * 1000, 4),
        sent=log.sent,
        target_cpu_seconds=round(spent.target, 6),
        own_cpu_seconds=round(spent.own, 6),
        others_cpu_share=round(spent.others_share(), 3),
        reasons=log.reasons,
    )


def percentile(ordered: Sequence[float], rank: int) -> float:
    """The `rank`-th percentile of ascending values by nearest rank; `ordered` is not empty."""
    return ordered[max(0, -(-len(ordered) * rank // 100) - 1)]


def main() -> int:
    """Read the plan from stdin, print the report."""
    try:
        plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    except msgspec.DecodeError as error:
        print(f"the plan on stdin is unusable: {error}", file=sys.stderr)
        return 2
    try:
        report = uvloop.run(run_load(plan))
    except LoadFailed as error:
        print(error, file=sys.stderr)
        return 1
    except psutil.NoSuchProcess as error:
        print(f"the target has ended: {error}", file=sys.stderr)
        return 1
    print(msgspec.json.encode(report).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
