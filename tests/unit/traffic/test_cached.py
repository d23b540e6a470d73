import asyncio
import time

import pytest

from bascule.gateway.bearer import Bearer
from bascule.gateway.call import Call, Result, ResultKind
from bascule.gateway.connector import Connector, TokenExchange
from bascule.gateway.errors import (
    GatewayError,
    UpstreamCut,
    UpstreamFailed,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from bascule.gateway.principal import Principal
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.traffic.answers import Answers, Space
from bascule.traffic.cached import Cached, scope_for
from fakes.executor import FakeExecutor
from fakes.traffic import Clock, Script, answered, call_of, make_rest

READ = make_rest(cache_seconds=60.0)
WRITE = make_rest("order", "POST")
SAID = Result({"content": ["said"]})


def soon(tool=READ, **arguments: object) -> Call:
    return call_of(tool, deadline=time.monotonic() + 5, **arguments)


class Bench:
    """A cached executor over a script."""

    def __init__(self, *outcomes: object, **options: object) -> None:
        self.clock = Clock()
        self.answers = Answers(now=self.clock.now)
        self.upstream = Script(*(outcomes or (SAID,)))
        self.cached = Cached(self.upstream, Space(), self.answers, **options)  # type: ignore[arg-type]

    @property
    def sent(self) -> int:
        return len(self.upstream.calls)

    @property
    def tally(self) -> tuple[int, int]:
        return self.answers.tally.hits, self.answers.tally.misses


async def test_an_equal_read_is_answered_again_and_marked() -> None:
    bench = Bench()
    assert await bench.cached.execute(soon(a=1, b=2)) is SAID
    bench.clock.seconds += 2.5
    call = soon(b=2, a=1)
    again = await bench.cached.execute(call)
    assert again.body == {
        "content": ["said"],
        "_meta": {"io.bascule/cached": {"age_seconds": 2.5}},
    }
    assert call.notes == {"cached_age_seconds": 2.5}
    assert (bench.sent, bench.tally) == (1, (1, 1))
    assert "_meta" not in SAID.body


async def test_what_the_result_says_of_itself_stays_beside_the_mark() -> None:
    bench = Bench(Result({"content": [], "_meta": {"theirs": 1}}))
    await bench.cached.execute(soon())
    again = await bench.cached.execute(soon())
    assert again.body["_meta"] == {"theirs": 1, "io.bascule/cached": {"age_seconds": 0.0}}


async def test_other_arguments_go_to_the_upstream() -> None:
    bench = Bench()
    for arguments in ({"a": 1}, {"a": "1"}, {"a": 1, "b": None}, {}):
        await bench.cached.execute(soon(READ, **arguments))
    assert bench.sent == 4


@pytest.mark.parametrize("tool", [make_rest(), WRITE, None])
async def test_what_is_not_to_be_kept_is_not(tool) -> None:
    bench = Bench()
    for _ in range(3):
        assert await bench.cached.execute(soon(tool)) is SAID
    assert (bench.sent, bench.tally) == (3, (0, 0))


@pytest.mark.parametrize(
    "result",
    [
        answered(404),
        Result({}, kind=ResultKind.INPUT_REQUIRED),
        Result({"content": []}, storable=False),
    ],
)
async def test_only_a_success_that_may_be_kept_is(result: Result) -> None:
    bench = Bench(result)
    assert await bench.cached.execute(soon()) is result
    assert await bench.cached.execute(soon()) is result
    assert bench.sent == 2


@pytest.mark.parametrize("outcome", [SAID, answered(500), UpstreamTimeout("x"), UpstreamCut("x")])
async def test_a_write_that_may_have_acted_ends_what_was_kept(outcome: object) -> None:
    bench = Bench(SAID, outcome, SAID)
    await bench.cached.execute(soon())
    try:
        await bench.cached.execute(soon(WRITE))
    except GatewayError as failure:
        assert failure is outcome  # noqa: PT017 - some of them fail
    await bench.cached.execute(soon())
    assert bench.sent == 3


async def test_a_write_that_was_not_sent_ends_nothing() -> None:
    bench = Bench(SAID, UpstreamUnreachable("x"))
    await bench.cached.execute(soon())
    with pytest.raises(UpstreamUnreachable):
        await bench.cached.execute(soon(WRITE))
    await bench.cached.execute(soon())
    assert bench.sent == 2


async def test_what_is_read_while_a_write_is_under_way_is_not_kept() -> None:
    bench = Bench()
    release = asyncio.Event()
    reading = FakeExecutor(SAID, release=release)
    bench.cached._run = reading.execute
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        read = group.create_task(bench.cached._read(soon(), READ))
        await reading.started.wait()
        bench.cached._run = bench.upstream.execute
        await bench.cached.execute(soon(WRITE))
        release.set()
    assert read.result() is SAID
    assert len(bench.answers) == 0


async def test_answers_are_apart_where_they_hang_on_the_caller() -> None:
    bench = Bench(scope=lambda call: call.arguments["who"])  # type: ignore[arg-type]
    bench.cached._scope = lambda call: call.agent or ""
    for agent in ("a", "b", "a"):
        call = soon()
        call.agent = agent
        await bench.cached.execute(call)
    assert bench.sent == 2


def test_answers_are_apart_where_the_upstream_is_called_in_its_callers_names() -> None:
    exchange = TokenExchange("https://id.example/t", "g", "${secret:g}")
    own = scope_for(Upstream("a", UpstreamKind.REST, connector=Connector(exchange=exchange)))
    calls = [soon() for _ in range(4)]
    for call, who, token in zip(
        calls, ("ann", "bob", "ann", "ann"), ("t1", "t2", "t3", None), strict=True
    ):
        call.principal = Principal("default", who, frozenset())
        call.bearer = None if token is None else Bearer(token)
    assert len({own(call) for call in calls}) == 4, "another token may let see less"
    assert not any("t1" in own(call) for call in calls)
    anybody = scope_for(Upstream("a", UpstreamKind.REST))
    assert {anybody(call) for call in calls} == {""}
    calls[0].principal = None
    assert own(calls[0]).startswith(" ")


async def gathered(bench: Bench, executor: FakeExecutor, calls: list[Call], act) -> list[object]:
    """Send all `calls` at once; `act` once the first has reached the upstream."""
    bench.cached._run = executor.execute
    async with asyncio.timeout(5):
        tasks = [asyncio.ensure_future(bench.cached.execute(one)) for one in calls]
        await executor.started.wait()
        await asyncio.sleep(0)
        act(tasks)
        return await asyncio.gather(*tasks, return_exceptions=True)


async def test_equal_reads_at_a_time_are_sent_once() -> None:
    bench, release = Bench(), asyncio.Event()
    executor = FakeExecutor(SAID, release=release)
    found = await gathered(bench, executor, [soon() for _ in range(50)], lambda _: release.set())
    assert len(executor.calls) == 1
    assert all(isinstance(one, Result) and one.body["content"] == ["said"] for one in found)
    assert bench.tally == (49, 1)


async def test_their_error_is_shared_too() -> None:
    bench, release = Bench(), asyncio.Event()
    wrong = answered(404)
    executor = FakeExecutor(wrong, release=release)
    found = await gathered(bench, executor, [soon() for _ in range(5)], lambda _: release.set())
    assert len(executor.calls) == 1
    assert found == [wrong] * 5


async def test_their_failure_is_shared_each_its_own() -> None:
    bench, release = Bench(), asyncio.Event()
    failure = UpstreamFailed("no", private="why", details={"a": 1})
    executor = FakeExecutor(error=failure, release=release)
    found = await gathered(bench, executor, [soon() for _ in range(3)], lambda _: release.set())
    assert len(executor.calls) == 1
    assert [type(one) for one in found] == [UpstreamFailed] * 3
    assert {getattr(one, "private", "") for one in found} == {"why"}
    assert len({id(one) for one in found}) == 3


async def test_a_leader_who_leaves_or_runs_out_of_time_takes_nobody_along() -> None:
    for act in (lambda tasks: tasks[0].cancel(), None):
        bench, release = Bench(), asyncio.Event()
        executor = FakeExecutor(SAID, release=release)
        if act is None:
            executor = FakeExecutor(error=UpstreamTimeout("x"), release=release)

        def leave(tasks, act=act, release=release) -> None:
            if act is not None:
                act(tasks)
            release.set()

        found = await gathered(bench, executor, [soon() for _ in range(3)], leave)
        if act is None:
            assert len(executor.calls) == 3
            assert all(isinstance(one, UpstreamTimeout) for one in found)
        else:
            assert len(executor.calls) == 2
            assert isinstance(found[0], asyncio.CancelledError)
            assert all(isinstance(one, Result) for one in found[1:])
    assert bench.cached._flights == {}


async def test_who_waits_for_another_waits_no_longer_than_its_own_deadline() -> None:
    bench, release = Bench(), asyncio.Event()
    executor = FakeExecutor(SAID, release=release)
    hurried = call_of(READ, deadline=time.monotonic())
    async with asyncio.timeout(5):
        bench.cached._run = executor.execute
        leader = asyncio.ensure_future(bench.cached.execute(soon()))
        await executor.started.wait()
        with pytest.raises(UpstreamTimeout):
            await bench.cached.execute(hurried)
        patient = asyncio.ensure_future(bench.cached.execute(call_of(READ, deadline=0.0)))
        await asyncio.sleep(0)
        release.set()
        assert await leader is SAID
        assert (await patient).body["content"] == ["said"]


async def test_what_a_bundle_fixes_is_part_of_the_question() -> None:
    bench = Bench()
    await bench.cached.execute(soon(make_rest(cache_seconds=60.0, defaults={"region": "eu"})))
    await bench.cached.execute(soon(make_rest(cache_seconds=60.0, defaults={"region": "us"})))
    assert bench.sent == 2


async def test_an_answer_does_not_outlive_the_credentials_it_was_given_to() -> None:
    generation = 0
    upstream = Script(SAID)
    cached = Cached(upstream, Space(lambda: generation), Answers())
    await cached.execute(soon())
    await cached.execute(soon())
    assert len(upstream.calls) == 1
    generation = 1
    await cached.execute(soon())
    assert len(upstream.calls) == 2


async def test_an_answer_under_way_as_credentials_change_is_not_kept() -> None:
    generation = 0
    answers, release = Answers(), asyncio.Event()
    reading = FakeExecutor(SAID, release=release)
    cached = Cached(reading, Space(lambda: generation), answers)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        read = group.create_task(cached._read(soon(), READ))
        await reading.started.wait()
        generation = 1
        release.set()
    assert read.result() is SAID
    assert len(answers) == 0
