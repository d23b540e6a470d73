"""Live grants are the same for all processes, in memory as in Valkey."""

import asyncio
import json
import secrets
from dataclasses import replace

import pytest

from bascule.gateway.elevation import Elevation, Scope, ScopeKind
from bascule.gateway.principal import Principal
from bascule.gateway.state import StateStore, StateUnavailable
from bascule.gateway.tool import Home, McpSource, RiskLevel, Tool
from bascule.policy.elevation import call_digest, live_key
from bascule.state.memory import MemoryState
from bascule.upstreams.egress import ANYWHERE
from bascule.upstreams.http1 import HttpClient, PoolConfig
from bascule.upstreams.pim import Pim, PimConfig, PimFailed
from fakes.elevations import DIGEST, Elevating
from fakes.replies import replying

REFUND = Tool("refund", "", "pay", McpSource("s", "refund"), {}, risk=RiskLevel.PRIVILEGED)
ARGUMENTS: dict[str, object] = {"order": "A-1", "amount": 12}
ONE_CALL = Scope(ScopeKind.CALL, "refund", call_digest(DIGEST, REFUND, ARGUMENTS))
REFUNDS = Scope(ScopeKind.TOOL, "refund")
PAY = Scope(ScopeKind.BUNDLE, "pay")


@pytest.fixture
def ground(store: StateStore) -> Elevating:
    """Grants on each kind of store."""
    return Elevating(store)


def somebody(name: str = "", tenant: str = "default", key_id: str = "k1") -> Principal:
    """The key of a service; of a new one each time, since tests share a server."""
    name = name or secrets.token_hex(4)
    return Principal(tenant, name, frozenset({"user"}), key_id=key_id)


async def check(
    ground: Elevating,
    who: Principal,
    tool: Tool = REFUND,
    *,
    continues: str = "",
    **more: object,
) -> Elevation:
    """Ask as the call path does, in another process."""
    return await ground.another().check(who, tool, {**ARGUMENTS, **more}, continues=continues)


async def test_without_a_grant_the_caller_is_sent_to_an_address(ground: Elevating) -> None:
    found = await check(ground, somebody())
    assert found.grant is None
    assert found.url.startswith("https://gate.example/elevate/")
    assert (ground.counted, ground.used) == (["challenged"], [])


@pytest.mark.parametrize("scope", [REFUNDS, PAY, ONE_CALL], ids=lambda one: one.kind)
async def test_a_grant_of_each_scope_covers_the_call_at_once(
    ground: Elevating, scope: Scope
) -> None:
    who = somebody()
    granted = ground.grant(who, scope)
    await ground.live.put("default", granted)
    found = (await check(ground, who)).grant
    assert found is not None
    assert (found.id, found.scope, found.reference) == (str(granted.id), scope, "ELV-1")
    assert found.expires_at == pytest.approx(ground.now + 3600)
    assert [one.grant for one in ground.used] == [found]
    assert ground.counted == ["used"]


@pytest.mark.parametrize("scope", [REFUNDS, PAY], ids=lambda one: one.kind)
async def test_a_grant_for_more_than_a_call_is_not_used_up(ground: Elevating, scope: Scope) -> None:
    who = somebody()
    await ground.live.put("default", ground.grant(who, scope))
    for order in ("1", "2", "3"):
        assert (await check(ground, who, order=order)).grant


async def test_a_grant_for_one_call_is_used_up_by_it(ground: Elevating) -> None:
    who = somebody()
    await ground.live.put("default", ground.grant(who, ONE_CALL))
    assert (await check(ground, who)).grant
    assert (await check(ground, who)).grant is None


async def test_a_grant_for_one_call_covers_no_other_arguments(ground: Elevating) -> None:
    who = somebody()
    await ground.live.put("default", ground.grant(who, ONE_CALL))
    assert (await check(ground, who, amount=13)).grant is None
    assert (await check(ground, who, note="x")).grant is None
    assert (await check(ground, who, amount=12.0)).grant


async def test_of_many_calls_at_once_one_uses_the_grant(ground: Elevating) -> None:
    who = somebody()
    await ground.live.put("default", ground.grant(who, ONE_CALL))
    async with asyncio.timeout(10):
        found = await asyncio.gather(*(check(ground, who) for _ in range(40)))
    assert sum(one.grant is not None for one in found) == 1
    assert len(ground.used) == 1


async def test_what_goes_on_with_a_covered_call_uses_nothing(ground: Elevating) -> None:
    who = somebody()
    await ground.live.put("default", ground.grant(who, ONE_CALL))
    assert (await check(ground, who)).grant
    assert (await check(ground, who, continues="one")).grant
    assert (await check(ground, who, continues="two")).grant
    assert len(ground.used) == 1


async def test_a_grant_for_one_call_is_for_the_version_that_was_approved(ground: Elevating) -> None:
    who = somebody()
    await ground.live.put("default", ground.grant(who, ONE_CALL))
    assert (await check(ground, who, replace(REFUND, version="0.9.0"))).grant is None
    assert (await check(ground, who)).grant


async def test_a_covered_call_goes_on_once_with_each_state(ground: Elevating) -> None:
    """Who sends an answer again would have the one call that was approved done again."""
    who = somebody()
    await ground.live.put("default", ground.grant(who, ONE_CALL))
    assert (await check(ground, who, continues="first")).grant, "it uses the grant itself"
    assert (await check(ground, who, continues="first")).grant is None
    async with asyncio.timeout(10):
        found = await asyncio.gather(*(check(ground, who, continues="next") for _ in range(20)))
    assert sum(one.grant is not None for one in found) == 1


async def test_a_grant_for_more_than_one_call_lets_states_be_sent_again(ground: Elevating) -> None:
    who = somebody()
    await ground.live.put("default", ground.grant(who, REFUNDS))
    for _ in range(2):
        assert (await check(ground, who, continues="one")).grant


async def test_what_says_it_goes_on_still_needs_the_grant(ground: Elevating) -> None:
    who = somebody()
    assert (await check(ground, who, continues="s1")).grant is None
    await ground.live.put("default", ground.grant(who, ONE_CALL))
    assert (await check(ground, who, continues="s2", amount=13)).grant is None
    assert (await check(ground, who, continues="s3")).grant, "it is used up by this one then"
    assert (await check(ground, who)).grant is None


@pytest.mark.parametrize("scope", [REFUNDS, PAY, ONE_CALL], ids=lambda one: one.kind)
async def test_what_is_revoked_covers_nothing_from_then_on(ground: Elevating, scope: Scope) -> None:
    who = somebody()
    granted = ground.grant(who, scope)
    await ground.live.put("default", granted)
    await ground.live.drop("default", granted)
    assert (await check(ground, who)).grant is None


async def test_a_call_under_way_does_not_go_on_once_its_grant_is_revoked(ground: Elevating) -> None:
    who = somebody()
    granted = ground.grant(who, ONE_CALL)
    await ground.live.put("default", granted)
    assert (await check(ground, who)).grant
    await ground.live.drop("default", granted)
    assert (await check(ground, who, continues="s4")).grant is None


async def test_of_revocation_and_use_at_once_one_wins(ground: Elevating) -> None:
    for _ in range(20):
        who = somebody()
        granted = ground.grant(who, ONE_CALL)
        await ground.live.put("default", granted)
        async with asyncio.timeout(10):
            await asyncio.gather(check(ground, who), ground.live.drop("default", granted))
        assert (await check(ground, who)).grant is None
        assert (await check(ground, who, continues="s5")).grant is None


async def test_a_grant_ends_by_the_clock_whatever_the_store_still_has(ground: Elevating) -> None:
    who = somebody()
    await ground.live.put("default", ground.grant(who, REFUNDS, minutes=1))
    ground.now += 59.9
    assert (await check(ground, who)).grant
    ground.now += 0.2
    assert (await check(ground, who)).grant is None


async def test_what_is_over_already_is_not_put_there(ground: Elevating) -> None:
    who = somebody()
    granted = ground.grant(who, REFUNDS, minutes=1)
    ground.now += 61
    await ground.live.put("default", granted)
    assert await ground.state.get(live_key("default", who.owner, REFUNDS)) is None


async def test_a_used_grant_that_is_put_back_stays_used(ground: Elevating) -> None:
    who = somebody()
    granted = ground.grant(who, ONE_CALL)
    await ground.live.put("default", granted)
    assert (await check(ground, who)).grant
    await ground.another().put("default", granted)
    assert (await check(ground, who)).grant is None


async def test_grants_are_of_one_tenant_and_one_owner(ground: Elevating) -> None:
    who = somebody()
    await ground.live.put("default", ground.grant(who, REFUNDS))
    assert (await check(ground, somebody(who.subject, tenant="acme"))).grant is None
    assert (await check(ground, somebody())).grant is None
    assert (
        await check(ground, Principal("default", who.subject, frozenset(), user_id="u"))
    ).grant is None


async def test_the_next_key_of_a_name_has_none_of_the_last_ones_grants(ground: Elevating) -> None:
    who = somebody()
    await ground.live.put("default", ground.grant(who, REFUNDS))
    assert (await check(ground, somebody(who.subject, key_id="k2"))).grant is None


async def test_a_persons_key_has_the_grants_of_the_person(ground: Elevating) -> None:
    user_id = secrets.token_hex(8)
    person = Principal("default", "ann", frozenset(), user_id=user_id)
    await ground.live.put("default", ground.grant(person, REFUNDS))
    own_key = Principal("default", "ann", frozenset(), key_id="k9", user_id=user_id)
    assert (await check(ground, own_key)).grant


async def test_names_with_colons_do_not_reach_into_others_grants(ground: Elevating) -> None:
    name = secrets.token_hex(4)
    odd = Tool("b:tool:refund", "", "", McpSource("s", "x"), {})
    await ground.live.put(
        "default", ground.grant(somebody(name), Scope(ScopeKind.TOOL, "b:tool:refund"))
    )
    assert (await check(ground, somebody(f"{name}:tool:b"))).grant is None
    assert (await check(ground, somebody(name), odd)).grant


async def test_a_bundles_showing_is_covered_by_grants_for_the_tool_and_for_either_bundle(
    ground: Elevating,
) -> None:
    shown = Tool(
        "give_back",
        "",
        "desk",
        McpSource("s", "refund"),
        {},
        defaults={"amount": 12},
        home=Home("refund", "pay", {}),
    )
    for scope in (REFUNDS, PAY, Scope(ScopeKind.BUNDLE, "desk")):
        who = somebody()
        await ground.live.put("default", ground.grant(who, scope))
        assert (await ground.live.check(who, shown, {"order": "A-1"}, continues="")).grant
    who = somebody()
    await ground.live.put("default", ground.grant(who, Scope(ScopeKind.TOOL, "give_back")))
    assert (await check(ground, who, shown)).grant is None, "grants know tools by their own names"
    await ground.live.put("default", ground.grant(who, ONE_CALL))
    assert (await ground.live.check(who, shown, {"order": "A-1"}, continues="")).grant


async def test_what_somebody_else_wrote_there_covers_nothing(ground: Elevating) -> None:
    who = somebody()
    key = live_key("default", who.owner, REFUNDS)
    for odd in (b"", b"{}", b"\xff", b'{"elevated":true}'):
        await ground.state.put(key, odd, 60)
        assert (await check(ground, who)).grant is None
    other = ground.grant(somebody(), REFUNDS)
    await ground.live.put("default", other)
    value = await ground.state.get(live_key("default", other.holder.owner, REFUNDS))
    assert value is not None
    await ground.state.put(key, value, 60)
    assert (await check(ground, who)).grant is None


async def test_where_a_manager_decides_own_grants_count_for_nothing(ground: Elevating) -> None:
    answers = {"elevated": False, "elevation_url": "https://pim.example/ask"}
    who = Principal("default", "ann", frozenset({"user", "admin"}), user_id="u1")
    agent = somebody("ann")
    await ground.live.put("default", ground.grant(who, REFUNDS))
    async with (
        replying(lambda _: (200, json.dumps(answers).encode())) as manager,
        HttpClient(PoolConfig(rules=ANYWHERE)) as client,
    ):
        url = str(manager.origin)
        ground.pim = Pim(PimConfig(url, page_url=url), client, lambda: ground.now)
        assert await check(ground, who) == Elevation(None, "https://pim.example/ask")
        answers |= {
            "elevated": True,
            "elevation_expires_at": ground.now + 60,
            "scope": "refund",
            "approval_reference": "PIM-7",
        }
        found = (await check(ground, who)).grant
        await check(ground, agent)
        assert ground.another().elsewhere == url
    assert found is not None
    assert (found.scope, found.reference) == (REFUNDS, "PIM-7")
    assert [(one.principal, one.tool) for one in ground.used] == [
        (who, "refund"),
        (agent, "refund"),
    ]
    asked = [json.loads(one.body) for one in manager.asked]
    assert [one["user_id"] for one in asked] == ["ann", "ann", "key|ann"]
    assert (asked[0]["role"], asked[0]["bundle"], asked[0]["digest"]) == (
        "admin,user", "pay", ONE_CALL.digest,
    )  # fmt: skip


async def test_where_the_manager_is_silent_the_call_is_refused(ground: Elevating) -> None:
    async with HttpClient(PoolConfig(rules=ANYWHERE)) as client:
        ground.pim = Pim(
            PimConfig("http://127.0.0.1:1", page_url="http://127.0.0.1:1"),
            client,
            lambda: ground.now,
        )
        with pytest.raises(PimFailed):
            await check(ground, somebody())
    assert (ground.counted, ground.used) == ([], [])


async def test_a_full_store_refuses_to_grant_and_to_use_up(store: StateStore) -> None:
    if not isinstance(store, MemoryState):
        pytest.skip("what Valkey does when it is full is for its operator to say")
    ground = Elevating(MemoryState(most_entries=2))
    who = somebody()
    await ground.live.put("default", ground.grant(who, ONE_CALL))
    await ground.state.put("other", b"", 60)
    with pytest.raises(StateUnavailable):
        await ground.live.put("default", ground.grant(somebody(), REFUNDS))
    with pytest.raises(StateUnavailable):
        await check(ground, who)
    await ground.live.drop("default", ground.grant(who, ONE_CALL))
    assert (await check(ground, who)).grant is None, "what is revoked needs no room"


async def test_a_link_says_what_was_held_back_with_the_arguments_masked(ground: Elevating) -> None:
    who = somebody("agent-7")
    found = await check(ground, who, card="4111111111111111")
    link = ground.another().open_link(found.url.rpartition("/")[2])
    assert link is not None
    assert (link.tenant, link.tool, link.bundle) == ("default", "refund", "pay")
    assert (link.holder.owner, link.holder.subject, link.holder.key_id) == (
        "key|agent-7",
        "agent-7",
        "k1",
    )
    assert link.arguments == {"order": "***", "amount": 12, "card": "41************11"}
    granted = Scope(ScopeKind.CALL, link.tool, link.digest)
    await ground.live.put("default", ground.grant(who, granted))
    assert (await check(ground, who, card="4111111111111111")).grant


async def test_a_link_is_good_for_an_hour_and_only_as_it_was_made(ground: Elevating) -> None:
    token = (await check(ground, somebody())).url.rpartition("/")[2]
    assert ground.live.open_link(token)
    other = token[:20] + ("A" if token[20] != "A" else "B") + token[21:]
    for odd in ("", "x", token[:-1], f"{token}A", other, "é" * 50):
        assert ground.live.open_link(odd) is None
    ground.now += 3601
    assert ground.live.open_link(token) is None


async def test_very_many_arguments_make_no_endless_address(ground: Elevating) -> None:
    many = {f"argument_{number}": "x" * 1000 for number in range(1000)}
    found = await ground.live.check(somebody(), REFUND, many, continues="")
    assert len(found.url) < 4096
    link = ground.live.open_link(found.url.rpartition("/")[2])
    assert link is not None
    assert "more members" in str(link.arguments)


async def test_without_a_known_address_the_way_is_given_from_here(store: StateStore) -> None:
    found = await check(Elevating(store, public_url=""), somebody())
    assert found.url.startswith("/elevate/")
