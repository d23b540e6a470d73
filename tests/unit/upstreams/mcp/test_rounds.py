"""Questions reach callers of either era from upstreams of either era, and no one else's."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bascule.app.background import Background
from bascule.gateway.backchannel import CallerRefused, CallerSilent, Question
from bascule.gateway.call import Method, More, ResultKind
from bascule.gateway.errors import (
    AskedInVain,
    GatewayError,
    InvalidValue,
    MissingCapability,
    StaleHandle,
    UpstreamFailed,
)
from bascule.gateway.sealing import Purpose
from bascule.gateway.seals import Seals
from bascule.protocol.versions import Era
from bascule.upstreams.mcp.failures import UpstreamRpcError, rpc_error
from bascule.upstreams.mcp.interactions import InteractionLimits
from bascule.upstreams.mcp.messages import Incoming
from bascule.upstreams.mcp.parked import Parked
from bascule.upstreams.mcp.parked_call import ParkingLimits
from bascule.upstreams.mcp.rounds import FIRST, Rounds
from bascule.upstreams.mcp.wrapping import Wrapping
from fakes.asking import (
    ACCEPT,
    ALL,
    ELICIT,
    FORM,
    ROOTS,
    SAMPLE,
    Back,
    LegacyUpstream,
    ModernUpstream,
    complete,
    encoded,
    input_required,
    legacy_call,
    modern_call,
    read,
    shown,
)

SEALS = Seals([b"k" * 32])
WRAPPING = Wrapping(SEALS, "hotels")
LIMITS = InteractionLimits(pause_seconds=0)
ANSWERS = {"user_name": {"action": "accept"}}
# JSON within a text, to the last blank: what a state is must not matter.
STATE = ' {"round": 1,  "é": "\\u0000"}\n'


def rounds_with(parked: Parked) -> Rounds:
    return Rounds(WRAPPING, parked, read, limits=LIMITS)


def never_parked() -> Parked:
    def start(_: object) -> Any:
        raise AssertionError("nothing is parked here")

    return Parked("w1", start)


MODERN = rounds_with(never_parked())


@asynccontextmanager
async def parking(limits: ParkingLimits | None = None) -> AsyncIterator[Rounds]:
    async with asyncio.timeout(5), Background() as background:
        parked = Parked(
            "w1", background.start, limits=limits or ParkingLimits(gather_seconds=0.001)
        )
        try:
            yield rounds_with(parked)
        finally:
            await parked.close()


# A modern caller, a modern upstream.


async def test_a_plain_call_makes_one_plain_round() -> None:
    upstream = ModernUpstream(complete())
    result = await MODERN.run(modern_call(), upstream.send, era=Era.MODERN)
    assert result.kind is ResultKind.COMPLETE
    assert upstream.rounds == [FIRST]


async def test_questions_go_to_a_modern_caller_as_they_came_and_the_state_sealed() -> None:
    requests = {"user_name": ELICIT, "greeting": SAMPLE, "client_roots": ROOTS}
    upstream = ModernUpstream(input_required(requests, STATE))
    result = await MODERN.run(modern_call(), upstream.send, era=Era.MODERN)
    body = shown(result)
    assert result.kind is ResultKind.INPUT_REQUIRED
    assert body["inputRequests"] == requests
    assert "round" not in body["requestState"]
    assert body["requestState"].isascii()


async def test_a_retry_carries_the_upstreams_own_state_and_the_answers_verbatim() -> None:
    upstream = ModernUpstream(input_required({"user_name": ELICIT}, STATE), complete())
    first = shown(await MODERN.run(modern_call(), upstream.send, era=Era.MODERN))
    retry = modern_call(state=first["requestState"])
    retry.more = More(
        input_responses=b'{ "user_name" : null }', request_state=first["requestState"]
    )
    result = await MODERN.run(retry, upstream.send, era=Era.MODERN)
    assert result.kind is ResultKind.COMPLETE
    assert upstream.rounds[1].request_state == STATE
    assert upstream.rounds[1].input_responses == b'{ "user_name" : null }'


async def test_a_state_that_was_absent_stays_absent() -> None:
    upstream = ModernUpstream(input_required({"user_name": ELICIT}), complete())
    first = shown(await MODERN.run(modern_call(), upstream.send, era=Era.MODERN))
    assert "requestState" not in first
    await MODERN.run(modern_call(responses=ANSWERS), upstream.send, era=Era.MODERN)
    assert upstream.rounds[1].request_state is None
    assert upstream.responses(1) == ANSWERS


async def test_a_state_without_questions_is_relayed() -> None:
    upstream = ModernUpstream(input_required(state="later"))
    body = shown(await MODERN.run(modern_call(), upstream.send, era=Era.MODERN))
    assert list(body) == ["requestState"]


async def test_each_round_has_a_state_of_its_own() -> None:
    upstream = ModernUpstream(
        input_required({"a": ELICIT}, "1"), input_required({"b": ELICIT}, "2"), complete()
    )
    state = None
    seen: list[str] = []
    for _ in range(2):
        call = modern_call(state=state, responses=ANSWERS)
        state = shown(await MODERN.run(call, upstream.send, era=Era.MODERN))["requestState"]
        seen.append(state)
    await MODERN.run(modern_call(state=state, responses={}), upstream.send, era=Era.MODERN)
    assert len(set(seen)) == 2
    assert [one.request_state for one in upstream.rounds] == [None, "1", "2"]


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "bela"},
        {"arguments": {"city": "Goa"}},
        {"tool_name": "cancel"},
        {"method": Method.PROMPTS_GET},
    ],
)
async def test_a_state_of_another_request_never_reaches_the_upstream(
    changes: dict[str, Any],
) -> None:
    upstream = ModernUpstream(input_required({"user_name": ELICIT}, STATE), complete())
    first = shown(await MODERN.run(modern_call(), upstream.send, era=Era.MODERN))
    other = modern_call(state=first["requestState"], responses=ANSWERS, **changes)
    with pytest.raises(StaleHandle):
        await MODERN.run(other, upstream.send, era=Era.MODERN)
    assert len(upstream.rounds) == 1


@pytest.mark.parametrize("tamper", ["-TAMPERED", "A", "="])
async def test_a_tampered_state_never_reaches_the_upstream(tamper: str) -> None:
    upstream = ModernUpstream(input_required({"user_name": ELICIT}, STATE), complete())
    first = shown(await MODERN.run(modern_call(), upstream.send, era=Era.MODERN))
    call = modern_call(state=first["requestState"] + tamper)
    with pytest.raises(StaleHandle):
        await MODERN.run(call, upstream.send, era=Era.MODERN)
    assert len(upstream.rounds) == 1


@pytest.mark.parametrize(
    ("result", "capabilities"),
    [
        (input_required({"a": ELICIT}), b'{"sampling":{}}'),
        (input_required({"a": SAMPLE, "b": ELICIT}), b'{"sampling":{}}'),
        (input_required({"a": {"method": "tools/list"}}), ALL),
        (input_required(), ALL),
        (input_required(state=5), ALL),
        (input_required(state="x" * 9000), ALL),
    ],
)
async def test_an_upstream_that_breaks_the_rules_of_asking_has_failed(
    result: bytes, capabilities: bytes
) -> None:
    call = modern_call(capabilities=capabilities)
    with pytest.raises(UpstreamFailed):
        await MODERN.run(call, ModernUpstream(result).send, era=Era.MODERN)


@pytest.mark.parametrize("method", [Method.COMPLETE, Method.TOOLS_LIST, Method.TASKS_GET])
async def test_only_some_requests_may_be_answered_by_questions(method: Method) -> None:
    upstream = ModernUpstream(input_required({"a": ELICIT}))
    with pytest.raises(UpstreamFailed, match="does not allow"):
        await MODERN.run(modern_call(method=method), upstream.send, era=Era.MODERN)


# A legacy caller, a modern upstream.


async def test_a_legacy_caller_is_asked_and_the_call_retried_for_it() -> None:
    back = Back()
    upstream = ModernUpstream(input_required({"a": ELICIT, "b": ROOTS}, STATE), complete())
    result = await MODERN.run(legacy_call(back), upstream.send, era=Era.MODERN)
    assert result.kind is ResultKind.COMPLETE
    assert upstream.responses(1) == {"a": json.loads(ACCEPT), "b": json.loads(ACCEPT)}
    assert upstream.rounds[1].request_state == STATE
    assert upstream.rounds[1].waited_seconds > 0
    assert sorted(back.asked) == sorted(
        [Question("elicitation/create", encoded(FORM)), Question("roots/list", b"{}")]
    )


async def test_a_legacy_caller_is_asked_over_several_rounds() -> None:
    upstream = ModernUpstream(
        input_required({"a": ELICIT}, "1"), input_required(state="2"), complete()
    )
    await MODERN.run(legacy_call(Back()), upstream.send, era=Era.MODERN)
    assert [one.request_state for one in upstream.rounds] == [None, "1", "2"]
    assert upstream.rounds[2].input_responses is None


async def test_an_upstream_that_asks_for_ever_has_failed() -> None:
    back = Back()
    upstream = ModernUpstream(input_required({"a": ELICIT}))
    with pytest.raises(UpstreamFailed, match="10 times"):
        await MODERN.run(legacy_call(back), upstream.send, era=Era.MODERN)
    assert len(back.asked) == 10
    assert len(upstream.rounds) == 11


async def test_a_legacy_caller_without_the_capability_is_told_which() -> None:
    back = Back()
    call = legacy_call(back, capabilities=b'{"sampling":{}}')
    upstream = ModernUpstream(input_required({"a": ELICIT}))
    with pytest.raises(MissingCapability) as refusal:
        await MODERN.run(call, upstream.send, era=Era.MODERN)
    assert refusal.value.details == {"requiredCapabilities": {"elicitation": {}}}
    assert back.asked == []


@pytest.mark.parametrize("back", [None, Back(interactive=False)])
async def test_a_legacy_caller_that_cannot_be_asked_is_told_at_once(back: Back | None) -> None:
    upstream = ModernUpstream(input_required({"a": ELICIT}))
    with pytest.raises(AskedInVain, match="session"):
        await MODERN.run(legacy_call(back), upstream.send, era=Era.MODERN)
    assert len(upstream.rounds) == 1


async def test_a_legacy_callers_refusal_ends_the_call_and_invents_no_answer() -> None:
    async def refuse(_: Question) -> bytes:
        raise CallerRefused(-1, "Not now")

    upstream = ModernUpstream(input_required({"a": ELICIT}))
    with pytest.raises(AskedInVain, match="Not now"):
        await MODERN.run(legacy_call(Back(refuse)), upstream.send, era=Era.MODERN)
    assert len(upstream.rounds) == 1


async def test_what_a_legacy_caller_sends_as_a_state_means_nothing_to_a_legacy_upstream() -> None:
    async def script(_: LegacyUpstream) -> bytes:
        return complete()

    call = legacy_call(Back(), state="made up")
    result = await MODERN.run(call, LegacyUpstream(script).send, era=Era.LEGACY)
    assert result.kind is ResultKind.COMPLETE


# A legacy caller, a legacy upstream.


async def test_a_legacy_upstreams_question_is_put_while_the_call_waits() -> None:
    async def script(upstream: LegacyUpstream) -> bytes:
        await upstream.ask(ELICIT)
        return complete()

    back = Back()
    upstream = LegacyUpstream(script)
    result = await MODERN.run(legacy_call(back), upstream.send, era=Era.LEGACY)
    assert result.kind is ResultKind.COMPLETE
    assert upstream.answers == [ACCEPT]
    assert back.asked == [Question("elicitation/create", encoded(FORM))]


@pytest.mark.parametrize("failure", [CallerRefused(-1, "no"), CallerSilent()])
async def test_no_answer_is_the_legacy_upstreams_to_deal_with(failure: Exception) -> None:
    async def give_none(_: Question) -> bytes:
        raise failure

    async def script(upstream: LegacyUpstream) -> bytes:
        with pytest.raises(type(failure)):
            await upstream.ask(ELICIT)
        return complete("without")

    call = legacy_call(Back(give_none))
    result = await MODERN.run(call, LegacyUpstream(script).send, era=Era.LEGACY)
    assert shown(result)["content"][0]["text"] == "without"


@pytest.mark.parametrize(
    "call",
    [
        legacy_call(None),
        legacy_call(Back(interactive=False)),
        legacy_call(Back(), capabilities=b"{}"),
        modern_call(capabilities=b"{}"),
        modern_call(method=Method.COMPLETE),
    ],
)
async def test_a_caller_that_cannot_be_asked_costs_nothing_more(call: Any) -> None:
    async def script(_: LegacyUpstream) -> bytes:
        return complete()

    upstream = LegacyUpstream(script)
    await MODERN.run(call, upstream.send, era=Era.LEGACY)
    assert upstream.rounds == [FIRST]


async def test_notifications_go_to_whom_they_are_for() -> None:
    heard: list[object] = []

    async def script(upstream: LegacyUpstream) -> bytes:
        assert upstream.hooks is not None
        upstream.hooks.on_note(Incoming(method="notifications/progress"))
        return complete()

    def notes(call: object) -> Any:
        return lambda note: heard.append((call, note.method))

    call = legacy_call(Back())
    rounds = Rounds(WRAPPING, never_parked(), read, notes=notes)
    await rounds.run(call, LegacyUpstream(script).send, era=Era.LEGACY)
    await MODERN.run(call, LegacyUpstream(script).send, era=Era.LEGACY)
    assert heard == [(call, "notifications/progress")]


# A modern caller, a legacy upstream.


async def test_a_legacy_upstreams_question_becomes_a_result_and_its_answer_a_retry() -> None:
    async def script(upstream: LegacyUpstream) -> bytes:
        answer = json.loads(await upstream.ask(ELICIT))
        return complete(answer["content"]["name"])

    async with parking() as rounds:
        upstream = LegacyUpstream(script)
        first = await rounds.run(modern_call(), upstream.send, era=Era.LEGACY)
        assert first.kind is ResultKind.INPUT_REQUIRED
        assert shown(first)["inputRequests"] == {"q1": ELICIT}
        retry = modern_call(
            state=shown(first)["requestState"],
            responses={"q1": json.loads(ACCEPT), "strange": 5},
        )
        second = await rounds.run(retry, upstream.send, era=Era.LEGACY)
        assert shown(second)["content"][0]["text"] == "Asha"
        assert len(upstream.rounds) == 1


async def _ask_twice(upstream: LegacyUpstream) -> bytes:
    await upstream.ask(ELICIT)
    await upstream.ask(ROOTS)
    return complete()


async def test_every_round_of_a_parked_call_has_a_handle_that_is_used_once() -> None:
    async with parking() as rounds:
        send = LegacyUpstream(_ask_twice).send
        first = shown(await rounds.run(modern_call(), send, era=Era.LEGACY))["requestState"]
        retry = modern_call(state=first, responses={"q1": {}})
        second = shown(await rounds.run(retry, send, era=Era.LEGACY))
        assert second["inputRequests"] == {"q2": ROOTS}
        assert second["requestState"] != first
        with pytest.raises(StaleHandle):
            await rounds.run(retry, send, era=Era.LEGACY)
        last = modern_call(state=second["requestState"], responses={"q2": {}})
        result = await rounds.run(last, send, era=Era.LEGACY)
        assert result.kind is ResultKind.COMPLETE


@pytest.mark.parametrize(
    "changes", [{"subject": "bela"}, {"arguments": {"city": "Goa"}}, {"tool_name": "cancel"}]
)
async def test_a_handle_of_another_request_is_stale_and_the_call_waits_on(
    changes: dict[str, Any],
) -> None:
    async with parking() as rounds:
        upstream = LegacyUpstream(_ask_twice)
        first = shown(await rounds.run(modern_call(), upstream.send, era=Era.LEGACY))
        state = first["requestState"]
        for stolen in (
            modern_call(state=state, responses={"q1": {}}, **changes),
            modern_call(state=f"{state}-TAMPERED", responses={"q1": {}}),
        ):
            with pytest.raises(StaleHandle):
                await rounds.run(stolen, upstream.send, era=Era.LEGACY)
        retry = modern_call(state=state, responses={"q1": {}})
        second = shown(await rounds.run(retry, upstream.send, era=Era.LEGACY))
        assert second["inputRequests"] == {"q2": ROOTS}


async def test_handles_swapped_between_two_callers_are_stale() -> None:
    async with parking() as rounds:
        upstreams = {name: LegacyUpstream(_ask_twice) for name in ("asha", "bela")}
        states = {
            name: shown(await rounds.run(modern_call(subject=name), one.send, era=Era.LEGACY))[
                "requestState"
            ]
            for name, one in upstreams.items()
        }
        for name, other in (("asha", "bela"), ("bela", "asha")):
            call = modern_call(subject=name, state=states[other], responses={"q1": {}})
            with pytest.raises(StaleHandle):
                await rounds.run(call, upstreams[name].send, era=Era.LEGACY)
        assert [one.answers for one in upstreams.values()] == [[], []]


@pytest.mark.parametrize("responses", [5, [], "text", {"q1": 12345}, {"q1": None}])
async def test_answers_that_are_none_are_refused_and_the_handle_lives_on(responses: object) -> None:
    async with parking() as rounds:
        send = LegacyUpstream(_ask_twice).send
        state = shown(await rounds.run(modern_call(), send, era=Era.LEGACY))["requestState"]
        with pytest.raises(InvalidValue, match="must be an object"):
            await rounds.run(modern_call(state=state, responses=responses), send, era=Era.LEGACY)
        retry = modern_call(state=state, responses={"q1": {}})
        again = shown(await rounds.run(retry, send, era=Era.LEGACY))
        assert list(again["inputRequests"]) == ["q2"]


@pytest.mark.parametrize("responses", [None, {}, {"wrong_key": {}}])
async def test_a_retry_without_the_answer_is_asked_again(responses: object) -> None:
    async with parking() as rounds:
        send = LegacyUpstream(_ask_twice).send
        state = shown(await rounds.run(modern_call(), send, era=Era.LEGACY))["requestState"]
        retry = modern_call(state=state, responses=responses)
        again = shown(await rounds.run(retry, send, era=Era.LEGACY))
        assert again["inputRequests"] == {"q1": ELICIT}
        assert again["requestState"] != state


async def test_a_state_of_a_modern_upstream_parks_nothing() -> None:
    modern = ModernUpstream(input_required({"user_name": ELICIT}, STATE))
    state = shown(await MODERN.run(modern_call(), modern.send, era=Era.MODERN))["requestState"]
    async with parking() as rounds:
        send = LegacyUpstream(_ask_twice).send
        with pytest.raises(StaleHandle):
            await rounds.run(modern_call(state=state), send, era=Era.LEGACY)


async def test_a_parked_handle_that_holds_something_else_is_stale() -> None:
    state = WRAPPING.wrap(Purpose.PARKED, modern_call(), b"\xc1", 60)
    async with parking() as rounds:
        with pytest.raises(StaleHandle):
            await rounds.run(
                modern_call(state=state), LegacyUpstream(_ask_twice).send, era=Era.LEGACY
            )


async def test_a_legacy_upstream_that_turned_modern_is_relayed_as_one() -> None:
    async with parking() as rounds:
        upstream = ModernUpstream(input_required({"user_name": ELICIT}, STATE), complete())
        first = await rounds.run(modern_call(), upstream.send, era=Era.LEGACY)
        assert first.kind is ResultKind.INPUT_REQUIRED
        retry = modern_call(state=shown(first)["requestState"], responses=ANSWERS)
        result = await rounds.run(retry, upstream.send, era=Era.MODERN)
        assert result.kind is ResultKind.COMPLETE
        assert upstream.rounds[1].request_state == STATE


PAGE = {"mode": "url", "message": "Sign in", "url": "https://example.com", "elicitationId": "e"}


async def test_a_page_that_must_be_visited_first_becomes_a_question() -> None:
    async def script(_: LegacyUpstream) -> bytes:
        raise rpc_error(-32042, "Sign in first", {"elicitations": [PAGE]})

    async with parking() as rounds:
        result = await rounds.run(modern_call(), LegacyUpstream(script).send, era=Era.LEGACY)
        assert shown(result) == {
            "inputRequests": {"q1": {"method": "elicitation/create", "params": PAGE}}
        }
        form_only = modern_call(capabilities=b'{"elicitation":{}}')
        with pytest.raises(UpstreamRpcError):
            await rounds.run(form_only, LegacyUpstream(script).send, era=Era.LEGACY)


async def test_an_error_of_a_legacy_upstream_is_passed_on() -> None:
    async def script(upstream: LegacyUpstream) -> bytes:
        await upstream.ask(ROOTS)
        raise rpc_error(-32602, "No such room")

    async with parking() as rounds:
        send = LegacyUpstream(script).send
        state = shown(await rounds.run(modern_call(), send, era=Era.LEGACY))["requestState"]
        with pytest.raises(GatewayError, match="No such room"):
            await rounds.run(modern_call(state=state, responses={"q1": {}}), send, era=Era.LEGACY)


async def test_a_legacy_upstream_that_misses_a_capability_says_so_in_the_callers_terms() -> None:
    async def script(_: LegacyUpstream) -> bytes:
        raise rpc_error(-32602, "needs it", {"requiredCapabilities": {"sampling": {}}})

    send = LegacyUpstream(script).send
    with pytest.raises(UpstreamRpcError) as modern:
        await MODERN.run(modern_call(capabilities=b"{}"), send, era=Era.LEGACY)
    with pytest.raises(UpstreamRpcError) as legacy:
        await MODERN.run(legacy_call(Back()), send, era=Era.LEGACY)
    assert (modern.value.rpc_code, legacy.value.rpc_code) == (-32021, -32602)
