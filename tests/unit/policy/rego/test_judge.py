import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bascule.gateway.decision import Circumstances, Question
from bascule.gateway.principal import Principal
from bascule.gateway.rego import RegoAnswer, RegoDocument, RegoFailed
from bascule.gateway.rule import Action, Effect, Rule, RuleKind
from bascule.gateway.tool import McpSource, RiskLevel, Tool
from bascule.policy.rego.judge import Judging

ANN = Principal("acme", "ann", frozenset({"user"}))
BOOK = Tool("book", "Books.", "booking", McpSource("garage", "book"), {})
ASKED = Question(ANN, BOOK, Action.INVOKE, Circumstances(1000.5, "10.0.0.1", {"amount": 3}))
LATER = 10.0


class Engine:
    """Says yes to who is called ann; keeps what it was asked, and can be held up."""

    def __init__(self, says: Callable[[dict[str, Any]], RegoAnswer] | None = None) -> None:
        self.asked: list[tuple[str, str, list[dict[str, Any]]]] = []
        self.fails: Exception | None = None
        self.is_held = asyncio.Event()
        self.is_held.set()
        self._says = says or (lambda given: RegoAnswer(given["user"] == "ann", "by name"))

    async def evaluate(
        self, tenant: str, document: RegoDocument | None, inputs: Sequence[bytes], deadline: float
    ) -> list[RegoAnswer]:
        given = [json.loads(one) for one in inputs]
        self.asked.append((tenant, document.digest if document else "", given))
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                await self.is_held.wait()
        except TimeoutError:
            raise RegoFailed("Try again.", private="too slow") from None
        if self.fails is not None:
            raise self.fails
        return [self._says(one) for one in given]

    @property
    def count(self) -> int:
        return sum(len(given) for _, _, given in self.asked)


def rule(*reads: str, digest: str = "d1", uses_time: bool = False, whole: bool = False) -> Rule:
    paths = None if whole else frozenset(tuple(one.split(".")) for one in reads)
    document = RegoDocument(digest, {"a.rego": ""}, reads=paths, uses_time=uses_time)
    return Rule("r", Effect.ALLOW, frozenset(), kind=RuleKind.REGO, rego=document)


OWN = Rule("builtin:opa", Effect.ALLOW, frozenset(), kind=RuleKind.REGO)


def soon(seconds: float = LATER) -> float:
    return time.monotonic() + seconds


def by(name: str, asked: Question = ASKED) -> Question:
    return replace(asked, principal=replace(asked.principal, subject=name))


def of(tenant: str) -> Question:
    return replace(ASKED, principal=replace(ANN, tenant=tenant))


def at(moment: float) -> Question:
    return replace(ASKED, circumstances=replace(ASKED.circumstances, moment=moment))


def sending(arguments: Any) -> Question:
    return replace(ASKED, circumstances=replace(ASKED.circumstances, arguments=arguments))


async def test_an_answer_is_known_where_all_that_is_read_is_equal() -> None:
    engine = Engine()
    judge = Judging(engine, 10)
    asking = rule("user", "tool.risk")
    assert judge.known(asking, ASKED) is None
    assert await judge.ask(asking, [ASKED], soon()) == [RegoAnswer(allow=True, reason="by name")]
    same = replace(sending({"amount": 99}), action=Action.DISCOVER)
    assert judge.known(asking, same) == RegoAnswer(allow=True, reason="by name")
    assert await judge.ask(asking, [same], soon()) == [RegoAnswer(allow=True, reason="by name")]
    assert judge.known(asking, by("bob")) is None
    risky = replace(ASKED, subject=replace(BOOK, risk=RiskLevel.WRITE))
    assert judge.known(asking, risky) is None
    assert engine.count == 1


async def test_a_changed_document_is_asked_anew() -> None:
    judge = Judging(Engine(), 10)
    await judge.ask(rule("user"), [ASKED], soon())
    assert judge.known(rule("user"), ASKED) is not None
    assert judge.known(rule("user", digest="d2"), ASKED) is None
    assert judge.known(rule("user", "agent"), ASKED) is None
    assert judge.known(rule("tenant"), by("acme")) is None


async def test_no_tenant_gets_what_another_was_answered() -> None:
    engine = Engine()
    judge = Judging(engine, 10)
    await judge.ask(rule("user"), [of("acme")], soon())
    assert judge.known(rule("user"), of("acme")) is not None
    assert judge.known(rule("user"), of("other")) is None
    await judge.ask(rule("user"), [of("acme"), of("other"), of("third")], soon())
    assert [tenant for tenant, _, _ in engine.asked] == ["acme", "other", "third"]


async def test_a_value_of_another_type_is_another_question() -> None:
    judge = Judging(Engine(), 10)
    asking = rule("arguments.amount")
    await judge.ask(asking, [sending({"amount": 1})], soon())
    for amount in (1.0, True, "1", [1], None):
        assert judge.known(asking, sending({"amount": amount})) is None
    assert judge.known(asking, sending({"amount": 1, "more": 2})) is not None


async def test_what_reads_the_time_is_known_for_the_second() -> None:
    judge = Judging(Engine(), 10)
    for path in ("time", "time_ns"):
        asking = rule(path)
        await judge.ask(asking, [at(1000.1)], soon())
        assert judge.known(asking, at(1000.9)) is not None
        assert judge.known(asking, at(1001.0)) is None


async def test_what_depends_on_more_than_the_input_is_never_known() -> None:
    engine = Engine()
    judge = Judging(engine, 10)
    asking = rule("user", uses_time=True)
    for _ in range(2):
        await judge.ask(asking, [ASKED, ASKED], soon())
        assert judge.known(asking, ASKED) is None
    assert engine.count == 4


async def test_many_questions_are_asked_in_one_batch_each_once() -> None:
    engine = Engine()
    judge = Judging(engine, 10)
    await judge.ask(rule("user"), [by("bob")], soon())
    names = ["ann", "bob", "ann", "eve", "bob"]
    answers = await judge.ask(rule("user"), [by(one) for one in names], soon())
    assert [one.allow for one in answers] == [True, False, True, False, False]
    assert [[one["user"] for one in given] for _, _, given in engine.asked] == [
        ["bob"],
        ["ann", "eve"],
    ]
    assert await judge.ask(rule("user"), [], soon()) == []


async def test_equal_questions_at_the_same_time_are_asked_once() -> None:
    engine = Engine()
    judge = Judging(engine, 10)
    engine.is_held.clear()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(judge.ask(rule("user"), [ASKED], soon())) for _ in range(5)]
        more = group.create_task(judge.ask(rule("user"), [by("bob"), ASKED], soon()))
        await asyncio.sleep(0)
        engine.is_held.set()
    assert all(task.result()[0].allow for task in tasks)
    assert [one.allow for one in more.result()] == [False, True]
    assert engine.count == 2


async def test_who_goes_away_leaves_nobody_waiting() -> None:
    engine = Engine()
    judge = Judging(engine, 10)
    engine.is_held.clear()
    first = asyncio.ensure_future(judge.ask(rule("user"), [ASKED], soon()))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(judge.ask(rule("user"), [ASKED], soon()))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    engine.is_held.set()
    assert (await asyncio.wait_for(second, 5))[0].allow
    assert engine.count == 2


async def test_who_has_more_time_does_not_fail_with_who_has_less() -> None:
    engine = Engine()
    judge = Judging(engine, 10)
    engine.is_held.clear()
    async with asyncio.TaskGroup() as group:
        hurried = group.create_task(judge.ask(rule("user"), [ASKED], soon(0.02)))
        await asyncio.sleep(0)
        patient = group.create_task(judge.ask(rule("user"), [ASKED], soon()))
        assert not (await hurried)[0].allow
        engine.is_held.set()
    assert patient.result()[0].allow


async def test_who_has_less_time_does_not_wait_for_who_has_more() -> None:
    engine = Engine()
    judge = Judging(engine, 10)
    engine.is_held.clear()
    async with asyncio.TaskGroup() as group:
        patient = group.create_task(judge.ask(rule("user"), [ASKED], soon()))
        await asyncio.sleep(0)
        (late,) = await judge.ask(rule("user"), [ASKED], soon(0.02))
        assert (late.allow, late.reason) == (False, "no answer from Rego in time")
        engine.is_held.set()
    assert patient.result()[0].allow


async def test_a_failure_denies_says_why_and_is_not_remembered() -> None:
    engine = Engine()
    judge = Judging(engine, 10)
    engine.fails = RegoFailed("Try again.", private="the engine ended")
    (answer,) = await judge.ask(rule("user"), [ASKED], soon())
    assert answer == RegoAnswer(allow=False, reason="no answer from Rego: the engine ended")
    assert judge.known(rule("user"), ASKED) is None
    engine.fails = ZeroDivisionError("by nought")
    (answer,) = await judge.ask(rule("user"), [ASKED], soon())
    assert answer.reason == "no answer from Rego: ZeroDivisionError: by nought"
    engine.fails = None
    assert (await judge.ask(rule("user"), [ASKED], soon()))[0].allow


async def test_a_failure_is_one_for_all_who_wait_for_it() -> None:
    engine = Engine()
    engine.fails = RegoFailed("Try again.", private="down")
    judge = Judging(engine, 10)
    engine.is_held.clear()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(judge.ask(rule("user"), [ASKED], soon())) for _ in range(4)]
        await asyncio.sleep(0)
        engine.is_held.set()
    assert [task.result()[0].allow for task in tasks] == [False] * 4
    assert engine.count == 1


async def test_too_few_answers_count_as_none() -> None:
    class Short(Engine):
        async def evaluate(self, *asked: Any) -> list[RegoAnswer]:
            return (await super().evaluate(*asked))[1:]

    judge = Judging(Short(), 10)
    answers = await judge.ask(rule("user"), [ASKED, by("bob")], soon())
    assert [one.allow for one in answers] == [False, False]
    assert answers[0].reason == "no answer from Rego: 1 answers to 2 questions"


async def test_what_json_cannot_say_is_not_allowed_and_does_not_disturb_others() -> None:
    engine = Engine()
    judge = Judging(engine, 10)
    odd = sending({"amount": "\ud800"})
    for asking in (rule("user"), rule("arguments"), rule(whole=True), rule(uses_time=True)):
        answers = await judge.ask(asking, [odd, by("ann", sending({}))], soon())
        assert [one.allow for one in answers] == [False, True], asking.rego
    assert judge.known(rule("arguments"), odd) is None


async def test_the_engine_s_own_documents_are_asked_each_time_by_default() -> None:
    engine = Engine()
    judge = Judging(engine, 10)
    for _ in range(2):
        assert (await judge.ask(OWN, [ASKED, ASKED], soon()))[0].allow
        assert judge.known(OWN, ASKED) is None
    assert engine.count == 2
    assert {digest for _, digest, _ in engine.asked} == {""}


async def test_the_engine_s_own_answers_hold_as_long_as_they_are_said_to() -> None:
    now = [100.0]
    judge = Judging(Engine(), 10, own_seconds=5, clock=lambda: now[0])
    await judge.ask(OWN, [ASKED], 1000.0 + time.monotonic())
    assert judge.known(OWN, ASKED) is not None
    assert judge.known(OWN, sending({"amount": 4})) is None
    now[0] = 104.9
    assert judge.known(OWN, ASKED) is not None
    now[0] = 105.0
    assert judge.known(OWN, ASKED) is None


async def test_no_more_answers_are_kept_than_were_asked_for() -> None:
    engine = Engine()
    judge = Judging(engine, 100)
    asking = rule("user")
    await judge.ask(asking, [of("small")], soon())
    for place in range(1000):
        await judge.ask(asking, [by(f"user-{place}")], soon())
        judge.known(asking, by("user-0"))
    kept = [place for place in range(1000) if judge.known(asking, by(f"user-{place}"))]
    assert 80 <= len(kept) < 100
    assert 0 in kept, "what is asked for again and again stays"
    assert 999 in kept
    assert judge.known(asking, of("small")), "a tenant with few answers does not lose them"


async def test_nothing_is_kept_where_nothing_may_be() -> None:
    judge = Judging(Engine(), 0)
    assert (await judge.ask(rule("user"), [ASKED], soon()))[0].allow
    assert judge.known(rule("user"), ASKED) is None


async def test_reasons_are_cut_to_what_a_record_holds() -> None:
    judge = Judging(Engine(lambda _: RegoAnswer(allow=False, reason="x" * 10_000)), 10)
    (answer,) = await judge.ask(rule("user"), [ASKED], soon())
    assert len(answer.reason) == 1000


PATHS = st.frozensets(
    st.sampled_from([("user",), ("tool", "risk"), ("arguments",), ("arguments", "a"), ("time",)])
)
QUESTIONS = st.builds(
    lambda name, tenant, risk, arguments, moment: Question(
        replace(ANN, subject=name, tenant=tenant),
        replace(BOOK, risk=risk),
        Action.INVOKE,
        Circumstances(moment, "", arguments),
    ),
    st.sampled_from(["ann", "bob"]),
    st.sampled_from(["acme", "other"]),
    st.sampled_from(RiskLevel),
    st.sampled_from([None, {}, {"a": 1}, {"a": True}, {"a": 1.0}, {"a": {"b": 1}}, {"b": 1}]),
    st.sampled_from([1.0, 1.5, 2.0]),
)


def seen(given: dict[str, Any], path: tuple[str, ...]) -> object:
    value: Any = given
    for depth, name in enumerate(path):
        if not isinstance(value, dict) or name not in value:
            return (depth, str(type(value)))
        value = value[name]
    return json.dumps(value, sort_keys=True)


@settings(deadline=None)
@given(reads=st.none() | PATHS, batches=st.lists(st.lists(QUESTIONS, max_size=4), max_size=5))
async def test_what_is_remembered_is_what_would_be_answered(
    reads: frozenset[tuple[str, ...]] | None, batches: list[list[Question]]
) -> None:
    # The answer is all that the document sees: any mix-up shows.
    def says(given: dict[str, Any]) -> RegoAnswer:
        paths = sorted(reads) if reads is not None else [(one,) for one in sorted(given)]
        return RegoAnswer(True, f"{given['tenant']} {[seen(given, path) for path in paths]}")

    judge, plain = Judging(Engine(says), 5), Engine(says)
    document = RegoDocument("d", {}, reads=reads, uses_time=False)
    asking = Rule("r", Effect.ALLOW, frozenset(), kind=RuleKind.REGO, rego=document)
    for batch in batches:
        expected = [await Judging(plain, 0).ask(asking, [one], soon()) for one in batch]
        assert [[one] for one in await judge.ask(asking, batch, soon())] == expected
        for question, (answer,) in zip(batch, expected, strict=True):
            assert judge.known(asking, question) in {None, answer}
