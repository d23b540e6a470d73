"""The process under test of test_journal_kill.py; it imports the journal and nothing else.

`append DIRECTORY RUN` says that it starts, then appends until killed, printing what is durable.
`fill DIRECTORY tmpfs|limit` fills the space there is, frees some, and prints what it saw.
"""

import asyncio
import contextlib
import itertools
import json
import os
import resource
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from bascule.audit.config import JournalConfig
from bascule.audit.journal import Journal, open_journal
from bascule.gateway.errors import RecordingFailed
from bascule.gateway.record import AuditRecord, EventType, Status

BUSY_CALLERS = 16
LIMIT_BYTES = 48 * 1024


def record(event_id: str) -> AuditRecord:
    return AuditRecord(
        event_id=event_id,
        timestamp=datetime.now(UTC),
        event_type=EventType.TOOL_CALL,
        action="tools/call",
        status=Status.SUCCESS,
        correlation_id=event_id,
        arguments={"text": "x" * 500},
    )


async def append(directory: Path, run: str) -> None:
    numbers = itertools.count()

    async def caller(journal: Journal) -> None:
        for number in numbers:
            event_id = f"{run}-{number}"
            await journal.append(record(event_id))
            os.write(1, f"{event_id}\n".encode())

    config = JournalConfig(directory, max_segment_bytes=64 * 1024)
    os.write(1, b"starting\n")
    async with open_journal(config) as journal, asyncio.TaskGroup() as callers:
        for _ in range(BUSY_CALLERS):
            callers.create_task(caller(journal))


async def fill(directory: Path, relief: Callable[[], None]) -> dict[str, object]:
    config = JournalConfig(directory, probe_after=timedelta(milliseconds=5))
    answered: list[str] = []
    async with asyncio.timeout(10), open_journal(config) as journal:
        failure = await append_until_it_fails(journal, answered)
        seen: dict[str, object] = {
            "public": failure.public,
            "private": failure.private,
            "healthy_when_full": journal.healthy,
            "lines_when_full": count_lines(directory),
            "ends_with_newline": last_byte(directory) == b"\n",
            "answered_when_full": len(answered),
        }
        relief()
        await journal.until_recovered()
        await journal.append(record("after"))
        return seen | {"healthy_after": journal.healthy, "answered": [*answered, "after"]}


async def append_until_it_fails(journal: Journal, answered: list[str]) -> RecordingFailed:
    for batch in itertools.count():
        names = [f"{batch}-{number}" for number in range(7)]
        futures = {name: journal.append(record(name)) for name in names}
        await asyncio.wait(futures.values())
        answered += [name for name in names if futures[name].exception() is None]
        for future in futures.values():
            if isinstance(failure := future.exception(), RecordingFailed):
                return failure
    raise AssertionError


def count_lines(directory: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in directory.glob("*.jsonl"))


def last_byte(directory: Path) -> bytes:
    return max(directory.glob("*.jsonl")).read_bytes()[-1:]


@contextlib.contextmanager
def scarce_space(directory: Path, kind: str) -> Iterator[Callable[[], None]]:
    """Little space for files; what is given makes more of it."""
    if kind == "tmpfs":
        ballast = directory.parent / "ballast"
        ballast.write_bytes(bytes(LIMIT_BYTES))
        yield ballast.unlink
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT_BYTES, resource.RLIM_INFINITY))
        yield lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        )


def main() -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    command, directory, argument = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    if command == "append":
        asyncio.run(append(directory, argument))
    else:
        with scarce_space(directory, argument) as relief:
            seen = asyncio.run(fill(directory, relief))
        records = [json.loads(line) for path in directory.glob("*.jsonl") for line in path.open()]
        print(json.dumps(seen | {"records": records}))


if __name__ == "__main__":
    main()
