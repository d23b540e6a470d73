import asyncio
import gc
import json
import math
import time
from collections.abc import AsyncIterator

import psutil
import pytest

from bascule.gateway.inspection import RegoUnfit
from bascule.gateway.rego import RegoAnswer, RegoDocument, RegoFailed
from bascule.rego import pool
from bascule.rego.pool import EmbeddedEngine
from fakes.processes import survivors
from unit.rego.documents import MIB, bomb, bottomless, document, endless, heavy, sound

ANN = b'{"user":"ann"}'
ALLOWED = [RegoAnswer(allow=True)]


@pytest.fixture(name="engine")
async def running_engine() -> AsyncIterator[EmbeddedEngine]:
    async with EmbeddedEngine(2, 20.0, 512 * MIB) as engine:
        yield engine


def _without_clock(engine: EmbeddedEngine) -> None:
    """No penalty ends."""
    engine._documents._now = engine._tenants._now = lambda: 0.0


def _soon() -> float:
    return time.monotonic() + 30


async def _failure(
    engine: EmbeddedEngine, tenant: str, given: RegoDocument | None, inputs: tuple[bytes, ...] = ()
) -> str:
    with pytest.raises(RegoFailed) as caught:
        await engine.evaluate(tenant, given, inputs or (ANN,), _soon())
    assert "rego" not in caught.value.public.lower()
    return caught.value.private


async def test_answers_come_in_the_order_of_their_inputs(engine: EmbeddedEngine) -> None:
    inputs = [b'{"user":"ann"}' if number % 3 else b"{}" for number in range(1000)]
    answers = await engine.evaluate("acme", sound(), inputs, _soon())
    assert [one.allow for one in answers] == [bool(number % 3) for number in range(1000)]
    assert {one.reason for one in answers} == {"", "not ann"}


async def test_nothing_asked_is_nothing_answered(engine: EmbeddedEngine) -> None:
    assert await engine.evaluate("acme", sound(), [], _soon()) == []
    assert engine.pids == frozenset()


async def test_inputs_of_a_megabyte_each_are_asked_about(engine: EmbeddedEngine) -> None:
    large = json.dumps({"user": "ann", "arguments": {"text": "x" * MIB}}).encode()
    assert await engine.evaluate("acme", sound(), [large] * 5, _soon()) == ALLOWED * 5


async def test_one_bad_input_leaves_all_unanswered(engine: EmbeddedEngine) -> None:
    assert "EOF" in await _failure(engine, "acme", sound(), (ANN, b"{", ANN))
    assert await engine.evaluate("acme", sound(), [ANN], _soon()) == ALLOWED


async def test_an_error_is_told_without_a_backtrace(engine: EmbeddedEngine) -> None:
    why = await _failure(
        engine, "acme", document("allow if 1 / input.nought == 1"), (b'{"nought":0}',)
    )
    assert why == "Rego: authz.rego:2:12: divide by zero"


async def test_a_document_that_cannot_be_loaded_denies(engine: EmbeddedEngine) -> None:
    assert "authz.rego:3" in await _failure(engine, "acme", document("allow if {"))


async def test_tests_are_not_loaded_to_decide(engine: EmbeddedEngine) -> None:
    wrong = "package bascule.authz\nallow := true\n"
    given = RegoDocument("with tests", {**sound().modules, "authz_test.rego": wrong})
    assert (await engine.evaluate("acme", given, [b"{}"], _soon()))[0].allow is False
    assert await engine.query(given, "data.bascule.authz.allow") == (True,)


async def test_it_has_no_documents_of_its_own(engine: EmbeddedEngine) -> None:
    assert "no documents" in await _failure(engine, "acme", None)


async def test_after_the_deadline_there_is_no_answer(engine: EmbeddedEngine) -> None:
    with pytest.raises(RegoFailed) as caught:
        await engine.evaluate("acme", sound(), [ANN], time.monotonic() - 1)
    assert "deadline" in caught.value.private
    assert await engine.evaluate("acme", sound(), [ANN], math.inf) == ALLOWED


@pytest.mark.parametrize(
    ("wicked", "why"),
    [(endless, "no answer within"), (bottomless, "recursive"), (bomb, "more memory")],
)
async def test_what_does_harm_is_not_asked_again_at_once(wicked: type, why: str) -> None:
    async with EmbeddedEngine(2, 2.0 if wicked is endless else 20.0, 256 * MIB) as engine:
        _without_clock(engine)
        given = wicked()
        first = await _failure(engine, "acme", given)
        assert why in first
        assert "not asked again for 0.5 seconds" in first
        pids = engine.pids
        assert "did harm before" in await _failure(engine, "acme", given)
        assert engine.pids == pids  # nobody was asked
        # Another document of the tenant, and the same document elsewhere, are asked.
        assert await engine.evaluate("acme", sound(), [ANN], _soon()) == ALLOWED
        assert why in await _failure(engine, "other", given)


async def test_harm_counts_even_where_nobody_waits_for_the_answer() -> None:
    async with EmbeddedEngine(2, 20.0, 256 * MIB) as engine:
        _without_clock(engine)
        async with asyncio.TaskGroup() as group:
            impatient = group.create_task(engine.evaluate("acme", bottomless(), [ANN], math.inf))
            while not engine._deciding._busy["acme"]:
                await asyncio.sleep(0)
            impatient.cancel()
        while not engine._documents.remaining(("acme", bottomless().digest)):
            await asyncio.sleep(0)
        assert "did harm before" in await _failure(engine, "acme", bottomless())


async def test_a_tenant_with_many_harmful_documents_waits_as_a_whole() -> None:
    async with EmbeddedEngine(2, 20.0, 256 * MIB) as engine:
        _without_clock(engine)
        for number in range(5):
            given = document(f"f(x) := f(x + {number})\nallow if f(1)")
            assert "recursive" in await _failure(engine, "acme", given)
        engine._documents.pardon(("acme", given.digest))
        assert "did harm before (" in await _failure(engine, "acme", given)
        # What did no harm is not kept waiting: it may be the mended one.
        assert await engine.evaluate("acme", sound(), [ANN], _soon()) == ALLOWED
        assert await engine.evaluate("other", sound(), [ANN], _soon()) == ALLOWED


async def test_who_waits_for_a_document_that_did_harm_is_told_at_once() -> None:
    """One evaluation is cut off, not one for each of those that wait."""
    async with EmbeddedEngine(2, 1.5, 256 * MIB) as engine:
        _without_clock(engine)
        given = endless()
        inputs = [(b'{"user":"%d"}' % number,) for number in range(20)]
        began = time.monotonic()
        said = await asyncio.gather(*(_failure(engine, "acme", given, one) for one in inputs))
        took = time.monotonic() - began
        assert sum(one.startswith("Rego: no answer within 1.5 seconds") for one in said) == 1
        assert sum("did harm before (no answer within 1.5 s" in one for one in said) == 19
        assert engine._documents._records["acme", given.digest].strikes == 1
        assert took < 20.0


async def test_what_cannot_be_looked_at_in_time_says_so_and_holds_up_no_other_tenant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "_INSPECTION_SECONDS", 4.0)
    never = (
        "package a\nx := count([1 | some i in numbers.range(0, 100000); "
        "some j in numbers.range(0, 100000); i + j < 0])\n"
    )
    async with asyncio.TaskGroup() as group, EmbeddedEngine(1, 1.0, 256 * MIB) as engine:
        slow = group.create_task(_unfit(engine, never))
        while not engine._inspecting._busy["acme"]:
            await asyncio.sleep(0.01)
        assert (await engine.inspect(sound().modules, "{}", tenant="other")).faults == ()
        assert not slow.done()
        why = await slow
    assert "longer than the 4 seconds there are for it, even without an input" in why


async def _unfit(engine: EmbeddedEngine, module: str) -> str:
    with pytest.raises(RegoUnfit) as caught:
        await engine.inspect({"a.rego": module}, "{}", tenant="acme")
    return caught.value.private


async def test_what_breaks_the_process_that_looks_at_it_is_unfit() -> None:
    bomb = 'package a\nx := {s | some i in numbers.range(0, 9000000); s := sprintf("%0900d", [i])}'
    async with EmbeddedEngine(1, 1.0, 256 * MIB) as engine:
        engine._inspecting._memory_bytes = 256 * MIB
        with pytest.raises(RegoUnfit, match="cannot be looked at") as caught:
            await engine.inspect({"a.rego": bomb}, "{}")
    assert "memory" in caught.value.private or "process" in caught.value.private


async def test_endless_documents_of_one_tenant_do_not_delay_another() -> None:
    """Ninety-nine in a hundred decisions of the other take no longer than a twentieth of the time
    that a single evaluation of the first holds a worker.
    """
    longest = 20.0
    async with asyncio.TaskGroup() as group, EmbeddedEngine(2, longest, 256 * MIB) as engine:
        for number in range(20):
            group.create_task(_failure(engine, "hog", endless(str(number))))
        took: list[float] = []
        await engine.evaluate("modest", sound(), [ANN], _soon())
        for _ in range(300):
            began = time.monotonic()
            assert await engine.evaluate("modest", sound(), [ANN], _soon()) == ALLOWED
            took.append(time.monotonic() - began)
        assert sorted(took)[296] < longest / 20


async def test_ten_megabytes_of_data_do_not_delay_another_tenant_and_are_sent_once() -> None:
    given = heavy()
    assert 10 * MIB > len(given.data) > 9 * MIB
    wanted = b'{"user":"0000007","team":"blue"}'
    async with asyncio.TaskGroup() as group, EmbeddedEngine(2, 20.0, 512 * MIB) as engine:
        await engine.evaluate("modest", sound(), [ANN], _soon())
        for mark in ("red", "green"):
            group.create_task(engine.evaluate("large", heavy(mark), [wanted], _soon()))
        for _ in range(50):
            assert await engine.evaluate("modest", sound(), [ANN], _soon()) == ALLOWED
            assert engine._deciding._busy["large"] <= 1
        assert await engine.evaluate("large", given, [wanted], _soon()) == ALLOWED
        holders = [one for one in engine._deciding._workers if given.digest in one.documents]
        sent = sum(_read_bytes(one.pid) for one in holders)
        for _ in range(20):
            assert await engine.evaluate("large", given, [wanted], _soon()) == ALLOWED
        again = sum(_read_bytes(one.pid) for one in holders)
        assert len(holders) == 1
        assert again - sent < MIB


def _read_bytes(pid: int) -> int:
    return psutil.Process(pid).io_counters().read_chars  # type: ignore[attr-defined]


async def test_inspecting_has_a_process_apart_from_deciding(engine: EmbeddedEngine) -> None:
    slow = "package a\n" + "x := count([1 | some i in numbers.range(0, 1000000); i < 0])\n"
    async with asyncio.TaskGroup() as group:
        inspecting = group.create_task(engine.inspect({"a.rego": slow}, "{}", tenant="acme"))
        for _ in range(20):
            assert await engine.evaluate("acme", sound(), [ANN], _soon()) == ALLOWED
        found = await inspecting
    assert found.faults == ()
    assert found.rules == {"data.a.x"}


async def test_an_inspection_names_the_place_of_each_fault(engine: EmbeddedEngine) -> None:
    found = await engine.inspect({"a.rego": "package a\nx if foo.bar(1)"}, "{}")
    assert [str(one) for one in found.faults] == [
        "a.rego:2: there is no function foo.bar, or not in the embedded engine"
    ]


@pytest.mark.parametrize("opening", ["[", "(", "{1:", "not ", "-"])
async def test_what_is_nested_without_end_is_refused_or_given_up(opening: str) -> None:
    async with EmbeddedEngine(1, 1.0, 256 * MIB) as engine:
        engine._inspecting._memory_bytes = 256 * MIB
        try:
            found = await engine.inspect({"a.rego": f"package a\nx := {opening * 60_000}"}, "{}")
        except RegoFailed as error:
            assert "nested" in error.private or "memory" in error.private  # noqa: PT017
        else:
            assert found.faults
        assert (await engine.inspect(sound().modules, "{}")).faults == ()


async def test_a_query_that_fails_says_why(engine: EmbeddedEngine) -> None:
    assert await engine.query(sound(), "data.bascule.authz.allow", ANN) == (True,)
    assert await engine.query(sound(), "data.bascule.authz.allow") == ()
    with pytest.raises(RegoFailed) as caught:
        await engine.query(sound(), "1 / 0")
    assert "divide by zero" in caught.value.private


async def test_closing_leaves_no_process() -> None:
    async with EmbeddedEngine(3, 20.0, 256 * MIB) as engine:
        await engine.evaluate("acme", sound(), [ANN], _soon())
        await engine.inspect(sound().modules, "{}")
        processes = [psutil.Process(pid) for pid in engine.pids if pid]
        assert len(processes) >= 2
    assert survivors(processes, 0) == []
    assert "closed" in await _failure(engine, "acme", sound())
    gc.collect()  # what was left open would warn here
