import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from bascule.gateway.rego import RegoDocument
from bascule.rego.crew import Bundle, Crew, Errand
from bascule.rego.messages import Answers, Evaluate, Response
from bascule.rego.process import Loss, Lost
from fakes.processes import survivors
from unit.rego.documents import MIB, document, endless, sound


def _errand(tenant: str, given: RegoDocument, seconds: float = 20.0) -> Errand:
    bundle = Bundle(given.digest, given.modules, given.data)
    return Errand(tenant, Evaluate(bundle.name, (b'{"user":"ann"}',), 1.0), seconds, bundle)


async def _run(crew: Crew, errand: Errand) -> Response:
    async with asyncio.timeout(30):
        return await crew.run(errand)


@pytest.fixture(name="crew")
async def crew_of_two() -> AsyncIterator[Crew]:
    async with Crew(2, 256 * MIB) as crew:
        yield crew


ALLOWED = Answers(((True, ""),))


async def _holds(condition: Callable[[], bool], news: Callable[[], Awaitable[object]]) -> None:
    """Waits for `condition`, looked at after each piece of `news`."""
    async with asyncio.timeout(30):
        while not condition():
            await news()


async def _staffed(crew: Crew) -> None:
    """Returns once all workers that are wanted have been started."""
    async with asyncio.timeout(30):
        while crew._starts:
            await asyncio.wait(crew._starts)


async def test_nothing_is_started_before_there_is_work(crew: Crew) -> None:
    assert crew.pids == frozenset()
    assert await _run(crew, _errand("acme", sound())) == ALLOWED
    assert crew.pids


async def test_a_document_is_sent_once(crew: Crew) -> None:
    for _ in range(20):
        assert await _run(crew, _errand("acme", sound())) == ALLOWED
    holders = [one for one in crew._workers if one.documents]
    assert len(holders) == 1


async def test_a_tenant_never_has_all_the_workers() -> None:
    async with asyncio.TaskGroup() as group, Crew(2, 256 * MIB) as crew:
        hogs = [
            group.create_task(_lost(crew, _errand("hog", endless(str(number)), 300)))
            for number in range(4)
        ]
        for _ in range(50):
            assert await _run(crew, _errand("modest", sound())) == ALLOWED
            assert crew._busy["hog"] <= 1
        assert not any(one.done() for one in hogs)


async def _lost(crew: Crew, errand: Errand) -> Lost:
    with pytest.raises(Lost) as caught:
        await _run(crew, errand)
    return caught.value


async def test_one_lost_worker_costs_the_next_errand_no_start(crew: Crew) -> None:
    assert await _run(crew, _errand("acme", sound())) == ALLOWED
    await _staffed(crew)
    before = crew.pids
    await _lost(crew, _errand("acme", endless(), 0.2))
    assert crew._idle
    assert await _run(crew, _errand("acme", sound())) == ALLOWED
    assert {one.pid for one in crew._workers if one.documents} <= before


async def test_work_of_a_worker_that_others_killed_is_done_again(crew: Crew) -> None:
    pairs = "[1 | some i in numbers.range(0, 1500); some j in numbers.range(0, 1500)]"
    slow = document(f"allow if count({pairs}) > 5")
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_run(crew, _errand("acme", slow, 25.0)))
        await _holds(lambda: crew._busy.total() == 1, lambda: asyncio.sleep(0))
        (worker,) = (one for one in crew._workers if slow.digest in one.documents)
        os.kill(worker.pid, signal.SIGKILL)
    assert task.result() == ALLOWED


async def test_work_whose_worker_is_killed_twice_is_given_up(crew: Crew) -> None:
    async with asyncio.TaskGroup() as group:
        errand = _errand("acme", endless(), 25.0)
        task = group.create_task(_lost(crew, errand))
        for _ in range(2):
            found: list[int] = []

            def holder(found: list[int] = found) -> bool:
                found += [one.pid for one in crew._workers if one.documents and not one.is_usable]
                return bool(found)

            await _holds(holder, lambda: asyncio.sleep(0))
            os.kill(found[0], signal.SIGKILL)
            await _holds(
                lambda pid=found[0]: pid not in crew.pids,
                lambda: asyncio.sleep(0),
            )
    assert task.result().loss is Loss.FOREIGN


async def test_documents_of_a_thousand_tenants_take_bounded_memory() -> None:
    async with Crew(1, 128 * MIB) as crew:
        for number in range(1000):
            given = document(f'allow if input.user == "ann" # {number}', f'{{"n":"{"x" * 9000}"}}')
            assert await _run(crew, _errand(f"tenant {number}", given)) == ALLOWED
        for worker in crew._workers:
            assert sum(worker.documents.values()) <= 64 * MIB
            assert len(worker.documents) < 200
            assert psutil.Process(worker.pid).memory_info().rss < 100 * MIB
        assert len(crew.pids) == 2


async def test_who_gave_up_leaves_no_work_waiting(crew: Crew) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_lost(crew, _errand("acme", endless(), 0.5)))
        impatient = group.create_task(crew.run(_errand("acme", sound())))
        await _holds(lambda: len(crew._turns) == 1, lambda: asyncio.sleep(0))
        impatient.cancel()
        with suppress(asyncio.CancelledError):
            await impatient
        assert len(crew._turns) == 0


async def test_a_closed_crew_leaves_no_process_and_nobody_waiting() -> None:
    crew = Crew(2, 256 * MIB)
    async with asyncio.TaskGroup() as group, crew:
        await _run(crew, _errand("acme", sound()))
        waiting = [
            group.create_task(_lost(crew, _errand(str(number % 3), endless(str(number)))))
            for number in range(6)
        ]
        await _holds(lambda: crew._busy.total() == 2, lambda: asyncio.sleep(0))
        processes = [psutil.Process(pid) for pid in crew.pids if pid]
    assert survivors(processes, 0) == []
    assert {one.result().loss for one in waiting} == {Loss.CLOSED}
    assert (await _lost(crew, _errand("acme", sound()))).loss is Loss.CLOSED
    assert crew.pids == frozenset()


async def test_where_no_worker_can_be_started_nobody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crew: Crew
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(tmp_path / "none"))
        lost = await _lost(crew, _errand("acme", sound()))
        assert "no worker can be started" in str(lost)
    assert await _run(crew, _errand("acme", sound())) == ALLOWED
