"""Every change of policies is a version; drafts become versions once their tests pass."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from bascule.api.caller import Caller
from bascule.api.policing import Note, enact
from bascule.gateway.principal import Principal
from bascule.gateway.rule import Effect, Rule, RuleKind
from bascule.storage.documents import PolicyState
from unit.api.policies import ALLOW_ANN, CANDID, OPEN_ALL, rego_of, with_engine
from unit.api.site import Site, altered, contents, document, error_of

POLICIES = "/api/admin/policies"
VERSIONS = "/api/admin/policy/versions"
DRAFTS = "/api/admin/policy/drafts"
TESTS = "/api/admin/policy/tests"
TEST = "/api/admin/policy/test"
CALLER = Caller(Principal("default", "asha", frozenset({"admin"}), frozenset()), "c")
LIST = {"type": "deny_list", "tools": ["refund"]}
USERS = {"effect": "allow", "roles": ["user"]}


async def change(site: Site, reason: str = "", **changes: Any) -> httpx2.Response:
    return await site.post(VERSIONS, json={"changes": changes, "reason": reason})


async def policies(site: Site) -> dict[str, Any]:
    found = (await site.get(POLICIES)).json()["policies"]
    return {one["name"]: one["priority"] for one in found}


async def publish_tools(site: Site, *names: str) -> None:
    assert (await site.upload(document(*names), auto_publish="true")).is_success


async def keep(site: Site, name: str, expect: str, rule: str = "", **case: Any) -> None:
    body = {"case": {"tool": "refund", "roles": ["user"], **case}, "expect": expect, "rule": rule}
    response = await site.ask("PUT", f"{TESTS}/{name}", json=body)
    assert response.is_success, response.text


async def test_every_change_says_who_made_it_when_why_and_what_it_changed(site: Site) -> None:
    await site.post(POLICIES, json={"name": "users", **USERS, "reason": "opening"})
    put = {"name": "users", **USERS, "tools": ["get_*"], "priority": 5}
    await site.ask("PUT", f"{POLICIES}/users", json=put)
    await site.delete(f"{POLICIES}/users")
    found = (await site.get(VERSIONS)).json()
    assert (found["total"], found["page"], found["limit"]) == (3, 1, 50)
    assert [(one["number"], one["changes"][0]["change"]) for one in found["versions"]] == [
        (3, "removed"),
        (2, "changed"),
        (1, "added"),
    ]
    shown = (await site.get(f"{VERSIONS}/2")).json()
    assert (shown["author"], shown["reason"], shown["origin"]) == ("admin", "", "")
    (diff,) = shown["diff"]
    assert diff["lines"] == ["~ priority: 0 -> 5", "+ tools: get_*"]
    assert (diff["before"]["tools"], diff["after"]["tools"]) == ([], ["get_*"])
    first = (await site.get(f"{VERSIONS}/1")).json()
    assert (first["reason"], first["diff"][0]["before"]) == ("opening", None)
    assert "+ roles: user" in first["diff"][0]["lines"]


async def test_versions_come_in_pages(site: Site) -> None:
    for number in range(5):
        await change(site, one={**USERS, "priority": number})
    page = (await site.get(VERSIONS, params={"page": 2, "limit": 2})).json()
    assert ([one["number"] for one in page["versions"]], page["total"]) == ([3, 2], 5)
    for params in ({"limit": 0}, {"limit": 501}, {"page": 0}):
        assert (await site.get(VERSIONS, params=params)).status_code == 400


async def test_the_version_in_force_is_that_of_the_snapshot(site: Site) -> None:
    assert site.control.snapshot().tenant("default").policy_version == 0
    await change(site, users=USERS)
    await change(site, users=None)
    assert site.control.snapshot().tenant("default").policy_version == 2
    assert site.control.snapshot().tenant("acme").policy_version == 0


async def test_several_policies_change_as_one_version_or_not_at_all(site: Site) -> None:
    made = await change(site, "night", users=USERS, list=LIST)
    assert (made.status_code, made.json()) == (
        201,
        {
            "version": 1,
            "changes": [
                {"policy": "list", "change": "added"},
                {"policy": "users", "change": "added"},
            ],
        },
    )
    before = contents(site)
    wrong = {**USERS, "roles": ["usr"]}
    for changes in (
        {"users": None, "other": wrong},
        {"users": None, "gone": None},
        {"users": {"effect": "allow"}},
        {"x" * 101: USERS},
    ):
        assert not (await change(site, **changes)).is_success
    assert contents(site) == before


async def test_ten_thousand_policies_are_one_version(site: Site) -> None:
    changes = {f"p{number}": PolicyState(_listing(number)) for number in range(10_000)}
    async with site.control.change(CALLER, "policy.change", "many") as rows:
        number, made = await enact(site.control, CALLER, rows, changes, Note())
    assert (number, len(made)) == (1, 10_000)
    assert len(site.control.snapshot().tenant("default").rules) == 10_000
    assert (await change(site, p5=None, one=LIST)).json()["version"] == 2


def _listing(number: int) -> Rule:
    tools = frozenset({f"t{number}"})
    return Rule(f"p{number}", Effect.DENY, frozenset(), kind=RuleKind.DENY_LIST, tools=tools)


async def test_two_versions_are_told_apart(site: Site) -> None:
    await change(site, a=USERS, b=USERS)
    await change(site, a={**USERS, "priority": 1})
    await change(site, b=None, c=USERS)
    diff = (await site.get(f"{VERSIONS}/1/diff")).json()
    assert (diff["before"], diff["after"]) == (1, 3)
    assert [(one["policy"], one["change"]) for one in diff["diff"]] == [
        ("a", "changed"),
        ("b", "removed"),
        ("c", "added"),
    ]
    back = (await site.get(f"{VERSIONS}/2/diff", params={"to": 1})).json()
    assert [one["lines"] for one in back["diff"]] == [["~ priority: 1 -> 0"]]
    assert (await site.get(f"{VERSIONS}/0/diff", params={"to": 0})).json()["diff"] == []
    for path in (f"{VERSIONS}/4/diff", f"{VERSIONS}/1/diff?to=9", f"{VERSIONS}/9"):
        response = await site.get(path)
        assert (response.status_code, error_of(response)["code"]) == (404, "E2011")


async def test_a_version_is_undone_by_a_new_one(site: Site) -> None:
    await change(site, a=USERS)
    await change(site, a={**USERS, "priority": 7}, b=USERS)
    await change(site, c=USERS)
    made = await site.post(f"{VERSIONS}/2/revert", json={"reason": "too much"})
    assert made.json()["version"] == 4
    assert await policies(site) == {"a": 0, "c": 0}
    shown = (await site.get(f"{VERSIONS}/4")).json()
    assert (shown["reason"], shown["origin"]) == ("too much", "revert of version 2")


async def test_a_version_is_not_undone_where_a_policy_was_changed_since(site: Site) -> None:
    await change(site, a=USERS, b=USERS)
    await change(site, a={**USERS, "priority": 7})
    before = contents(site)
    refused = await site.post(f"{VERSIONS}/1/revert")
    error = error_of(refused)
    assert (refused.status_code, error["code"]) == (409, "E2012")
    assert error["message"].startswith("a (version 2) changed since version 1.")
    assert error["details"]["policies"] == ["a"]
    assert contents(site) == before


async def test_a_whole_version_is_restored_by_a_new_one(site: Site) -> None:
    await change(site, a=USERS, b=USERS)
    await change(site, a={**USERS, "priority": 7}, b=None)
    await change(site, c=USERS)
    made = await site.post(f"{VERSIONS}/1/restore", headers={"x-bascule-reason": "back"})
    assert made.json()["version"] == 4
    assert await policies(site) == {"a": 0, "b": 0}
    assert (await site.get(f"{VERSIONS}/4")).json()["reason"] == "back"
    assert (await site.get(f"{VERSIONS}/1/diff")).json()["diff"] == []
    again = (await site.post(f"{VERSIONS}/1/restore")).json()
    assert again == {"version": 4, "changes": []}
    await site.post(f"{VERSIONS}/0/restore")
    assert await policies(site) == {}


async def test_a_role_that_is_gone_keeps_what_names_it_from_coming_back(site: Site) -> None:
    role = {"name": "porter", "permissions": ["tools:list"]}
    await site.post("/api/admin/roles", json=role)
    await change(site, a={**USERS, "roles": ["porter"]})
    await change(site, a=None)
    await site.delete("/api/admin/roles/porter")
    refused = error_of(await site.post(f"{VERSIONS}/2/revert"))
    assert refused["message"].startswith("Unknown roles: porter.")


async def test_a_draft_changes_nothing_until_it_is_published(site: Site) -> None:
    await change(site, a=USERS, b=USERS)
    body = {"changes": {"a": None, "c": LIST}, "reason": "tidy"}
    put = await site.ask("PUT", f"{DRAFTS}/tidy", json=body)
    assert put.status_code == 200, put.text
    draft = put.json()
    assert (draft["base"], draft["policies"], draft["conflicts"]) == (1, ["a", "c"], [])
    assert draft["changes"]["c"]["tools"] == ["refund"]
    assert await policies(site) == {"a": 0, "b": 0}
    diff = (await site.get(f"{DRAFTS}/tidy/diff")).json()
    assert (diff["before"], diff["after"]) == (1, None)
    assert [(one["policy"], one["change"]) for one in diff["diff"]] == [
        ("a", "removed"),
        ("c", "added"),
    ]
    made = await site.post(f"{DRAFTS}/tidy/publish")
    assert made.json()["version"] == 2
    assert await policies(site) == {"b": 0, "c": 0}
    shown = (await site.get(f"{VERSIONS}/2")).json()
    assert (shown["reason"], shown["origin"]) == ("tidy", "draft tidy")
    assert (await site.get(f"{DRAFTS}/tidy")).status_code == 404


async def test_a_draft_is_changed_a_bit_at_a_time(site: Site) -> None:
    await site.ask("PUT", f"{DRAFTS}/d", json={"changes": {"a": USERS, "b": LIST}, "reason": "x"})
    patched = await site.ask(
        "PATCH", f"{DRAFTS}/d", json={"changes": {"c": None}, "drop": ["a", "z"]}
    )
    assert (patched.json()["policies"], patched.json()["reason"]) == (["b", "c"], "x")
    (listed,) = (await site.get(DRAFTS)).json()["drafts"]
    assert "changes" not in listed
    assert (await site.delete(f"{DRAFTS}/d")).json() == {"removed": "d"}
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/publish")):
        options = {} if method in {"GET", "DELETE"} else {"json": {}}
        response = await site.ask(method, f"{DRAFTS}/d{path}", **options)
        assert (response.status_code, error_of(response)["code"]) == (404, "E2011")


async def test_a_draft_on_what_was_changed_since_is_a_conflict_until_it_has_a_new_base(
    site: Site,
) -> None:
    await change(site, a=USERS)
    changes = {"changes": {"a": {**USERS, "priority": 1}}}
    await site.ask("PUT", f"{DRAFTS}/d", json=changes)
    await change(site, other=USERS)
    assert (await site.get(f"{DRAFTS}/d")).json()["conflicts"] == []
    await change(site, a={**USERS, "priority": 2})
    assert (await site.get(f"{DRAFTS}/d")).json()["conflicts"] == ["a"]
    refused = await site.post(f"{DRAFTS}/d/publish")
    error = error_of(refused)
    assert (refused.status_code, error["details"]) == (409, {"policies": ["a"], "base": 1})
    assert (await policies(site))["a"] == 2
    early = await site.ask("PATCH", f"{DRAFTS}/d", json={"base": 9})
    assert "up to 3, not 9" in error_of(early)["message"]
    await site.ask("PATCH", f"{DRAFTS}/d", json={"base": 3})
    assert (await site.post(f"{DRAFTS}/d/publish")).is_success
    assert (await policies(site))["a"] == 1


async def test_of_drafts_published_at_the_same_time_one_wins_and_no_number_is_left_out(
    site: Site,
) -> None:
    await change(site, a=USERS)
    for number in range(4):
        body = {"changes": {"a": {**USERS, "priority": number + 1}, f"own{number}": USERS}}
        assert (await site.ask("PUT", f"{DRAFTS}/d{number}", json=body)).is_success
    answers = await asyncio.gather(
        *(site.post(f"{DRAFTS}/d{number}/publish") for number in range(4)),
        *(change(site, **{f"b{number}": USERS}) for number in range(4)),
    )
    assert sorted(one.status_code for one in answers[:4]) == [200, 409, 409, 409]
    assert [one.status_code for one in answers[4:]] == [201] * 4
    numbers = [one["number"] for one in (await site.get(VERSIONS)).json()["versions"]]
    assert numbers == [6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ({"changes": {"a": {"type": "rbac"}}}, "changes.a: rbac: say its effect"),
        ({"changes": {"a": {**USERS, "roles": ["usr"]}}}, "Unknown roles: usr"),
        ({"changes": {"a\nb": USERS}}, "control characters"),
        ({"changes": {"a": USERS}, "base": 1}, "up to 0, not 1"),
        ({"changes": {"a": USERS}, "base": -1}, "greater than or equal to 0"),
        ({"changes": {"a": rego_of(ALLOW_ANN)}}, "policy.rego_engine"),
        ({"change": {}}, "did you mean changes?"),
    ],
)
async def test_a_draft_that_is_not_right_is_refused(
    site: Site, body: dict[str, Any], hint: str
) -> None:
    before = contents(site)
    error = error_of(await site.ask("PUT", f"{DRAFTS}/d", json=body))
    assert hint in error["message"]
    assert contents(site) == before


async def test_a_draft_has_a_name_without_a_slash(site: Site) -> None:
    wrong = await site.ask("PUT", f"{DRAFTS}/a%2Fb", json={"changes": {}})
    assert wrong.status_code in {400, 404, 405}
    named = await site.ask("PUT", f"{DRAFTS}/night shift ü", json={"changes": {}})
    assert named.json()["name"] == "night shift ü"


async def test_a_change_that_fails_a_test_is_refused_whichever_way_it_is_made(site: Site) -> None:
    await publish_tools(site, "refund")
    await change(site, users=USERS)
    await keep(site, "users refund", "allow", rule="users")
    assert (await site.post(TEST)).json() == {
        "passed": 1,
        "failed": 0,
        "tests": [
            {
                "name": "users refund",
                "passed": True,
                "expected": "allow",
                "actual": "allow",
                "rule": "users",
                "message": "",
            }
        ],
    }
    await site.ask("PUT", f"{DRAFTS}/d", json={"changes": {"no": LIST}})
    before = contents(site)
    attempts = [
        site.post(POLICIES, json={"name": "no", **LIST}),
        site.ask("PUT", f"{POLICIES}/no", json={"name": "no", **LIST}),
        site.delete(f"{POLICIES}/users"),
        change(site, no=LIST),
        site.post(f"{VERSIONS}/1/revert"),
        site.post(f"{VERSIONS}/0/restore"),
        site.post(f"{DRAFTS}/d/publish"),
    ]
    for attempt in attempts:
        refused = await attempt
        error = error_of(refused)
        assert (refused.status_code, error["code"]) == (409, "E2012")
        assert "users refund: it is deny by" in error["message"]
        assert [one["name"] for one in error["details"]["failed"]] == ["users refund"]
        assert contents(site) == before
    report = (await site.post(f"{DRAFTS}/d/test")).json()
    assert (report["failed"], report["tests"][0]["rule"]) == (1, "no")
    assert (await site.post(TEST, json={"draft": "d"})).json() == report


async def test_a_test_may_demand_the_policy_that_decides(site: Site) -> None:
    await publish_tools(site, "refund")
    await change(site, users=USERS, more={**USERS, "priority": 5})
    await keep(site, "which", "allow", rule="users")
    report = (await site.post(TEST)).json()
    assert report["tests"][0]["message"] == "it is allow by more, not by users"


async def test_a_test_about_what_is_not_there_fails_and_says_so(site: Site) -> None:
    await keep(site, "gone", "deny")
    report = (await site.post(TEST)).json()
    assert "no tool named refund" in report["tests"][0]["message"]
    refused = error_of(await change(site, users=USERS))
    assert "gone: There is no tool named refund" in refused["message"]


async def test_tests_have_times_addresses_and_arguments(site: Site) -> None:
    await publish_tools(site, "refund")
    when = {
        "windows": [{"from": "22:00", "to": "06:00", "zone": "Europe/Berlin"}],
        "networks": ["10.0.0.0/8"],
        "arguments": [{"path": "amount", "op": "above", "value": 100}],
    }
    night = {"type": "condition", "effect": "deny", "when": when}
    await change(site, users=USERS, night=night)
    dark = {"time": "2026-01-05T22:30:00Z", "ip": "10.1.2.3", "arguments": {"amount": 101}}
    await keep(site, "a", "deny", "night", **dark)
    await keep(site, "b", "allow", **{**dark, "time": "2026-01-05T12:30:00+01:00"})
    await keep(site, "c", "allow", **{**dark, "ip": "192.168.0.1"})
    await keep(site, "d", "allow", **{**dark, "arguments": {"amount": 100}})
    report = (await site.post(TEST)).json()
    assert (report["passed"], report["failed"]) == (4, 0), report
    shown = (await site.get(f"{TESTS}/a")).json()
    assert shown["case"] == {"tool": "refund", "roles": ["user"], **dark}


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ({"case": {"tool": "t"}}, "Field required"),
        ({"case": {}, "expect": "deny"}, "Field required"),
        ({"case": {"tool": "t"}, "expect": "maybe"}, "'allow', 'deny' or 'elevate'"),
        ({"case": {"tool": "t", "time": "2026-01-05T22:30:00"}, "expect": "deny"}, "timezone"),
        ({"case": {"tool": "t", "ip": "10.0.0.0/8"}, "expect": "deny"}, "address is written"),
        ({"case": {"tool": "t", "rol": []}, "expect": "deny"}, "did you mean roles?"),
        ({"case": {"tool": "t\u0000"}, "expect": "deny"}, "NUL"),
    ],
)
async def test_a_test_that_is_not_right_is_refused(
    site: Site, body: dict[str, Any], hint: str
) -> None:
    before = contents(site)
    assert hint in error_of(await site.ask("PUT", f"{TESTS}/t", json=body))["message"]
    assert contents(site) == before


async def test_a_test_is_kept_listed_and_removed(site: Site) -> None:
    for name in ("a/b", "ü"):
        await keep(site, name, "deny")
    listed = (await site.get(TESTS)).json()
    assert ([one["name"] for one in listed["tests"]], listed["total"]) == (["a/b", "ü"], 2)
    assert (await site.delete(f"{TESTS}/a%2Fb")).json() == {"removed": "a/b"}
    gone = await site.get(f"{TESTS}/a/b")
    assert (gone.status_code, error_of(gone)["code"]) == (404, "E2011")


async def test_rego_in_a_draft_is_compiled_tested_and_published(site: Site) -> None:
    async with with_engine(site) as able:
        await publish_tools(able, "refund")
        tests = {"authz_test.rego": CANDID}
        wrong = {"changes": {"ours": rego_of(OPEN_ALL, more=tests)}}
        assert (await able.ask("PUT", f"{DRAFTS}/d", json=wrong)).is_success
        report = (await able.post(f"{DRAFTS}/d/test")).json()
        assert [one["name"] for one in report["tests"] if not one["passed"]] == [
            "ours: authz_test.rego: test_strangers_are_refused"
        ]
        assert (await able.post(f"{DRAFTS}/d/publish")).status_code == 409
        right = {"changes": {"ours": rego_of(ALLOW_ANN, more=tests)}}
        await able.ask("PUT", f"{DRAFTS}/d", json=right)
        await keep(able, "ann", "allow", "ours", user="ann")
        await keep(able, "bo", "deny", "ours", user="bo")
        made = await able.post(f"{DRAFTS}/d/publish")
        assert made.status_code == 200, made.text
        lines = (await able.get(f"{VERSIONS}/1")).json()["diff"][0]["lines"]
        assert "+ authz.rego: 4 lines" in lines


class Looking:
    """The inspector of a site; another tenant changes something each time that a test is run."""

    def __init__(self, site: Site) -> None:
        assert site.control.rego is not None
        self._site = site
        self.inspect = site.control.rego.inspect
        self._query = site.control.rego.query
        self.changes: list[bool] = []

    async def query(self, *asked: Any, **more: Any) -> tuple[object, ...]:
        draft = {"changes": {"b": USERS}}
        async with asyncio.timeout(5):
            made = await self._site.ask("PUT", f"{DRAFTS}/theirs", tenant="acme", json=draft)
        self.changes.append(made.is_success)
        return await self._query(*asked, **more)


async def test_nobody_waits_for_the_tests_in_another_tenants_documents(site: Site) -> None:
    ours = {"ours": rego_of(ALLOW_ANN, more={"authz_test.rego": CANDID})}
    async with with_engine(site) as able:
        looking = Looking(able)
        async with altered(able, rego=looking) as watched:
            assert (await watched.ask("PUT", f"{DRAFTS}/d", json={"changes": ours})).is_success
            assert (await watched.post(f"{DRAFTS}/d/publish")).status_code == 200
            made = await watched.post(VERSIONS, json={"changes": {"more": ours["ours"]}})
            assert made.status_code == 201, made.text
            body = {"name": "third", **ours["ours"]}
            made = await watched.post("/api/admin/policies", json=body)
            assert made.status_code == 201, made.text
    assert looking.changes == [True] * 6


async def test_one_tenant_sees_nothing_of_anothers_versions(site: Site) -> None:
    await change(site, a=USERS)
    await site.ask("PUT", f"{DRAFTS}/d", json={"changes": {"b": USERS}})
    await keep(site, "t", "deny")
    for path, member in ((VERSIONS, "versions"), (DRAFTS, "drafts"), (TESTS, "tests")):
        assert (await site.get(path, tenant="acme")).json()[member] == []
    for path in (f"{VERSIONS}/1", f"{DRAFTS}/d", f"{TESTS}/t"):
        assert (await site.get(path, tenant="acme")).status_code == 404


async def test_each_step_is_recorded(site: Site) -> None:
    await publish_tools(site, "refund")
    site.recorder.records.clear()
    await site.ask("PUT", f"{DRAFTS}/d", json={"changes": {"a": USERS}, "reason": "why"})
    await site.ask("PATCH", f"{DRAFTS}/d", json={"drop": ["z"]})
    await keep(site, "t", "allow")
    await site.post(f"{DRAFTS}/d/publish")
    await site.delete(f"{TESTS}/t")
    await site.post(f"{VERSIONS}/1/revert")
    await site.post(f"{VERSIONS}/1/restore")
    found = [(one.action, one.metadata["target"]) for one in site.recorder.records]
    assert found == [
        ("policy_draft.put", "d"),
        ("policy_draft.update", "d"),
        ("policy_test.put", "t"),
        ("policy_draft.publish", "d"),
        ("policy_test.delete", "t"),
        ("policy.revert", "1"),
        ("policy.restore", "1"),
    ]
    published = site.recorder.records[3].metadata
    assert (published["version"], published["reason"]) == (1, "why")
    assert published["policies"] == ["a"]


async def test_rego_whose_tests_are_not_all_found_is_neither_drafted_nor_published(
    site: Site,
) -> None:
    async with with_engine(site) as able:
        for tests, said in (
            ("package t\nchecks_ann if true\n", "authz_test.rego: no test is in this file"),
            ("package t\n", "Name its rules test_"),
        ):
            body = {"ours": rego_of(OPEN_ALL, more={"authz_test.rego": tests})}
            for refused in (
                await able.post(POLICIES, json={"name": "ours", **body["ours"]}),
                await able.ask("PUT", f"{DRAFTS}/d", json={"changes": body}),
                await change(able, **body),
            ):
                assert refused.status_code == 400, refused.text
                assert said in error_of(refused)["message"]
        assert await policies(able) == {}


async def test_tests_in_a_syntax_that_is_not_known_let_nothing_be_published(site: Site) -> None:
    more = {"authz_test.rego": CANDID}
    async with with_engine(site) as able:
        kept = rego_of(ALLOW_ANN, more=more)
        assert (await change(able, ours=kept)).status_code == 201
        engine = able.control.rego
        assert engine is not None

        class Newer:
            """An engine that has learnt a form of rules that nobody else knows yet."""

            query = engine.query

            async def inspect(self, *given: Any, **more: Any) -> Any:
                found = await engine.inspect(*given, **more)
                return replace(found, ast=found.ast.replace(b'"Spec"', b'"NewSpec"'))

        async with altered(able, rego=Newer()) as odd:
            refused = await change(odd, ours=rego_of(OPEN_ALL, more=more))
            assert refused.status_code == 400, refused.text
            said = error_of(refused)["message"]
            assert "authz_test.rego:4: the tests in this file cannot be found" in said
            report = (await odd.post(TEST, json={})).json()
            assert (report["passed"], report["failed"]) == (0, 1)
            assert report["tests"][0]["name"] == "ours: authz_test.rego: (all)"
            assert "cannot be found" in report["tests"][0]["message"]
