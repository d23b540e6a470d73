"""The thread between the event loop and the disk."""

import asyncio
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from bascule.audit.committer import Committer
from bascule.audit.disk import Disk
from bascule.audit.recovery import recover
from bascule.audit.verify import verify
from bascule.audit.writer import ChainWriter, Committed


def open_writer(directory: Path, disk: Disk | None = None) -> ChainWriter:
    return ChainWriter(recover(directory, "gateway")[0], 1_000_000, disk or Disk())


async def test_outcome_arrives_on_the_event_loop(tmp_path: Path, make_record) -> None:
    outcome: asyncio.Future[tuple[Committed, int]] = asyncio.get_running_loop().create_future()
    committer = Committer(open_writer(tmp_path), lambda: None)

    committer.submit(
        [make_record(1), make_record(2)],
        lambda done: outcome.set_result((done, threading.get_ident())),
    )

    async with asyncio.timeout(5):
        assert await outcome == ((2, None), threading.get_ident())
        await committer.stop()


async def test_stop_finishes_what_was_submitted_and_then_releases(
    tmp_path: Path, make_record
) -> None:
    events: list[str] = []
    committer = Committer(open_writer(tmp_path), lambda: events.append("released"))
    for n in range(20):
        committer.submit([make_record(n)], lambda done: events.append("settled"))

    async with asyncio.timeout(5):
        await committer.stop()

    assert sorted(events) == ["released", *["settled"] * 20]
    assert verify(tmp_path).records == 20


async def test_file_that_cannot_be_closed_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    writer = open_writer(tmp_path)
    close = writer.close

    def fail() -> None:
        close()
        raise OSError("input/output error")

    monkeypatch.setattr(writer, "close", fail)
    committer = Committer(writer, released.set)

    async with asyncio.timeout(5):
        await committer.stop()

    assert released.is_set()


async def test_bug_in_a_commit_fails_its_batch_and_not_the_thread(
    tmp_path: Path, make_record
) -> None:
    bugs = [ZeroDivisionError("bug")]

    def sync(descriptor: int) -> None:
        if bugs:
            raise bugs.pop()

    outcomes: list[Committed] = []
    committer = Committer(open_writer(tmp_path, Disk(sync=sync)), lambda: None)
    committer.submit([make_record(1)], outcomes.append)
    committer.submit([make_record(2)], outcomes.append)

    async with asyncio.timeout(5):
        await committer.stop()

    assert [done.durable for done in outcomes] == [0, 1]
    assert isinstance(outcomes[0].failure, ZeroDivisionError)
    assert verify(tmp_path).records == 1


async def test_stopping_twice_is_stopping_once(tmp_path: Path) -> None:
    committer = Committer(open_writer(tmp_path), lambda: None)

    async with asyncio.timeout(5):
        await committer.stop()
        await committer.stop()


def test_loop_that_ended_first_does_not_break_the_thread(
    tmp_path: Path, make_record, slow_disk
) -> None:
    released = threading.Event()

    async def begin_a_commit() -> None:
        committer = Committer(open_writer(tmp_path, Disk(sync=slow_disk.sync)), released.set)
        committer.submit([make_record(1)], lambda done: None)
        with suppress(TimeoutError):
            async with asyncio.timeout(0):
                await committer.stop()

    asyncio.run(begin_a_commit())
    slow_disk.release.set()

    assert released.wait(5)
    assert verify(tmp_path).records == 1
