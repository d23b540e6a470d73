"""Asking for elevation and deciding about it, over a real database and real live grants."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import uuid4

import pytest

from bascule.api.caller import Caller
from bascule.api.elevated import Approval, Terms, Wanted
from bascule.api.elevating import MOST_A_DAY, MOST_WAITING, ElevationDesk, NoElevation, TooMany
from bascule.gateway.elevation import Grant, ScopeKind
from bascule.gateway.errors import (
    Conflict,
    Forbidden,
    GatewayError,
    InvalidValue,
    NotFound,
    RecordingFailed,
    StaleHandle,
)
from bascule.gateway.permissions import APPROVE
from bascule.gateway.principal import Evidence, KeyRecord, Means, Principal
from bascule.gateway.record import AuditRecord, EventType, Status
from bascule.gateway.state import StateUnavailable
from bascule.gateway.tool import RiskLevel
from bascule.policy.elevation import ElevationStatus, live_key
from bascule.state.memory import MemoryState
from bascule.storage.repositories.elevations import (
    ElevationDraft,
    Elevations,
    Ending,
    Filter,
    Origin,
    StoredElevation,
)
from bascule.upstreams.http1 import HttpClient
from bascule.upstreams.pim import Pim, PimConfig
from fakes.elevations import Elevating
from unit.api.shelf import a_tool, stock
from unit.api.site import Site, altered

USE: Final = frozenset({"tools:list", "tools:execute"})
MINUTE: Final = 60.0


def person(name: str, *, approves: bool = False, tenant: str = "default", **more: Any) -> Caller:
    """Somebody with an account; administrators, so that the rules show them everything."""
    permissions = USE | {APPROVE} if approves else USE
    roles = frozenset(more.pop("roles", {"admin"}))
    principal = Principal(tenant, name, roles, permissions, user_id=f"id-{name}", **more)
    return Caller(principal, f"corr-{name}")


ANN: Final = person("ann")
BOB: Final = person("bob", approves=True)
EVE: Final = person("eve", approves=True)


@dataclass
class Room:
    """A desk, and the grants that calls see."""

    site: Site
    ground: Elevating = field(default_factory=Elevating)

    @property
    def desk(self) -> ElevationDesk:
        return ElevationDesk(self.site.control)

    @property
    def records(self) -> list[AuditRecord]:
        found = self.site.recorder.records
        return [one for one in found if one.event_type is EventType.ELEVATION]

    async def ask(self, caller: Caller = ANN, **changes: Any) -> StoredElevation:
        wanted: dict[str, Any] = {"reason": "Paid twice.", "name": "refund", **changes}
        return await self.desk.request(caller, Wanted(**wanted))

    async def call(
        self, caller: Caller = ANN, tool: str = "refund", **arguments: object
    ) -> Grant | None:
        """What a call of that tool is covered by."""
        found = self.site.control.snapshot().tenant(caller.tenant).tools[tool]
        live = self.ground.another()
        return (await live.check(caller.principal, found, arguments, continues="")).grant

    async def token(self, caller: Caller, **arguments: object) -> str:
        """The token of the link that a call is sent to."""
        found = self.site.control.snapshot().tenant(caller.tenant).tools["refund"]
        answer = await self.ground.live.check(caller.principal, found, arguments, continues="")
        assert answer.grant is None
        return answer.url.rpartition("/")[2]


@pytest.fixture
async def room(site: Site) -> AsyncIterator[Room]:
    await stock(
        site,
        a_tool("refund", bundle="pay", risk=RiskLevel.PRIVILEGED),
        a_tool("void", bundle="pay", risk=RiskLevel.PRIVILEGED),
        a_tool("book", risk=RiskLevel.PRIVILEGED),
    )
    await stock(site, a_tool("refund", bundle="pay"), tenant="acme")
    ground = Elevating()
    async with altered(site, elevations=ground.live) as other:
        yield Room(other, ground)


async def test_nobody_is_asked_where_there_are_no_grants(site: Site) -> None:
    with pytest.raises(NoElevation):
        ElevationDesk(site.control)


async def test_a_request_waits_and_covers_nothing(room: Room) -> None:
    made = await room.ask(ticket=" INC-7 ", minutes=30)
    assert (made.status, made.scope.text, made.minutes) == ("pending", "tool:refund", 30)
    assert (made.holder.owner, made.asked_by, made.ticket) == ("user|id-ann", "ann", "INC-7")
    assert (made.void_at - made.requested_at).total_seconds() == 1440 * MINUTE
    assert await room.call() is None
    record = room.records[-1]
    assert (record.action, record.status, record.user) == (
        "elevation.requested",
        Status.SUCCESS,
        "ann",
    )
    assert (record.tool_name, record.correlation_id) == ("refund", "corr-ann")
    assert record.metadata["scope"] == "tool:refund"
    assert "Paid twice." not in json.dumps(record.metadata)
    assert room.ground.counted == ["requested", "challenged"]


async def test_an_approval_covers_calls_at_once(room: Room) -> None:
    made = await room.ask()
    granted = await room.desk.approve(BOB, made.id, Approval(comment="Once."))
    assert (granted.status, granted.decided_by, granted.comment) == ("approved", "bob", "Once.")
    assert granted.reference.startswith("ELV-")
    found = await room.call(order=1)
    assert found is not None
    assert (found.id, found.reference) == (str(made.id), granted.reference)
    record = room.records[-1]
    assert (record.action, record.user) == ("elevation.approved", "bob")
    assert record.metadata["requester"] == "ann"
    assert record.metadata["approver"] == "bob"
    assert record.metadata["reference"] == granted.reference
    assert "approved" in room.ground.counted
    assert await room.call(EVE) is None, "it is ann's"


async def test_a_grant_ends_by_itself(room: Room) -> None:
    made = await room.ask(minutes=30)
    await room.desk.approve(BOB, made.id, Approval())
    room.ground.now += 30 * MINUTE
    assert await room.call() is None
    assert (await room.desk.get(ANN, made.id)).elevation.status == "expired"
    assert [one.action for one in room.records][-1] == "elevation.expired"
    assert room.records[-1].user == "", "time has no name"
    with pytest.raises(Conflict, match="time of this request is over"):
        await room.desk.revoke(BOB, made.id)


@pytest.mark.parametrize(
    ("asked", "default", "most"), [(None, 60, 480), (None, 60, 45), (45, 60, 45)]
)
async def test_minutes_are_within_what_the_installation_allows(
    room: Room, asked: int | None, default: int, most: int
) -> None:
    room.ground.terms = Terms(default, most)
    async with altered(room.site, elevations=room.ground.another()) as site:
        made = await ElevationDesk(site.control).request(
            ANN, Wanted("why", name="refund", minutes=asked)
        )
        assert made.minutes == min(asked or default, most)
        for odd in (0, -1, most + 1):
            with pytest.raises(InvalidValue, match=f"1 to {most}") as caught:
                await ElevationDesk(site.control).request(
                    ANN, Wanted("why", name="void", minutes=odd)
                )
            assert caught.value.details["field"] == "minutes"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "  x  "}, "reason"),
        ({"reason": "x" * 2001}, "reason"),
        ({"ticket": "x" * 201}, "ticket"),
        ({"ticket": "a\nb"}, "ticket"),
        ({"kind": ScopeKind.CALL}, "arguments"),
        ({"kind": ScopeKind.CALL, "arguments": {"n": float("nan")}}, "arguments"),
        ({"reason": "a\0bc"}, "reason"),
    ],
)
async def test_what_cannot_be_asked_for_is_named(
    room: Room, change: dict[str, Any], named: str
) -> None:
    with pytest.raises(InvalidValue) as caught:
        await room.ask(**change)
    assert caught.value.details["field"] == named


async def test_what_one_may_not_know_of_is_unknown(room: Room) -> None:
    outsider = person("zed", roles={"user"})
    said: set[str] = set()
    for name in ("refund", "refunf"):
        with pytest.raises(NotFound) as caught:
            await room.ask(outsider, name=name)
        said.add(caught.value.public.replace(name, "*"))
    for name in ("pay", "payy"):
        with pytest.raises(NotFound) as caught:
            await room.ask(outsider, name=name, kind=ScopeKind.BUNDLE)
        said.add(caught.value.public.replace(name, "*").replace("bundle", "tool"))
    assert len(said) == 1
    assert (await room.desk.mine(outsider)).total == 0


async def test_a_bundle_can_be_asked_for_and_its_tools_are_covered(room: Room) -> None:
    made = await room.ask(kind=ScopeKind.BUNDLE, name="pay")
    await room.desk.approve(BOB, made.id, Approval())
    assert await room.call(tool="refund")
    assert await room.call(tool="void")
    assert await room.call(tool="book") is None


async def test_one_call_can_be_asked_for_in_any_spelling_of_its_arguments(room: Room) -> None:
    made = await room.ask(kind=ScopeKind.CALL, arguments={"b": [1.0], "a": "a long secret text"})
    assert made.arguments == {"b": [1.0], "a": "a **************xt"}
    await room.desk.approve(BOB, made.id, Approval())
    assert await room.call(a="a long secret text", b=[2]) is None
    assert await room.call(a="a long secret text", b=[1])
    assert await room.call(a="a long secret text", b=[1]) is None
    journal = str(room.records)
    assert "secret" not in journal


@pytest.mark.parametrize("scope", [ScopeKind.CALL, ScopeKind.TOOL, ScopeKind.BUNDLE])
async def test_a_link_leads_to_a_request_for_what_was_held_back(
    room: Room, scope: ScopeKind
) -> None:
    link = await room.desk.open_link(ANN, await room.token(ANN, order=1))
    made = await room.desk.request(ANN, Wanted("why", scope, link=link))
    await room.desk.approve(BOB, made.id, Approval())
    assert await room.call(order=1)
    assert (await room.call(order=2) is None) == (scope is ScopeKind.CALL)
    assert (await room.call(tool="void") is None) == (scope is not ScopeKind.BUNDLE)


async def test_a_link_is_for_whom_it_was_made(room: Room) -> None:
    token = await room.token(ANN)
    strangers = [
        BOB,
        person("ann", tenant="acme"),
        Caller(Principal("default", "ann", frozenset(), key_id="k"), ""),
    ]
    for caller in strangers:
        with pytest.raises(StaleHandle, match="not for you"):
            await room.desk.open_link(caller, token)
    for forged in ("", "x", token[:-2], token + "AA", "%00"):
        with pytest.raises(StaleHandle):
            await room.desk.open_link(ANN, forged)
    own_key = Caller(replace(ANN.principal, key_id="k"), "")
    assert await room.desk.open_link(own_key, token)
    room.ground.now += 3601
    with pytest.raises(StaleHandle, match="older than an hour"):
        await room.desk.open_link(ANN, token)


async def test_who_got_an_account_meanwhile_opens_links_from_before(room: Room) -> None:
    evidence = Evidence(Means.TOKEN, "default", "https://id.example", "s-1", "ann@id.example")
    stranger = Caller(
        Principal("default", "ann@id.example", frozenset({"admin"}), USE, evidence=evidence), ""
    )
    token = await room.token(stranger)
    with_account = Caller(replace(stranger.principal, user_id="id-ann"), "")
    assert await room.desk.open_link(with_account, token)


def service(room: Room, name: str = "user") -> Caller:
    """A key of the tenant that nobody has signed in as."""
    keys = room.site.control.snapshot().keys.values()
    found = (one for one in keys if one.principal.subject == name)
    return Caller(next(one.principal for one in found if one.principal.tenant == "default"), "")


async def test_for_a_service_whoever_has_the_link_may_ask_but_not_decide(room: Room) -> None:
    agent = service(room)
    link = await room.desk.open_link(BOB, await room.token(agent, order=1))
    made = await room.desk.request(BOB, Wanted("The agent needs it.", ScopeKind.CALL, link=link))
    assert (made.holder.owner, made.asked_by) == ("key|user", "bob")
    with pytest.raises(Forbidden, match=r"your own request.*elevation\.self_approval"):
        await room.desk.approve(BOB, made.id, Approval())
    await room.desk.approve(EVE, made.id, Approval())
    assert await room.call(BOB, order=1) is None
    assert await room.call(agent, order=1)
    for party in (agent, BOB):
        assert [one.id for one in (await room.desk.mine(party)).items] == [made.id]


async def test_a_link_of_a_service_whose_key_is_gone_opens_for_nobody(room: Room) -> None:
    agent = service(room)
    gone = Caller(replace(agent.principal, key_id=str(uuid4())), "")
    token = await room.token(gone)
    for caller in (BOB, agent):
        with pytest.raises(StaleHandle):
            await room.desk.open_link(caller, token)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"key_id": "k1"},
        {"subject": "Ann", "user_id": "id-other"},
        {"subject": "other"},
        {"user_id": None, "key_id": "k2"},
    ],
    ids=["herself", "her key", "her name", "her account", "a key of her name"],
)
async def test_nobody_approves_their_own_request(room: Room, change: dict[str, Any]) -> None:
    made = await room.ask()
    changed = replace(ANN.principal, permissions=USE | {APPROVE}, **change)
    with pytest.raises(Forbidden, match="your own request"):
        await room.desk.approve(Caller(changed, ""), made.id, Approval())
    assert (await room.desk.get(BOB, made.id)).elevation.status == "pending"
    assert (room.records[-1].action, room.records[-1].status) == (
        "elevation.approved",
        Status.DENIED,
    )
    assert await room.call() is None


async def test_an_installation_may_let_approvers_approve_their_own(room: Room) -> None:
    room.ground.terms = Terms(self_approval=True)
    async with altered(room.site, elevations=room.ground.another()) as site:
        desk = ElevationDesk(site.control)
        made = await desk.request(BOB, Wanted("why", name="refund"))
        assert (await desk.approve(BOB, made.id, Approval())).status == "approved"
        made = await desk.request(ANN, Wanted("why", name="refund"))
        with pytest.raises(Forbidden, match=APPROVE):
            await desk.approve(ANN, made.id, Approval())


async def test_only_approvers_decide_and_see_all(room: Room) -> None:
    made = await room.ask()
    cat = person("cat")
    for attempt in (
        room.desk.approve(cat, made.id, Approval()),
        room.desk.deny(cat, made.id, "no"),
        room.desk.list(cat, Filter()),
    ):
        with pytest.raises(Forbidden, match=APPROVE):
            await attempt
    for attempt in (
        room.desk.get(cat, made.id), room.desk.cancel(cat, made.id), room.desk.revoke(cat, made.id)
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await attempt


async def test_another_tenant_has_none_of_it(room: Room) -> None:
    made = await room.ask()
    foreign = person("bob", approves=True, tenant="acme")
    assert (await room.desk.list(foreign, Filter())).total == 0
    for attempt in (
        room.desk.get(foreign, made.id),
        room.desk.approve(foreign, made.id, Approval()),
        room.desk.deny(foreign, made.id, ""),
        room.desk.revoke(foreign, made.id),
    ):
        with pytest.raises(NotFound):
            await attempt
    await room.desk.approve(BOB, made.id, Approval())
    assert await room.call(person("ann", tenant="acme")) is None


async def test_what_is_decided_says_by_whom(room: Room) -> None:
    made = await room.ask()
    denied = await room.desk.deny(BOB, made.id, "  Ask the owner. ")
    assert (denied.status, denied.comment) == ("denied", "Ask the owner.")
    for attempt in (room.desk.approve(EVE, made.id, Approval()), room.desk.deny(EVE, made.id, "")):
        with pytest.raises(Conflict, match="already decided by bob"):
            await attempt
    assert await room.call() is None
    assert (await room.ask()).status == "pending", "it can be asked for again"


async def test_a_request_that_nobody_decided_about_is_void(room: Room) -> None:
    made = await room.ask()
    room.ground.now += 1440 * MINUTE
    with pytest.raises(Conflict, match="time of this request is over"):
        await room.desk.approve(BOB, made.id, Approval())
    assert (await room.desk.mine(ANN)).items[0].status == "expired"
    assert (await room.ask()).status == "pending"


async def test_who_asked_may_take_it_back_until_it_is_decided(room: Room) -> None:
    made = await room.ask()
    assert (await room.desk.cancel(ANN, made.id)).status == "cancelled"
    with pytest.raises(Conflict, match="already cancelled by ann"):
        await room.desk.approve(BOB, made.id, Approval())
    granted = await room.ask()
    await room.desk.approve(BOB, granted.id, Approval())
    with pytest.raises(Conflict, match="already decided by bob"):
        await room.desk.cancel(ANN, granted.id)


@pytest.mark.parametrize("who", [ANN, BOB, EVE], ids=lambda one: one.subject)
async def test_a_grant_can_be_revoked_at_once(room: Room, who: Caller) -> None:
    made = await room.ask()
    await room.desk.approve(BOB, made.id, Approval())
    assert await room.call()
    ended = await room.desk.revoke(who, made.id, "Not any more.")
    assert (ended.status, ended.ended_by, ended.end_comment) == (
        "revoked",
        who.subject,
        "Not any more.",
    )
    assert await room.call() is None
    assert (room.records[-1].action, room.records[-1].user) == ("elevation.revoked", who.subject)
    with pytest.raises(Conflict, match="already revoked"):
        await room.desk.revoke(BOB, made.id)


async def test_less_can_be_granted_but_never_more(room: Room) -> None:
    link = await room.desk.open_link(ANN, await room.token(ANN, order=1))
    made = await room.desk.request(ANN, Wanted("why", ScopeKind.BUNDLE, link=link, minutes=60))
    for odd in (
        Approval(61),
        Approval(0),
        Approval(tool="book"),
        Approval(kind=ScopeKind.TOOL, tool="nothing"),
        Approval(kind=ScopeKind.CALL, tool="void"),
    ):
        with pytest.raises(InvalidValue):
            await room.desk.approve(BOB, made.id, odd)
    granted = await room.desk.approve(BOB, made.id, Approval(5, ScopeKind.CALL))
    assert (granted.scope.kind, granted.minutes, granted.asked_minutes) == ("call", 5, 60)
    assert (granted.asked_scope, granted.tool) == ("bundle:pay", "refund")
    assert await room.call(tool="void") is None
    assert await room.call(order=1)
    tool = await room.ask(name="void")
    with pytest.raises(InvalidValue, match="never more"):
        await room.desk.approve(BOB, tool.id, Approval(kind=ScopeKind.BUNDLE))


async def test_another_tool_of_the_bundle_can_be_granted_instead(room: Room) -> None:
    made = await room.ask(kind=ScopeKind.BUNDLE, name="pay")
    with pytest.raises(InvalidValue, match="Name the tool"):
        await room.desk.approve(BOB, made.id, Approval(kind=ScopeKind.TOOL))
    await room.desk.approve(BOB, made.id, Approval(kind=ScopeKind.TOOL, tool="void"))
    assert await room.call(tool="void")
    assert await room.call(tool="refund") is None


async def test_a_lower_limit_of_the_installation_holds_for_old_requests(room: Room) -> None:
    made = await room.ask(minutes=480)
    room.ground.terms = Terms(max_minutes=10)
    async with altered(room.site, elevations=room.ground.another()) as site:
        granted = await ElevationDesk(site.control).approve(BOB, made.id, Approval())
    assert granted.minutes == 10


async def test_a_new_grant_takes_the_place_of_one_of_the_same_scope(room: Room) -> None:
    first = await room.ask(minutes=10)
    await room.desk.approve(BOB, first.id, Approval())
    second = await room.ask(minutes=60)
    await room.desk.approve(BOB, second.id, Approval())
    old = (await room.desk.get(ANN, first.id)).elevation
    assert (old.status, old.ended_by) == ("revoked", "bob")
    assert old.end_comment.startswith("Replaced by ELV-")
    with pytest.raises(Conflict):
        await room.desk.revoke(BOB, first.id)
    room.ground.now += 20 * MINUTE
    assert await room.call()


async def test_the_same_is_not_asked_for_twice(room: Room) -> None:
    made = await room.ask()
    with pytest.raises(Conflict, match=str(made.id)):
        await room.ask()
    await room.ask(person("cat"))
    await room.ask(kind=ScopeKind.CALL, arguments={})


async def test_one_caller_cannot_fill_the_desk(room: Room) -> None:
    last = await room.ask(name="void")
    for number in range(MOST_WAITING - 1):
        await room.ask(kind=ScopeKind.CALL, arguments={"n": number})
    with pytest.raises(TooMany, match=f"{MOST_WAITING} are allowed") as caught:
        await room.ask()
    assert caught.value.error.http_status == 429
    await room.ask(person("cat"))
    await room.desk.cancel(ANN, last.id)
    await room.ask()


async def test_who_asks_and_cancels_all_day_is_stopped(room: Room) -> None:
    one = await room.ask()
    await room.desk.cancel(ANN, one.id)
    draft = ElevationDraft(
        one.holder, "ann", one.asked_owner, one.scope, Origin(), "why", "", 60,
        one.requested_at, one.void_at,
    )  # fmt: skip
    cancelled = Ending(ElevationStatus.CANCELLED, one.requested_at, "ann")
    async with room.site.rows() as (session, tenant_id):
        elevations = Elevations(session, tenant_id)
        for _ in range(MOST_A_DAY - 1):
            await elevations.end((await elevations.create(draft)).id, cancelled)
    with pytest.raises(TooMany, match="tomorrow"):
        await room.ask()
    room.ground.now += 24 * 60 * MINUTE + 1
    assert await room.ask()


async def test_many_requests_at_once_do_not_get_past_the_bound(room: Room) -> None:
    async with asyncio.timeout(30):
        found = await asyncio.gather(
            *(room.ask(kind=ScopeKind.CALL, arguments={"n": n}) for n in range(MOST_WAITING + 10)),
            return_exceptions=True,
        )
    assert sum(isinstance(one, StoredElevation) for one in found) == MOST_WAITING
    assert sum(isinstance(one, TooMany) for one in found) == 10


async def test_of_many_who_decide_at_once_one_does(room: Room) -> None:
    made = await room.ask()
    approvers = [person(f"boss {number}", approves=True) for number in range(6)]
    async with asyncio.timeout(30):
        found = await asyncio.gather(
            *(room.desk.approve(one, made.id, Approval()) for one in approvers[:3]),
            *(room.desk.deny(one, made.id, "") for one in approvers[3:]),
            return_exceptions=True,
        )
    (done,) = [one for one in found if isinstance(one, StoredElevation)]
    assert sum(isinstance(one, Conflict) for one in found) == 5
    assert (await room.call() is not None) == (done.status is ElevationStatus.APPROVED)


async def test_approving_revoking_and_using_at_once_leaves_nothing_live_that_is_revoked(
    room: Room,
) -> None:
    for number in range(8):
        made = await room.ask(kind=ScopeKind.CALL, arguments={"n": number})
        async with asyncio.timeout(30):
            await asyncio.gather(
                room.desk.approve(BOB, made.id, Approval()),
                room.desk.revoke(EVE, made.id),
                *(room.call(n=number) for _ in range(4)),
                return_exceptions=True,
            )
        status = (await room.desk.get(BOB, made.id)).elevation.status
        if status is ElevationStatus.REVOKED:
            assert await room.call(n=number) is None
        else:
            assert status is ElevationStatus.APPROVED
        key = live_key("default", made.holder.owner, made.scope)
        assert (await room.ground.state.get(key) is None) == (status is ElevationStatus.REVOKED)


async def test_where_calls_could_not_see_it_nothing_is_granted(room: Room) -> None:
    full = Elevating(MemoryState(most_entries=1), now=room.ground.now)
    await full.state.put("other", b"", 60)
    made = await room.ask()
    async with altered(room.site, elevations=full.live) as site:
        with pytest.raises(StateUnavailable):
            await ElevationDesk(site.control).approve(BOB, made.id, Approval())
    assert (await room.desk.get(BOB, made.id)).elevation.status == "pending"
    assert (room.records[-1].action, room.records[-1].status) == (
        "elevation.approved",
        Status.FAILURE,
    )


async def test_what_cannot_be_recorded_is_not_done(room: Room) -> None:
    made, granted = await room.ask(), await room.ask(name="void")
    await room.desk.approve(BOB, granted.id, Approval())
    room.site.recorder.fails = True
    for attempt in (
        room.ask(name="book"),
        room.desk.approve(BOB, made.id, Approval()),
        room.desk.cancel(ANN, made.id),
        room.desk.revoke(BOB, granted.id),
    ):
        with pytest.raises(RecordingFailed):
            await attempt
    room.site.recorder.fails = False
    statuses = {one.tool: one.status for one in (await room.desk.list(BOB, Filter())).items}
    assert statuses == {"refund": "pending", "void": "approved"}
    assert await room.call() is None
    assert await room.call(tool="void")


async def test_a_cancelled_approval_grants_nothing(room: Room) -> None:
    made = await room.ask()
    room.site.recorder.holds = True
    task = asyncio.ensure_future(room.desk.approve(BOB, made.id, Approval()))
    async with asyncio.timeout(10):
        while not room.site.recorder.held:
            await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task], timeout=10)
    room.site.recorder.holds = False
    room.site.recorder.release()
    assert task.cancelled()
    assert (await room.desk.get(BOB, made.id)).elevation.status == "pending"
    assert await room.call() is None


async def test_lists_show_own_requests_and_all_to_approvers_with_their_history(room: Room) -> None:
    mine = await room.ask()
    await room.ask(person("cat"), name="void")
    assert [one.id for one in (await room.desk.mine(ANN)).items] == [mine.id]
    assert (await room.desk.list(BOB, Filter())).total == 2
    assert (await room.desk.list(BOB, Filter(user="cat"))).total == 1
    assert (
        await room.desk.list(BOB, Filter(tool="refund", status=ElevationStatus.PENDING))
    ).total == 1
    await room.desk.deny(BOB, mine.id, "")
    again = await room.ask()
    seen = await room.desk.get(BOB, again.id)
    assert (seen.elevation.id, seen.history) == (again.id, {"denied": 1, "pending": 1})
    assert (await room.desk.get(ANN, again.id)).history == {}


async def test_where_another_manager_decides_nothing_is_promised(room: Room) -> None:
    made, granted = await room.ask(), await room.ask(name="void")
    await room.desk.approve(BOB, granted.id, Approval())
    async with HttpClient() as client:
        room.ground.pim = Pim(
            PimConfig("https://pim.example", page_url="https://pim.example"), client
        )
        async with altered(room.site, elevations=room.ground.another()) as site:
            desk = ElevationDesk(site.control)
            for attempt in (
                desk.request(ANN, Wanted("why", name="book")),
                desk.approve(BOB, made.id, Approval()),
            ):
                with pytest.raises(Conflict, match="ask at https://pim"):
                    await attempt
            assert (await desk.deny(BOB, made.id, "")).status == "denied"
            assert (await desk.revoke(BOB, granted.id)).status == "revoked"


@pytest.mark.parametrize("step", ["approve", "deny", "revoke"])
async def test_a_comment_has_an_end(room: Room, step: str) -> None:
    made, long = await room.ask(), "x" * 2001
    attempts = {
        "approve": lambda: room.desk.approve(BOB, made.id, Approval(comment=long)),
        "deny": lambda: room.desk.deny(BOB, made.id, long),
        "revoke": lambda: room.desk.revoke(BOB, made.id, long),
    }
    with pytest.raises(GatewayError, match="at most 2000"):
        await attempts[step]()


async def test_who_makes_a_key_for_somebody_else_does_not_agree_with_themselves_by_it(
    room: Room,
) -> None:
    """Whoever manages keys could have one that bears another name."""
    made = await room.desk.request(BOB, Wanted("I need it.", name="refund"))
    snapshot = room.site.control.snapshot()
    approver = Caller(replace(EVE.principal, key_id="k-made", user_id=None), "")
    record = KeyRecord("k-made", approver.principal, created_by="bob")
    forged = replace(snapshot, keys={**snapshot.keys, b"made": record})
    async with altered(room.site, snapshot=lambda: forged) as site:
        with pytest.raises(Forbidden, match="who made the key"):
            await ElevationDesk(site.control).approve(approver, made.id, Approval())
    honest = replace(forged, keys={b"made": replace(record, created_by="admin")})
    async with altered(room.site, snapshot=lambda: honest) as site:
        await ElevationDesk(site.control).approve(approver, made.id, Approval())
