import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.call import Call, Method
from bascule.gateway.decision import Circumstances
from bascule.gateway.errors import ErrorCode
from bascule.gateway.inventory import ItemKind, Target
from bascule.gateway.principal import Principal
from bascule.gateway.rule import (
    Action,
    ArgumentTest,
    Effect,
    Operator,
    Per,
    Rate,
    Rule,
    RuleKind,
    TimeWindow,
)
from bascule.gateway.stage import FailureMode
from bascule.gateway.state import MOST_TTL_SECONDS, StateUnavailable
from bascule.gateway.tool import Home, RiskLevel, Tool
from bascule.gateway.verdict import PASS, Refuse, Verdict
from bascule.policy.rates import RateLimits
from bascule.state.memory import MemoryState
from fakes.catalogue import TENANT, make_principal, make_snapshot, make_tool
from fakes.relayed import make_relayed

SLOTS = make_tool("get_slots")
REFUND = make_tool("refund", bundle="payments", risk=RiskLevel.PRIVILEGED)
NOON = 1_784_548_800.0
"""2026-07-20T12:00:00Z, a Monday: the first moment of a minute, an hour and half a day."""
ALONE = frozenset[Per]()
USER = frozenset({Per.USER})


def limit(calls: int = 2, seconds: float = 60, per: frozenset[Per] = USER, **more: object) -> Rule:
    rate = Rate(calls, seconds, per)
    rule = Rule("slowly", Effect.DENY, frozenset(), kind=RuleKind.RATE_LIMIT, rate=rate)
    return replace(rule, **more)  # pyright: ignore[reportArgumentType]


class Counting:
    """The stage over a store of its own, with a clock that stands until it is moved."""

    def __init__(self, *rules: Rule, store: MemoryState | None = None) -> None:
        self.moment = NOON
        self.peer = "10.0.0.1"
        self.store = store or MemoryState()
        snapshot = make_snapshot([SLOTS, REFUND], rules=rules)
        self.stage = RateLimits(snapshot, self.store, self._circumstances)

    def _circumstances(self, call: Call) -> Circumstances:
        return Circumstances(self.moment, self.peer, call.arguments)

    async def judge(
        self,
        subject: Tool | Target = SLOTS,
        principal: Principal | None = None,
        method: Method = Method.TOOLS_CALL,
        **arguments: object,
    ) -> Verdict:
        """What becomes of a call that `authorise` let pass."""
        call = Call(method, "c-1", arguments=dict(arguments), rule="allow-everything")
        call.principal = principal or make_principal()
        call.tool = subject if isinstance(subject, Tool) else None
        call.target = subject if isinstance(subject, Target) else None
        return await self.stage.inbound(call)

    async def passed(self, times: int, *arguments: object, **more: object) -> int:
        """How many of so many equal calls pass."""
        verdicts = [await self.judge(*arguments, **more) for _ in range(times)]  # pyright: ignore[reportArgumentType]
        return verdicts.count(PASS)


def prompt(name: str = "welcome", server: str = "notes") -> Target:
    return Target(ItemKind.PROMPT, server, name, server, name)


def resource(uri: str, server: str = "notes") -> Target:
    return Target(ItemKind.RESOURCE, server, uri, server, uri)


def refusal(verdict: Verdict) -> Refuse:
    assert isinstance(verdict, Refuse)
    return verdict


async def test_as_many_calls_pass_as_the_rate_allows() -> None:
    assert await Counting(limit(3)).passed(5) == 3


async def test_the_next_window_begins_with_the_clock_and_not_with_the_first_call() -> None:
    counting = Counting(limit(2))
    counting.moment = NOON + 59.5
    assert await counting.passed(3) == 2

    counting.moment = NOON + 60
    assert await counting.passed(3) == 2
    counting.moment = NOON + 119.999
    assert await counting.passed(1) == 0


async def test_a_refusal_says_when_to_come_again_and_not_which_rule_refuses() -> None:
    counting = Counting(limit(1, name="reporting bots"))
    counting.moment = NOON + 42.5
    await counting.judge()

    refused = refusal(await counting.judge())

    assert refused.error is ErrorCode.RATE_LIMITED
    assert refused.details == {"retry_after_seconds": 18, "limit": 1, "remaining": 0}
    assert refused.public == "Too many calls: 1 in a minute are allowed. Try again in 18 s."
    assert refused.private == "rate limit reporting bots: call 2 of 1 in a minute"


async def test_a_rule_may_have_words_of_its_own_for_the_caller() -> None:
    counting = Counting(limit(0, 90, public="Reports are made once in a while."))

    refused = refusal(await counting.judge())

    assert refused.public == "Reports are made once in a while. Try again in 90 s."
    assert "90 seconds" in refused.private


async def test_a_wait_is_never_nothing() -> None:
    counting = Counting(limit(0))
    counting.moment = NOON + 59.9999

    refused = refusal(await counting.judge())

    assert (refused.details or {})["retry_after_seconds"] == 1


async def test_the_record_of_a_refused_call_names_the_rule() -> None:
    counting = Counting(limit(1))
    for rule in ("allow-everything", "slowly"):
        call = Call(Method.TOOLS_CALL, "c-1", tool_name="get_slots", rule="allow-everything")
        call.principal, call.tool = make_principal(), SLOTS
        await counting.stage.inbound(call)
        assert call.rule == rule


@pytest.mark.parametrize(
    ("per", "user", "agent", "tool"),
    [
        (ALONE, 0, 0, 0),
        (USER, 2, 0, 0),
        ({Per.AGENT}, 0, 2, 0),
        ({Per.TOOL}, 0, 0, 2),
        ({Per.USER, Per.TOOL}, 2, 0, 2),
        (set(Per), 2, 2, 2),
    ],
)
async def test_calls_are_counted_apart_by_what_the_rate_is_per(
    per: Iterable[Per], user: int, agent: int, tool: int
) -> None:
    counting = Counting(limit(2, per=frozenset(per)))
    ann = replace(make_principal("ann"), agent="desk")
    assert await counting.passed(3, SLOTS, ann) == 2

    assert await counting.passed(3, SLOTS, replace(ann, subject="bob")) == user
    assert await counting.passed(3, SLOTS, replace(ann, agent="bot")) == agent
    assert await counting.passed(3, REFUND, ann) == tool


async def test_callers_without_a_known_agent_are_counted_together() -> None:
    counting = Counting(limit(2, per=frozenset({Per.AGENT})))
    assert await counting.passed(2, SLOTS, make_principal("ann")) == 2

    assert await counting.passed(1, SLOTS, make_principal("bob")) == 0


async def test_what_a_client_calls_itself_gives_it_no_count_of_its_own() -> None:
    counting = Counting(limit(1, per=frozenset({Per.AGENT})))
    verdicts: list[Verdict] = []
    for name in ("one", "another"):
        call = Call(Method.TOOLS_CALL, "c-1", agent=name)
        call.principal, call.tool = make_principal(), SLOTS
        verdicts.append(await counting.stage.inbound(call))

    assert verdicts[0] is PASS
    assert isinstance(verdicts[1], Refuse)


async def test_a_tool_is_one_tool_in_every_version_and_bundle() -> None:
    counting = Counting(limit(2, per=frozenset({Per.TOOL})))
    shown = replace(SLOTS, name="times", bundle="desk", home=Home("get_slots", "booking", {}))

    assert await counting.passed(1) == 1
    assert await counting.passed(1, replace(SLOTS, version="2.0.0")) == 1
    assert await counting.passed(1, shown) == 0
    assert await counting.passed(1, replace(SLOTS, name="times")) == 1


@pytest.mark.parametrize(
    ("method", "subject"),
    [(Method.PROMPTS_GET, prompt()), (Method.RESOURCES_READ, resource("notes://a"))],
)
async def test_prompts_and_resources_are_counted_as_tools_are(
    method: Method, subject: Target
) -> None:
    assert await Counting(limit(2)).passed(3, subject, None, method) == 2


async def test_made_up_addresses_are_all_counted_as_one() -> None:
    counting = Counting(limit(2, per=frozenset({Per.TOOL})))
    read = Method.RESOURCES_READ
    verdicts = [await counting.judge(resource(f"notes://{n}"), None, read) for n in range(50)]

    assert verdicts.count(PASS) == 2
    assert len(counting.store._held) == 1
    assert await counting.passed(1, resource("notes://1", "docs"), None, read) == 1
    assert await counting.passed(3, prompt("a"), None, Method.PROMPTS_GET) == 2
    assert await counting.passed(3, prompt("b"), None, Method.PROMPTS_GET) == 2


@pytest.mark.parametrize(
    "method",
    sorted(set(Method) - {Method.TOOLS_CALL, Method.PROMPTS_GET, Method.RESOURCES_READ}),
)
async def test_nothing_else_is_counted(method: Method) -> None:
    counting = Counting(limit(0))

    assert await counting.passed(1, SLOTS, None, method) == 1
    assert await counting.passed(1, resource("notes://a"), None, method) == 1
    assert len(counting.store._held) == 0


@pytest.mark.parametrize("name", ["x" * 100_000, "a:b", "*", "\0\r\n", "é\U0001f600", "\ud800"])
async def test_a_name_makes_a_key_of_the_same_length_whatever_it_is(name: str) -> None:
    counting = Counting(limit(1, per=frozenset(Per)))
    caller = replace(make_principal(name), agent=name)

    assert await counting.passed(2, SLOTS, caller) == 1
    [key] = counting.store._held._entries
    assert len(key) < 100


async def test_names_that_run_together_are_still_two() -> None:
    counting = Counting(limit(1, per=frozenset({Per.USER, Per.AGENT})))
    one = replace(make_principal("a"), agent="b:c")

    assert await counting.passed(1, SLOTS, one) == 1
    assert await counting.passed(1, SLOTS, replace(one, subject="a:b", agent="c")) == 1


@pytest.mark.parametrize(
    ("rule", "counts"),
    [
        ({"roles": {"user"}}, True),
        ({"roles": {"admin"}}, False),
        ({"users": {"ann"}}, True),
        ({"users": {"bob"}}, False),
        ({"groups": {"staff"}}, True),
        ({"groups": {"guests"}}, False),
        ({"agents": {"desk"}}, True),
        ({"agents": {"bot"}}, False),
        ({"bundles": {"payments"}}, True),
        ({"bundles": {"booking"}}, False),
        ({"risks": {RiskLevel.PRIVILEGED}}, True),
        ({"risks": {RiskLevel.READ}}, False),
        ({"tools": {"re*"}}, True),
        ({"tools": {"get_*"}}, False),
        ({"prompts": {"*"}}, False),
        ({"tags": {"money", "x"}}, True),
        ({"tags": {"x"}}, False),
        ({"networks": {"10.0.0.0/8"}}, True),
        ({"networks": {"192.0.2.0/24"}}, False),
        ({"actions": {Action.INVOKE}}, True),
        ({"actions": {Action.DISCOVER}}, False),
        ({"users": {"ann"}, "groups": {"guests"}}, False),
        ({"roles": {"user"}, "kind": RuleKind.CONDITION}, False),
        ({"rate": None}, False),
    ],
)
async def test_a_limit_is_about_whom_and_what_its_rule_names(
    rule: dict[str, object], counts: bool
) -> None:
    named = {key: frozenset(one) if isinstance(one, set) else one for key, one in rule.items()}
    counting = Counting(limit(0, **named))
    ann = replace(make_principal("ann"), groups=frozenset({"staff"}), agent="desk")

    assert await counting.passed(1, replace(REFUND, tags=("money",)), ann) == (not counts)


async def test_administrators_are_counted_too() -> None:
    assert await Counting(limit(1)).passed(2, SLOTS, make_principal(roles=("admin",))) == 1


async def test_a_tool_of_a_server_is_counted_by_the_name_it_has_there_as_well() -> None:
    counting = Counting(limit(0, tools=frozenset({"search"})))

    assert await counting.passed(1, make_relayed("search", front="notes_search")) == 0


async def test_a_limit_holds_in_its_hours_only() -> None:
    counting = Counting(limit(0, windows=(TimeWindow(start_minute=720, end_minute=780),)))
    assert await counting.passed(1) == 0

    counting.moment = NOON + 3600
    assert await counting.passed(1) == 1


@pytest.mark.parametrize(
    ("arguments", "counts"), [({"rows": 11}, True), ({"rows": 10}, False), ({"rows": "x"}, True)]
)
async def test_a_limit_can_be_about_arguments_and_what_cannot_be_told_is_counted(
    arguments: dict[str, object], counts: bool
) -> None:
    tests = (ArgumentTest(("rows",), Operator.ABOVE, 10),)

    verdict = await Counting(limit(0, arguments=tests)).judge(**arguments)

    assert isinstance(verdict, Refuse) is counts


async def test_an_address_that_is_not_known_is_counted() -> None:
    counting = Counting(limit(0, networks=frozenset({"10.0.0.0/8"})))
    counting.peer = ""

    assert await counting.passed(1) == 0


async def test_who_is_over_a_rate_of_their_own_does_not_use_up_the_one_for_all() -> None:
    counting = Counting(
        limit(10, per=ALONE, name="all", priority=9), limit(2, per=USER, name="each")
    )
    assert await counting.passed(50, SLOTS, make_principal("ann")) == 2

    others = [await counting.passed(2, SLOTS, make_principal(f"user-{n}")) for n in range(6)]

    assert sum(others) == 8


async def test_every_rate_that_applies_must_be_kept() -> None:
    counting = Counting(
        limit(3, name="a", seconds=60), limit(2, name="b", tools=frozenset({"refund"}))
    )

    assert await counting.passed(3, REFUND) == 2
    assert await counting.passed(3, SLOTS) == 0


async def test_another_tenants_limits_do_not_concern_a_caller() -> None:
    counting = Counting(limit(0))

    assert await counting.passed(1, SLOTS, make_principal(tenant="other")) == 1


async def test_what_callers_fall_under_is_found_once_and_kept_within_bounds() -> None:
    counting = Counting(limit(0, roles=frozenset({"bot"})))
    found = counting.stage._tenants[TENANT]._found
    for _ in range(3):
        assert await counting.passed(1) == 1
    assert len(found) == 1

    for n in range(5000):
        assert await counting.passed(1, SLOTS, make_principal(roles=("user", f"r{n}"))) == 1
        await counting.judge(resource(f"notes://{n}"), None, Method.RESOURCES_READ)
    assert len(found) < 4097
    assert await counting.passed(1, SLOTS, make_principal(roles=("bot",))) == 0


async def test_a_call_of_nobody_is_refused() -> None:
    call = Call(Method.TOOLS_CALL, "c-1", tool=SLOTS)

    assert refusal(await Counting(limit()).stage.inbound(call)).error is ErrorCode.INTERNAL


async def test_a_store_without_room_refuses_the_call() -> None:
    counting = Counting(limit(), store=MemoryState(most_entries=0))

    with pytest.raises(StateUnavailable):
        await counting.judge()
    assert counting.stage.on_failure is FailureMode.CLOSED


async def test_the_longest_window_is_one_a_store_can_keep() -> None:
    assert await Counting(limit(1, MOST_TTL_SECONDS)).passed(2) == 1


CALLS = st.lists(
    st.tuples(
        st.floats(0, 600),
        st.sampled_from(["ann", "bob"]),
        st.sampled_from([SLOTS, REFUND]),
    ),
    max_size=60,
)


@given(
    calls=CALLS,
    most=st.integers(0, 4),
    seconds=st.sampled_from([0.5, 1, 7, 60, 3600]),
    per=st.frozensets(st.sampled_from([Per.USER, Per.TOOL])),
)
def test_in_every_window_exactly_as_many_pass_as_are_allowed(
    calls: list[tuple[float, str, Tool]], most: int, seconds: float, per: frozenset[Per]
) -> None:
    counting = Counting(limit(most, seconds, per))
    seen = Counter[object]()

    async def run() -> None:
        for after, user, tool in sorted(calls, key=lambda one: one[0]):
            counting.moment = NOON + after
            window = counting.moment // seconds
            together = (
                window,
                user if Per.USER in per else "",
                tool.name if Per.TOOL in per else "",
            )
            seen[together] += 1
            verdict = await counting.judge(tool, make_principal(user))
            assert (verdict is PASS) is (seen[together] <= most)

    asyncio.run(run())


@given(most=st.integers(0, 30), calls=st.integers(0, 60), stages=st.integers(1, 3))
def test_of_calls_at_once_exactly_as_many_pass_as_are_allowed(
    most: int, calls: int, stages: int
) -> None:
    async def run() -> list[Verdict]:
        store = MemoryState()
        gateways = [Counting(limit(most), store=store) for _ in range(stages)]
        return await asyncio.gather(*(gateways[n % stages].judge() for n in range(calls)))

    assert asyncio.run(run()).count(PASS) == min(most, calls)


def test_where_nothing_is_limited_there_is_nothing_to_do() -> None:
    assert Counting(replace(limit(), kind=RuleKind.CONDITION)).stage.is_idle
    assert not Counting(limit()).stage.is_idle
