import asyncio
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import psutil
import pytest

from bascule.gateway.rego import RegoDocument
from bascule.rego.messages import Answers, Evaluate, Failed, Load, Loaded, Response
from bascule.rego.process import Loss, Lost, Step, Worker, environment
from fakes.processes import survivors
from unit.rego.documents import MIB, bomb, bottomless, endless, sound


@pytest.fixture(name="worker")
async def started_worker() -> AsyncIterator[Worker]:
    worker = Worker(lambda _: None)
    await worker.start(256 * MIB)
    yield worker
    await worker.close()


async def _ask(worker: Worker, steps: Sequence[Step]) -> Response | Lost:
    outcome: asyncio.Future[Response | Lost] = asyncio.get_running_loop().create_future()
    worker.ask(steps, outcome.set_result)
    async with asyncio.timeout(30):
        return await outcome


def _steps(document: RegoDocument, *inputs: bytes, seconds: float = 20.0) -> list[Step]:
    load = Load(document.digest, dict(document.modules), document.data)
    return [(load, 20.0), (Evaluate(document.digest, inputs, 1.0), seconds)]


async def test_a_worker_answers_one_thing_after_the_other(worker: Worker) -> None:
    steps = _steps(sound(), b'{"user":"ann"}', b"{}")
    assert await _ask(worker, steps) == Answers(((True, ""), (False, "not ann")))
    assert worker.is_usable
    assert await _ask(worker, steps[:1]) == Loaded()


async def test_the_first_failure_ends_what_is_asked(worker: Worker) -> None:
    steps = _steps(sound(), b"{}")
    assert await _ask(worker, [steps[1], steps[0]]) == Failed("the document is not loaded")
    assert worker.is_usable


async def test_a_worker_that_is_late_is_killed(worker: Worker) -> None:
    process = psutil.Process(worker.pid)
    lost = await _ask(worker, _steps(endless(), b"{}", seconds=0.2))
    assert isinstance(lost, Lost)
    assert (str(lost), lost.loss) == ("no answer within 0.2 seconds", Loss.LATE)
    assert not worker.is_usable
    await worker.close()
    assert survivors([process]) == []
    assert await _ask(worker, _steps(sound(), b"{}")) is lost


async def test_recursion_without_end_breaks_the_worker_alone(worker: Worker) -> None:
    lost = await _ask(worker, _steps(bottomless(), b"{}"))
    assert isinstance(lost, Lost)
    assert (str(lost), lost.loss) == ("it is nested or recursive without end", Loss.BROKEN)


async def test_what_takes_all_memory_breaks_the_worker_alone(worker: Worker) -> None:
    lost = await _ask(worker, _steps(bomb(), b"{}"))
    assert isinstance(lost, Lost)
    assert (str(lost), lost.loss) == ("it needs more memory than it may use", Loss.BROKEN)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_worker_that_others_ended_is_not_to_blame(
    worker: Worker, number: signal.Signals
) -> None:
    outcome: asyncio.Future[Response | Lost] = asyncio.get_running_loop().create_future()
    worker.ask(_steps(endless(), b"{}", seconds=60.0), outcome.set_result)
    os.kill(worker.pid, number)
    async with asyncio.timeout(30):
        lost = await outcome
    assert isinstance(lost, Lost)
    # Its pipe may close before anybody is told of its end.
    assert str(lost) in {f"its process ended by {number.name}", "its pipe is closed"}
    assert lost.loss is Loss.FOREIGN


async def test_the_end_of_an_idle_worker_is_told() -> None:
    gone: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
    worker = Worker(gone.set_result)
    await worker.start(256 * MIB)
    os.kill(worker.pid, signal.SIGKILL)
    async with asyncio.timeout(30):
        assert await gone is worker
    assert not worker.is_usable


@pytest.mark.parametrize(
    ("program", "why", "loss"),
    [
        (
            "printf '\\0\\0\\0\\5hello'; sleep 60",
            "it answered with what is no message",
            Loss.BROKEN,
        ),
        ("printf '\\377\\377\\377\\377'; sleep 60", "an answer of 4294967295 bytes", Loss.BROKEN),
        ("exec 1>&-; sleep 60", "it closed its pipe", Loss.BROKEN),
        ("echo no such module >&2; exit 3", "ended with status 3: no such module", Loss.BROKEN),
        ("yes garbage >&2 & sleep 0.2; exit 4", "ended with status 4: garbage", Loss.BROKEN),
        ("kill -KILL $$", "its process ended by SIGKILL", Loss.FOREIGN),
    ],
)
async def test_a_program_that_is_no_worker_is_ended_with_all_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, why: str, loss: Loss
) -> None:
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\n{program}\n")
    script.chmod(stat.S_IRWXU)
    monkeypatch.setattr(sys, "executable", str(script))
    worker = Worker(lambda _: None)
    async with asyncio.timeout(30):
        with pytest.raises(Lost) as caught:
            await worker.start(256 * MIB)
        await worker.close()
    assert why in str(caught.value)
    assert caught.value.loss is loss


async def test_a_program_that_is_not_there_cannot_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    worker = Worker(lambda _: None)
    with pytest.raises(OSError, match="none"):
        await worker.start(256 * MIB)
    await worker.close()


async def test_a_worker_that_speaks_unasked_is_killed(worker: Worker) -> None:
    worker.pipe_data_received(1, b"\0\0\0\x0d\x81\xa4type\xa6loaded")
    lost = await _ask(worker, _steps(sound(), b"{}"))
    assert isinstance(lost, Lost)
    assert lost.loss is Loss.BROKEN


def test_a_worker_sees_nothing_of_the_gateways_secrets() -> None:
    seen = environment(
        {"PATH": "/bin", "BASCULE_DATABASE__URL": "postgresql://u:p@h/d", "HOME": "x"}
    )
    assert seen["PATH"] == "/bin"
    assert not {"BASCULE_DATABASE__URL", "HOME"} & seen.keys()
