"""`python -m bench`: measure, print the table, write the results.

Exit status: 0 done, 1 could not measure, 2 usage, 7 `--check` found a figure out of bounds,
130 or 143 when interrupted.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import uvloop

from bench import gateway
from bench.children import ROOT, ChildFailed
from bench.figures import Results, save, table
from bench.harness import MeasureFailed, Options, measure
from bench.load import MOST_CONNECTIONS
from bench.operations import Operation
from bench.targets import Name

RESULTS: Final = ROOT / "bench" / "results" / "latest.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit status."""
    parser = _parser()
    given = parser.parse_args(arguments)
    options = Options(
        targets=tuple(name for name in Name if name in given.only),
        rounds=given.rounds,
        seconds=given.seconds,
        warmup_seconds=given.warmup,
        connections=given.connections,
        operation=given.operation,
        command=tuple(given.gateway),
        tools=given.tools,
    )
    if given.check and Name.GOVERNED not in options.targets:
        parser.error("--check needs the target governed")
    try:
        results = uvloop.run(_bounded(options))
    except (ChildFailed, MeasureFailed, TimeoutError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM
    return _report(results, given.results, check=given.check)


async def _bounded(options: Options) -> Results:
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        async with asyncio.timeout(options.bound_seconds):
            return await measure(options, _progress)
    except TimeoutError:
        raise TimeoutError(f"not done after {options.bound_seconds:.0f} s; given up") from None


def _progress(step: str) -> None:
    if sys.stderr.isatty():
        print(step, file=sys.stderr)


def _report(results: Results, path: Path, *, check: bool) -> int:
    print("\n".join(table(results)))
    save(results, path)
    complaints = results.complaints() if check else []
    for complaint in complaints:
        print(f"check failed: {complaint}", file=sys.stderr)
    return 7 if complaints else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Calls a second and CPU a call: governed, behind a bare proxy, and direct.",
    )
    add = parser.add_argument
    add("--seconds", type=_number(float, 0.1, 3600), default=5.0, help="measured time (5)")
    add("--warmup", type=_number(float, 0.1, 600), default=1.0, help="seconds before it (1)")
    add("--rounds", type=_number(int, 1, 100), default=3, help="rounds; medians count (3)")
    add("--connections", type=_number(int, 1, MOST_CONNECTIONS), default=32, help="callers (32)")
    add("--only", type=_targets, default=tuple(Name), help="targets, comma-separated (all)")
    add("--operation", type=Operation, choices=tuple(Operation), default=Operation.FIND_CUSTOMER)
    starts = "command that starts the gateway, with absolute paths (python -m bascule up)"
    add("--gateway", type=gateway.parse_command, default=gateway.COMMAND, help=starts)
    more = "tools to put into the registry beside those that are called (0)"
    add("--tools", type=_number(int, 0, 1_000_000), default=0, help=more)
    add("--results", type=Path, default=RESULTS, help="file to write (bench/results/latest.json)")
    add("--check", action="store_true", help="exit 7 unless governed calls hold their bounds")
    return parser


def _number(kind: Callable[[str], float], least: float, most: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value = kind(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text} is not between {least} and {most}")
        return value

    parse.__name__ = kind.__name__
    return parse


def _targets(text: str) -> tuple[Name, ...]:
    try:
        return tuple(Name(part.strip()) for part in text.split(","))
    except ValueError:
        known = ", ".join(Name)
        raise argparse.ArgumentTypeError(f"{text!r} names another target than {known}") from None


if __name__ == "__main__":
    sys.exit(main())
