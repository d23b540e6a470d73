import json

import pytest
import structlog

from bascule.gateway.call import Call, Method, Result
from bascule.gateway.errors import ErrorCode, Forbidden
from bascule.gateway.pipeline import Pipeline
from bascule.gateway.stage import FailureMode
from bascule.gateway.verdict import Challenge, Pass, Refuse, Rewrite
from fakes.executor import FakeExecutor
from fakes.stages import FakeResultStage, FakeStage

REFUSAL = Refuse(ErrorCode.FORBIDDEN, "No.", "because")
CHALLENGE = Challenge("Ask first.", "needs approval", "https://example.com/approve")


def tool_call() -> Call:
    return Call(Method.TOOLS_CALL, "c-1", tool_name="get_slots", arguments={"day": 1})


async def test_stages_run_in_order_and_their_results_in_reverse() -> None:
    trace: list[str] = []
    stages = [
        FakeResultStage(name="first", trace=trace),
        FakeStage(name="second", trace=trace),
        FakeResultStage(name="third", trace=trace),
    ]
    await Pipeline(stages, FakeExecutor()).run(tool_call())
    assert trace == ["first in", "second in", "third in", "third out", "first out"]


@pytest.mark.parametrize("verdict", [REFUSAL, CHALLENGE], ids=["refuse", "challenge"])
async def test_a_stopped_call_never_reaches_the_executor_or_a_later_stage(
    verdict: Refuse | Challenge,
) -> None:
    trace: list[str] = []
    executor = FakeExecutor()
    stages = [
        FakeStage(verdict, name="stops", trace=trace),
        FakeResultStage(name="later", trace=trace),
    ]
    assert await Pipeline(stages, executor).run(tool_call()) is verdict
    assert not executor.calls
    assert trace == ["stops in"]


async def test_a_passed_call_is_executed_once() -> None:
    executor = FakeExecutor(Result({"content": [1]}))
    # Not the shared PASS: an equal verdict must count the same.
    outcome = await Pipeline([FakeStage(), FakeStage(Pass())], executor).run(tool_call())
    assert outcome == Result({"content": [1]})
    assert len(executor.calls) == 1


async def test_without_stages_the_call_is_executed() -> None:
    assert isinstance(await Pipeline([], FakeExecutor()).run(tool_call()), Result)


async def test_a_stage_that_crashes_closed_refuses_and_nothing_is_executed() -> None:
    executor = FakeExecutor()
    stage = FakeStage(name="guard", crash=ZeroDivisionError("secret detail"))
    with structlog.testing.capture_logs() as logs:
        outcome = await Pipeline([stage], executor).run(tool_call())
    assert isinstance(outcome, Refuse)
    assert outcome.error is ErrorCode.INTERNAL
    assert "Nothing was executed" in outcome.public
    assert "secret detail" not in outcome.public
    assert outcome.private == "stage guard crashed: ZeroDivisionError: secret detail"
    assert not executor.calls
    assert [(log["event"], log["stage"]) for log in logs] == [("stage.crashed", "guard")]


async def test_a_stage_that_crashes_open_lets_the_call_pass_and_says_so_in_the_log() -> None:
    executor = FakeExecutor()
    stage = FakeStage(crash=ZeroDivisionError(), on_failure=FailureMode.OPEN)
    with structlog.testing.capture_logs() as logs:
        assert isinstance(await Pipeline([stage], executor).run(tool_call()), Result)
    assert len(executor.calls) == 1
    assert [log["event"] for log in logs] == ["stage.crashed"]


async def test_a_crash_that_is_let_pass_does_not_excuse_the_next_stage() -> None:
    executor = FakeExecutor()
    stages = [
        FakeStage(crash=ZeroDivisionError(), on_failure=FailureMode.OPEN),
        FakeStage(REFUSAL),
    ]
    with structlog.testing.capture_logs():
        assert await Pipeline(stages, executor).run(tool_call()) is REFUSAL
    assert not executor.calls


@pytest.mark.parametrize("on_failure", FailureMode)
async def test_a_failure_a_stage_names_stops_the_call_in_either_mode(
    on_failure: FailureMode,
) -> None:
    executor = FakeExecutor()
    stage = FakeStage(crash=Forbidden("No."), on_failure=on_failure)
    with pytest.raises(Forbidden):
        await Pipeline([stage], executor).run(tool_call())
    assert not executor.calls


async def test_rewritten_arguments_are_what_is_executed_in_both_forms() -> None:
    executor = FakeExecutor()
    await Pipeline([FakeStage(Rewrite({"day": 2}))], executor).run(tool_call())
    assert executor.calls[0].arguments == {"day": 2}
    assert json.loads(executor.calls[0].raw_arguments) == {"day": 2}


async def test_a_rewritten_result_replaces_the_body_and_keeps_the_failure() -> None:
    executor = FakeExecutor(Result({"content": ["secret"]}, is_error=True, failure="why"))
    stages = [FakeResultStage(Rewrite({"content": ["******"]}))]
    outcome = await Pipeline(stages, executor).run(tool_call())
    assert outcome == Result({"content": ["******"]}, is_error=True, failure="why")


async def test_a_result_may_become_an_error_on_its_way_out_and_stays_what_it_is_otherwise() -> None:
    executor = FakeExecutor(Result({"content": ["odd"]}, upstream_status=200))
    stages = [FakeResultStage(Rewrite({"content": ["no"], "isError": True}, failure="odd"))]
    outcome = await Pipeline(stages, executor).run(tool_call())
    assert outcome == Result(
        {"content": ["no"], "isError": True}, is_error=True, failure="odd", upstream_status=200
    )


async def test_each_result_stage_sees_what_the_one_before_made_of_it() -> None:
    seen: list[object] = []

    class Watching(FakeResultStage):
        async def outbound(self, call: Call, result: Result) -> Pass:
            seen.append(result.body)
            return Pass()

    stages = [Watching(), FakeResultStage(Rewrite({"content": ["masked"]}))]
    await Pipeline(stages, FakeExecutor(Result({"content": ["secret"]}))).run(tool_call())
    assert seen == [{"content": ["masked"]}]


@pytest.mark.parametrize("verdict", [REFUSAL, CHALLENGE], ids=["refuse", "challenge"])
async def test_a_refused_result_never_leaves(verdict: Refuse | Challenge) -> None:
    executor = FakeExecutor(Result({"content": ["secret"]}))
    assert await Pipeline([FakeResultStage(verdict)], executor).run(tool_call()) is verdict


async def test_a_crash_on_the_way_out_withholds_the_result_and_admits_the_execution() -> None:
    """Told that nothing happened, a caller would call again: a second booking."""
    stage = FakeResultStage(name="dlp", crash=ZeroDivisionError("x"))
    with structlog.testing.capture_logs():
        outcome = await Pipeline([stage], FakeExecutor(Result({"a": "secret"}))).run(tool_call())
    assert isinstance(outcome, Refuse)
    assert outcome.error is ErrorCode.INTERNAL
    assert "was executed" in outcome.public
    assert "Nothing was executed" not in outcome.public
    assert outcome.private == "stage dlp crashed: ZeroDivisionError: x"


async def test_a_crash_on_the_way_out_passes_where_the_operator_said_open() -> None:
    stage = FakeResultStage(crash=ZeroDivisionError(), on_failure=FailureMode.OPEN)
    with structlog.testing.capture_logs():
        outcome = await Pipeline([stage], FakeExecutor(Result({"a": 1}))).run(tool_call())
    assert outcome == Result({"a": 1})


async def test_a_failure_named_on_the_way_out_is_passed_up() -> None:
    with pytest.raises(Forbidden):
        await Pipeline([FakeResultStage(crash=Forbidden("No."))], FakeExecutor()).run(tool_call())


async def test_a_failure_of_the_executor_is_passed_up() -> None:
    with pytest.raises(Forbidden):
        await Pipeline([], FakeExecutor(error=Forbidden("No."))).run(tool_call())
