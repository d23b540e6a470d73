"""Why, who can, what if, and what would have been: asked of the real API."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bascule.api.caller import Caller
from bascule.api.resources.decisions.matrix import who_can
from bascule.api.resources.decisions.schemas import Only, PartyKind, WhoCan
from bascule.audit.config import JournalConfig
from bascule.audit.journal import open_journal
from bascule.gateway.masking import mask
from bascule.gateway.principal import Person, Principal
from bascule.gateway.record import AuditRecord, EventType, Recorder, Status
from bascule.gateway.tool import RiskLevel
from bascule.storage.repositories.groups import Groups
from bascule.storage.repositories.users import UserDraft, Users
from unit.api.shelf import a_tool, stock
from unit.api.site import Site, error_of, open_site

EXPLAIN = "/api/admin/policy/explain"
SIMULATE = "/api/admin/policy/simulate"
WHO_CAN = "/api/admin/policy/who-can"
REPLAY = "/api/admin/policy/replay"
OWN = "/api/mcp/explain"
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)  # a Monday
LARGE = {"arguments": [{"path": "amount", "op": "above", "value": 5000}]}


def rule(name: str, effect: str = "allow", **members: Any) -> dict[str, Any]:
    return {"name": name, "effect": effect, "roles": ["user"], **members}


LIMIT = rule("limit", "deny", type="condition", roles=[], tools=["pay"], when=LARGE)


async def put_in_force(site: Site, *rules: dict[str, Any], tenant: str = "default") -> None:
    for one in rules:
        response = await site.post("/api/admin/policies", json=one, tenant=tenant)
        assert response.status_code == 201, response.text


async def asked(site: Site, path: str, role: str = "operator", **body: Any) -> dict[str, Any]:
    response = await site.post(path, role, json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def refused(site: Site, path: str, **body: Any) -> dict[str, Any]:
    response = await site.post(path, json=body)
    assert 400 <= response.status_code < 500, response.text
    return error_of(response)


@pytest.fixture
async def shop(site: Site) -> Site:
    """Three tools, a rule that allows them, a limit, and somebody to ask about."""
    await stock(site, a_tool("pay"), a_tool("refund"), a_tool("wipe", risk=RiskLevel.PRIVILEGED))
    await put_in_force(site, rule("users"), LIMIT)
    async with site.rows() as (session, tenant_id):
        await Users(session, tenant_id).create(UserDraft("bo", roles=frozenset({"user"})))
        await Groups(session, tenant_id).put("/desk", ["user"])
    return site


async def test_an_allowed_use_is_explained_by_the_policy_that_allows_it(shop: Site) -> None:
    found = await asked(shop, EXPLAIN, tool="pay", user="bo", arguments={"amount": 10})
    assert (found["effect"], found["rule"]) == ("allow", "users")
    assert found["reason"] == "bo may call pay: the policy users allows it, and none denies it."
    assert found["needed"] == []
    assert found["caller"] == {"name": "bo", "roles": ["user"], "groups": [], "agent": None}
    assert {one["policy"]: one["applied"] for one in found["policies"]} == {
        "users": True,
        "limit": False,
    }
    why = next(one["why"] for one in found["policies"] if one["policy"] == "limit")
    assert why == ("does not apply: it wants the argument amount to be above 5000, and it is 10")


async def test_a_denied_use_names_the_policy_what_lost_and_what_it_depends_on(shop: Site) -> None:
    found = await asked(shop, EXPLAIN, tool="pay", user="bo", arguments={"amount": 9000})
    assert (found["effect"], found["rule"]) == ("deny", "limit")
    first, second = found["policies"]
    assert (first["policy"], first["decisive"], first["why"]) == ("limit", True, "denies it")
    assert second["why"] == "allows it, but that loses against limit"
    assert "it depends on the argument amount" in found["needed"][0]
    assert "arguments.amount" in found["inputs"]


async def test_default_deny_is_said_plainly_with_what_would_be_needed(shop: Site) -> None:
    await put_in_force(shop, rule("clerks", roles=["developer"], tools=["refund"]))
    found = await asked(shop, EXPLAIN, tool="refund", roles=["operator"])
    assert found["rule"] == "builtin:default-deny"
    assert "no policy allows it, and what no policy allows is denied" in found["reason"]
    assert (
        "The policy clerks would allow it: give the caller the role developer." in (found["needed"])
    )


async def test_a_missing_permission_is_named_with_roles_that_have_it(shop: Site) -> None:
    found = await asked(shop, EXPLAIN, tool="pay", roles=["viewer"], action="invoke")
    assert "what a caller does not see" in found["reason"].lower() or found["effect"] == "deny"
    await put_in_force(shop, rule("viewers", roles=["viewer"]))
    found = await asked(shop, EXPLAIN, tool="pay", roles=["viewer"])
    assert found["rule"] == "builtin:needs tools:execute"
    assert "developer" in found["needed"][0]


async def test_a_privileged_tool_is_explained_as_needing_an_elevation(shop: Site) -> None:
    found = await asked(shop, EXPLAIN, tool="wipe", user="bo")
    assert (found["effect"], found["rule"]) == ("elevate", "builtin:privileged")
    assert "once an elevation is approved" in found["reason"]
    assert "Ask for an elevation" in found["needed"][0]


async def test_who_may_not_see_a_tool_is_told_that_this_is_why(shop: Site) -> None:
    await put_in_force(shop, rule("hide", "deny", tools=["pay"], actions=["discover"]))
    found = await asked(shop, EXPLAIN, tool="pay", user="bo", arguments={})
    assert (found["effect"], found["rule"]) == ("deny", "hide")
    assert found["reason"].endswith("What a caller does not see, it cannot call.")


async def test_without_a_caller_it_is_about_who_asks(shop: Site) -> None:
    found = await asked(shop, EXPLAIN, "admin", tool="pay", arguments={})
    assert found["caller"]["name"] == "admin"
    assert found["rule"] == "builtin:admin"


async def test_a_key_is_asked_about_by_its_name(shop: Site) -> None:
    found = await asked(shop, EXPLAIN, tool="pay", key="user", arguments={})
    assert (found["caller"]["name"], found["effect"]) == ("user", "allow")


async def test_groups_bring_the_roles_they_are_mapped_to(shop: Site) -> None:
    found = await asked(shop, EXPLAIN, tool="pay", groups=["/desk"], arguments={})
    assert found["caller"]["roles"] == ["user"]
    assert found["effect"] == "allow"


async def test_a_closed_window_says_when_it_opens_next(shop: Site) -> None:
    office = {"windows": [{"days": ["mon"], "from": "09:00", "to": "17:00"}]}
    await put_in_force(
        shop, rule("office", "allow", type="condition", roles=["operator"], when=office)
    )
    night = NOON.replace(hour=20).isoformat()
    found = await asked(shop, EXPLAIN, tool="pay", roles=["operator"], time=night)
    assert "it applies again from Monday, 2026-05-11 09:00 UTC" in str(found["policies"])
    assert any("wait until Monday, 2026-05-11 09:00 UTC" in one for one in found["needed"])


async def test_an_address_outside_the_networks_is_named(shop: Site) -> None:
    await put_in_force(
        shop,
        rule(
            "inside",
            type="condition",
            roles=["operator"],
            when={"networks": ["10.0.0.0/8"]},
        ),
    )
    found = await asked(shop, EXPLAIN, tool="pay", roles=["operator"], ip="192.0.2.7")
    assert "192.0.2.7 is outside 10.0.0.0/8" in str(found["policies"])
    inside = await asked(shop, EXPLAIN, tool="pay", roles=["operator"], ip="10.1.2.3", arguments={})
    assert inside["rule"] == "inside"


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ({"tool": "payy"}, "There is no tool named payy. Did you mean pay?"),
        ({"tool": "pay", "user": "boo"}, "There is no user named boo. Did you mean bo?"),
        ({"tool": "pay", "roles": ["usr"]}, "There is no role named usr. Did you mean user?"),
        ({"tool": "pay", "key": "usr"}, "There is no key named usr. Did you mean user?"),
        ({"tool": "pay", "bundle": "shopp"}, "There is no bundle named shopp. Did you mean shop?"),
        ({"tool": "pay", "key": "user", "user": "bo"}, "give the key alone"),
        ({"tool": "pay@9"}, "pay is here in version 1.0.0, not 9"),
    ],
)
async def test_what_is_not_there_is_refused_with_what_was_meant(
    shop: Site, body: dict[str, Any], hint: str
) -> None:
    assert hint in (await refused(shop, EXPLAIN, **body))["message"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"tool": ""},
        {"tool": "pay", "ip": "300.1.1.1"},
        {"tool": "pay", "time": "yesterday"},
        {"tool": "pay", "time": "2026-05-04T12:00:00"},
        {"tool": "pay", "arguments": [1]},
        {"tool": "pay", "roles": ["user"] * 51},
        {"tool": "pay", "colour": "red"},
        {"tool": "pay", "kind": "resource"},
    ],
)
async def test_a_malformed_question_is_refused(shop: Site, body: dict[str, Any]) -> None:
    response = await shop.post(EXPLAIN, json=body)
    assert response.status_code in {400, 422}
    assert error_of(response)["code"].startswith("E2")


async def test_another_tenant_is_not_asked_about(shop: Site) -> None:
    response = await shop.post(EXPLAIN, tenant="acme", json={"tool": "pay"})
    assert "There is no tool named pay" in error_of(response)["message"]


async def test_a_draft_is_tried_without_being_in_force(shop: Site) -> None:
    drafted = await shop.ask(
        "PUT", "/api/admin/policy/drafts/looser", json={"changes": {"limit": None}}
    )
    assert drafted.is_success, drafted.text
    body: dict[str, Any] = {"tool": "pay", "user": "bo", "arguments": {"amount": 9000}}
    found = await asked(shop, SIMULATE, **body, draft="looser")
    assert found["changes"] is True
    assert found["decision"]["effect"] == "allow"
    assert found["in_force"]["effect"] == "deny"
    assert (await asked(shop, EXPLAIN, **body))["effect"] == "deny"
    missing = await shop.post(SIMULATE, json={**body, "draft": "losser"})
    assert missing.status_code == 404


async def test_callers_learn_about_themselves_only_what_they_see(shop: Site) -> None:
    await put_in_force(shop, rule("hide", "deny", tools=["refund"]))

    async def told(tool: str, role: str = "user") -> dict[str, Any]:
        response = await shop.get(OWN, role, params={"tool": tool})
        assert response.status_code == 200
        return response.json()

    seen = await told("pay")
    assert (seen["effect"], seen["reason"]) == ("allow", "You may call pay.")
    assert seen["depends_on"] == ["arguments"]
    hidden, unknown = await told("refund"), await told("refunt")
    assert hidden["reason"].replace("refund", "X") == unknown["reason"].replace("refunt", "X")
    assert {**hidden, "tool": "", "reason": ""} == {**unknown, "tool": "", "reason": ""}
    assert (await told("wipe"))["effect"] == "elevate"
    assert (await told("pay", "viewer"))["effect"] == "deny"


async def test_the_public_sentence_of_a_denial_is_what_its_caller_reads(shop: Site) -> None:
    await put_in_force(
        shop, rule("shut", "deny", tools=["pay"], actions=["invoke"], public="Closed this week.")
    )
    found = (await shop.get(OWN, "user", params={"tool": "pay"})).json()
    assert (found["effect"], found["reason"]) == ("deny", "Closed this week.")


def cells(found: dict[str, Any]) -> set[tuple[str, str, str, str]]:
    return {
        (one["tool"], one["kind"], one["name"], one["invoke"]["effect"]) for one in found["cells"]
    }


async def test_the_matrix_names_everybody_who_can(shop: Site) -> None:
    found = await asked(shop, WHO_CAN, tool="wipe", only="invoke")
    assert cells(found) >= {
        ("wipe", "role", "user", "elevate"),
        ("wipe", "group", "/desk", "elevate"),
        ("wipe", "user", "bo", "elevate"),
        ("wipe", "key", "user", "elevate"),
        ("wipe", "role", "admin", "elevate"),
    }
    assert not any(name == "viewer" for _, _, name, _ in cells(found))
    assert found["next"] is None


async def test_a_pattern_and_a_kind_narrow_the_matrix(shop: Site) -> None:
    found = await asked(shop, WHO_CAN, tool="*e*", kinds=["role"], only="invoke")
    assert {one["tool"] for one in found["cells"]} == {"refund", "wipe"}
    assert {one["kind"] for one in found["cells"]} == {"role"}


async def test_a_caller_is_told_which_tools(shop: Site) -> None:
    found = await asked(shop, WHO_CAN, user="bo")
    assert {one["tool"]: one["invoke"]["effect"] for one in found["cells"]} == {
        "pay": "allow",
        "refund": "allow",
        "wipe": "elevate",
    }
    pay = next(one for one in found["cells"] if one["tool"] == "pay")
    assert pay["depends_on"] == ["arguments"]
    assert (pay["discover"]["rule"], pay["invoke"]["rule"]) == ("users", "users")


async def test_pages_of_the_matrix_hold_what_the_whole_holds(shop: Site) -> None:
    whole = await asked(shop, WHO_CAN, only="all", limit=500)
    assert len(whole["cells"]) == whole["total"] == whole["tools"] * whole["callers"]
    paged: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = await asked(shop, WHO_CAN, only="all", limit=7, after=after)
        assert len(page["cells"]) <= 7
        paged += page["cells"]
        after = page["next"]
    assert paged == whole["cells"]


async def test_pages_that_leave_cells_out_lose_none(shop: Site) -> None:
    whole = await asked(shop, WHO_CAN, only="elevate", limit=500)
    paged: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = await asked(shop, WHO_CAN, only="elevate", limit=2, after=after)
        paged += page["cells"]
        after = page["next"]
    assert paged == whole["cells"]


class Looks(dict[tuple[str, str], Person]):
    """People, and how often somebody went through all of them."""

    count = 0

    def values(self) -> Any:
        self.count += 1
        return super().values()


async def test_many_users_and_a_late_page_do_not_hold_others_up(shop: Site) -> None:
    """All is done in one go, within the process that serves everybody's calls."""
    people = Looks({("", str(n)): Person(str(n), f"u{n}", frozenset({"user"})) for n in range(500)})
    snapshot = shop.control.snapshot()
    view = replace(snapshot.tenant("default"), people=people)
    snapshot = replace(snapshot, tenants={**snapshot.tenants, "default": view})
    control = replace(shop.control, snapshot=lambda: snapshot)
    caller = Caller(Principal("default", "ann", frozenset({"admin"})), "c-1")
    found = await who_can(control, caller, WhoCan(kinds=[PartyKind.USER], only=Only.ALL, limit=500))
    assert {one.name for one in found.cells} == {f"u{n}" for n in range(500)}
    assert people.count < 10
    last = await who_can(
        control, caller, WhoCan(kinds=[PartyKind.USER], only=Only.ALL, after=found.total - 2)
    )
    assert ([one.tool for one in last.cells], last.next) == (["wipe", "wipe"], None)
    beyond = await who_can(control, caller, WhoCan(kinds=[PartyKind.USER], after=10**12))
    assert (beyond.cells, beyond.next) == ([], None)


async def test_the_matrix_agrees_with_the_explanations(shop: Site) -> None:
    found = await asked(shop, WHO_CAN, only="all", kinds=["role"], arguments={"amount": 9000})
    for cell in found["cells"]:
        told = await asked(
            shop, EXPLAIN, tool=cell["tool"], roles=[cell["name"]], arguments={"amount": 9000}
        )
        assert (told["effect"], told["rule"]) == (cell["invoke"]["effect"], cell["invoke"]["rule"])


async def test_a_tool_that_is_not_there_is_no_empty_matrix(shop: Site) -> None:
    assert "Did you mean pay?" in (await refused(shop, WHO_CAN, tool="payy"))["message"]
    assert (await asked(shop, WHO_CAN, tool="zz*"))["cells"] == []


# Replay.


async def write(journal: Recorder, number: int, **members: Any) -> None:
    record: dict[str, Any] = {
        "event_id": f"e-{number}",
        "timestamp": NOON + timedelta(seconds=number),
        "event_type": EventType.TOOL_CALL,
        "action": "tools/call",
        "status": Status.SUCCESS,
        "correlation_id": f"c-{number}",
        "tenant": "default",
        "user": "bo",
        "roles": ("user",),
        "tool_name": "pay",
        "tool_version": "1.0.0",
        "rule": "users",
        **members,
    }
    record["arguments"] = mask(record.get("arguments", {}))
    await journal.append(AuditRecord(**record))


@pytest.fixture
async def recorded(prepared_database: Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A site with a real journal of a few calls."""
    file = Path(shutil.copy(prepared_database, tmp_path))
    async with open_journal(JournalConfig(tmp_path / "audit")) as journal:
        await write(journal, 1, arguments={"amount": 10})
        await write(journal, 2, arguments={"amount": 9000})
        await write(journal, 3, arguments={"amount": 9_000_000})
        await write(journal, 4, roles=())
        await write(journal, 5, tool_name="gone")
        await write(journal, 6, tool_name="refund", user="ann", arguments={"note": "hello you"})
        await write(journal, 7, status=Status.DENIED, rule="", error_code="E3001", user="eve")
        await write(journal, 8, action="tools/list", arguments=None)
        await write(journal, 9, tenant="acme", arguments={"amount": 9000})
        await write(journal, 10, rule="", status=Status.FAILURE, error_code="E2002")
        async with open_site(file, journal) as site:
            await stock(site, a_tool("pay"), a_tool("refund"))
            await put_in_force(site, rule("users"))
            yield site


async def replayed(site: Site, **body: Any) -> dict[str, Any]:
    return await asked(site, REPLAY, since=NOON.isoformat(), **body)


async def test_calls_are_compared_with_what_was_recorded(recorded: Site) -> None:
    found = await replayed(recorded)
    [comparison] = found["comparisons"]
    assert comparison["before"] == "what was recorded"
    assert comparison["after"].startswith("the policies in force (version ")
    assert found["looked_at"] == 8
    assert found["gone"] == {
        "calls": 1,
        "names": 1,
        "tools": [{"name": "gone", "calls": 1}],
    }
    assert comparison["by_change"] == {"denied_to_allowed": 1}
    assert comparison["uncertain"] == {"roles": 1, "outcome": 1}
    assert comparison["unchanged"] == 4
    [example] = comparison["examples"]
    assert (example["correlation_id"], example["user"], example["tool"]) == ("c-7", "eve", "pay")
    assert found["is_complete"] is True


async def test_a_draft_is_compared_with_what_is_in_force(recorded: Site) -> None:
    body = {key: value for key, value in LIMIT.items() if key != "name"}
    changes = {
        "limit": body,
        "extra": {key: one for key, one in rule("x").items() if key != "name"},
    }
    drafted = await recorded.ask(
        "PUT", "/api/admin/policy/drafts/tighter", json={"changes": changes}
    )
    assert drafted.is_success, drafted.text
    found = await replayed(recorded, draft="tighter")
    first, second = found["comparisons"]
    assert first["after"] == "the draft tighter"
    assert second["before"] == "what was recorded"
    assert first["by_change"] == {"allowed_to_denied": 1}
    # The number of the third is masked; that of the others is known, or no policy looks at it.
    assert first["uncertain"] == {"roles": 1, "arguments": 1}
    assert first["tools"] == [{"name": "pay", "total": 1, "by_change": {"allowed_to_denied": 1}}]
    assert first["users"][0]["name"] == "bo"
    [example] = first["examples"]
    assert example["correlation_id"] == "c-2"
    assert (example["before"]["rule"], example["after"]["rule"]) == ("users", "limit")


async def test_a_replay_is_narrowed_by_time_tool_and_user(recorded: Site) -> None:
    later = (NOON + timedelta(seconds=6)).isoformat()
    assert (await asked(recorded, REPLAY, since=later))["looked_at"] == 3
    assert (await replayed(recorded, tool="refund"))["looked_at"] == 1
    assert (await replayed(recorded, user="eve"))["looked_at"] == 1
    assert (await asked(recorded, REPLAY))["looked_at"] == 0  # they are of longer ago than a week


async def test_a_span_that_ends_before_it_begins_is_refused(recorded: Site) -> None:
    late = (NOON + timedelta(days=1)).isoformat()
    error = await refused(recorded, REPLAY, since=late, until=NOON.isoformat())
    assert "ends before it begins" in error["message"]


async def test_only_who_reads_policies_and_records_replays(recorded: Site) -> None:
    for role, permission in (("developer", "audit:read"), ("user", "audit:read")):
        response = await recorded.post(REPLAY, role, json={})
        assert response.status_code == 403
        assert error_of(response)["details"] == {"permission": permission}


async def test_one_replay_of_a_tenant_runs_at_a_time(recorded: Site) -> None:
    answers: list[httpx2.Response] = await asyncio.gather(
        *(recorded.post(REPLAY, json={"since": NOON.isoformat()}) for _ in range(3))
    )
    codes = sorted(one.status_code for one in answers)
    assert codes[0] == 200
    assert set(codes) <= {200, 409}
    assert codes.count(409) == 2
    assert (await recorded.post(REPLAY, json={})).status_code == 200
