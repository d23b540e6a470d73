"""The run: targets measured in turn over several rounds, each by a fresh load generator."""

import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2
import msgspec

from bench import gateway, registry
from bench.accounting import machine_facts
from bench.children import STARTUP_SECONDS, STOP_SECONDS, ChildFailed, running
from bench.figures import Results, Round
from bench.load import CONNECT_SECONDS, DRAIN_SECONDS, Plan, Report
from bench.operations import Address, Operation
from bench.targets import Name, Target, started

SLACK_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Options:
    """What to measure and for how long.

    `command` starts the gateway, whose registry has `tools` besides those that are called.
    """

    targets: tuple[Name, ...] = tuple(Name)
    rounds: int = 3
    seconds: float = 5.0
    warmup_seconds: float = 1.0
    connections: int = 32
    operation: Operation = Operation.FIND_CUSTOMER
    command: tuple[str, ...] = gateway.COMMAND
    tools: int = 0

    @property
    def load_seconds(self) -> float:
        """The longest one load may take, from its start to its end."""
        window = self.warmup_seconds + self.seconds
        return window + CONNECT_SECONDS + DRAIN_SECONDS + SLACK_SECONDS

    @property
    def bound_seconds(self) -> float:
        """The longest the whole run may take."""
        loads = self.rounds * len(self.targets) * self.load_seconds
        loads += self.tools * registry.MOST_SECONDS_PER_TOOL
        return loads + len(Name) * (STARTUP_SECONDS + STOP_SECONDS) + SLACK_SECONDS


class MeasureFailed(Exception):
    """The figures would be worthless; the message says why."""


async def measure(options: Options, progress: Callable[[str], None]) -> Results:
    """Carry out a whole run; everything it started has ended when it returns or raises.

    Raises:
        MeasureFailed: calls failed, or were answered by something else than the upstream.
        ChildFailed: a process did not do its part.
    """
    rounds: list[Round] = []
    with tempfile.TemporaryDirectory(prefix="bascule-bench-") as folder:
        scratch = Path(folder)
        machine = machine_facts(scratch)
        start = gateway.Start(options.command, options.tools)
        async with started(options.targets, options.operation, start, scratch) as (
            upstream,
            targets,
        ):
            for number in range(1, options.rounds + 1):
                for target in targets:
                    progress(f"round {number} of {options.rounds}: {target.name}")
                    report = await _load(target, options, upstream, scratch)
                    rounds.append(Round.of(number, target.name, report))
    return Results.of(rounds, machine, msgspec.to_builtins(options))


async def _load(target: Target, options: Options, upstream: Address, scratch: Path) -> Report:
    """One load on `target`; every call must have succeeded, and have reached the upstream."""
    plan = Plan(
        address=target.address,
        operation=options.operation,
        connections=options.connections,
        warmup_seconds=options.warmup_seconds,
        seconds=options.seconds,
        watch_pid=target.child.pid,
        family_pid=os.getpid(),
    )
    before = await _served(upstream)
    report = await _report(plan, target, options, scratch)
    reached = await _served(upstream) - before
    if report.errors:
        raise MeasureFailed(
            f"{target.name}: {report.errors} of {report.sent} calls failed: "
            + "; ".join(report.reasons)
        )
    if reached < report.sent:
        raise MeasureFailed(
            f"{target.name}: only {reached} of {report.sent} calls reached the upstream; "
            "something else answered for it"
        )
    return report


async def _report(plan: Plan, target: Target, options: Options, scratch: Path) -> Report:
    command = [sys.executable, "-m", "bench.load"]
    async with running("load", command, scratch=scratch) as child:
        try:
            answer = await child.answer(msgspec.json.encode(plan), seconds=options.load_seconds)
        except ChildFailed as failure:
            if await target.child.ended(within_seconds=1):
                raise target.child.failed("ended under load") from failure
            raise
    return msgspec.json.decode(answer, type=Report)


async def _served(upstream: Address) -> int:
    url = f"http://{upstream.host}:{upstream.port}/served"
    try:
        async with httpx2.AsyncClient(trust_env=False) as client:
            response = await client.get(url)
            return int(response.raise_for_status().json()["served"])
    except httpx2.HTTPError as error:
        raise MeasureFailed(f"the upstream does not answer: {error!r}") from error
