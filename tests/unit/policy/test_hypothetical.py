import time
from dataclasses import replace
from typing import Any

import pytest

from bascule.gateway.errors import InvalidValue
from bascule.gateway.inventory import Inventory, ItemKind, Listed, Target
from bascule.gateway.principal import Person
from bascule.gateway.rule import Action, Effect, Rule
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import Bundle, Tool
from bascule.policy.access import Access
from bascule.policy.hypothetical import (
    Case,
    caller_of,
    circumstances_of_case,
    decide_call,
    decide_case,
    missing,
    question_of,
    subject_of,
    user_id_of,
)
from bascule.protocol.versions import Era
from fakes.catalogue import make_tool

NEW, OLD = make_tool("pay", version="2.1.0"), make_tool("pay", version="1.4.0")
LENT = replace(NEW, name="settle", bundle="desk")
PROMPT = Listed("hello", "notes", "notes", "hello", b"{}")
TEMPLATE = Listed("note://{id}", "notes", "notes", "note://{id}", b"{}")
VIEW = TenantView(
    "acme",
    tools={"pay": NEW, "refund": make_tool("refund")},
    disabled=frozenset({"asleep"}),
    versions={"pay": (NEW, OLD)},
    bundles={"booking": Bundle("booking"), "desk": Bundle("desk")},
    bundle_tools={"desk": {"settle": LENT}},
    roles={"user": frozenset({"tools:list", "tools:execute"}), "viewer": frozenset({"tools:list"})},
    group_roles={"/desk": frozenset({"user"})},
    people={("", "u-1"): Person("u-1", "ann", frozenset({"user"}))},
    inventories={
        "notes": Inventory("notes", Era.MODERN, prompts={"hello": PROMPT}, templates=(TEMPLATE,))
    },
    rules=(Rule("users", Effect.ALLOW, frozenset({"user"})),),
)


def test_a_caller_has_the_permissions_of_its_roles_and_of_those_of_its_groups() -> None:
    caller = caller_of(VIEW, Case("pay", user="ann", roles=("viewer",), groups=("/desk", "/else")))
    assert caller.roles == {"viewer", "user"}
    assert caller.permissions == {"tools:list", "tools:execute"}
    assert (caller.subject, caller.user_id, caller.groups) == ("ann", "u-1", {"/desk", "/else"})
    assert caller_of(VIEW, Case("pay"), frozenset({"x"})).permissions == {"x"}
    assert user_id_of(VIEW, "nobody") is None


@pytest.mark.parametrize(
    ("case", "name", "version"),
    [
        (Case("pay"), "pay", "2.1.0"),
        (Case("pay@1"), "pay", "1.4.0"),
        (Case("pay@2.1.0"), "pay", "2.1.0"),
        (Case("settle", bundle="desk"), "settle", "2.1.0"),
        (Case("refund", bundle="booking"), "refund", "1.0.0"),
    ],
)
def test_a_tool_is_found_as_callers_write_it(case: Case, name: str, version: str) -> None:
    found = subject_of(VIEW, case)
    assert isinstance(found, Tool)
    assert (found.name, found.version) == (name, version)


def test_prompts_and_templates_are_found_by_their_names() -> None:
    prompt = subject_of(VIEW, Case("hello", kind=ItemKind.PROMPT))
    template = subject_of(VIEW, Case("note://{id}", kind=ItemKind.TEMPLATE))
    assert isinstance(prompt, Target)
    assert isinstance(template, Target)
    assert (prompt.kind, template.kind) == (ItemKind.PROMPT, ItemKind.TEMPLATE)


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"tool": "payy"}, "There is no tool named payy. Did you mean pay?"),
        ({"tool": "xyzzy"}, "There is no tool named xyzzy. There are pay, refund."),
        ({"tool": "asleep"}, "The tool asleep is not in force"),
        ({"tool": "pay@3"}, "pay is here in version 2.1.0, 1.4.0, not 3."),
        ({"tool": "pay", "bundle": "desk"}, "There is no tool named pay."),
        ({"tool": "pay", "bundle": "dsk"}, "There is no bundle named dsk. Did you mean desk?"),
        ({"tool": "pay", "roles": ("usr",)}, "There is no role named usr. Did you mean user?"),
        ({"tool": "helo", "kind": ItemKind.PROMPT}, "Did you mean hello?"),
        ({"tool": "x", "kind": ItemKind.RESOURCE}, "a tool, a prompt or a resource template"),
        ({"tool": "x" * 10_000}, f"There is no tool named {'x' * 128}. "),
    ],
)
def test_what_is_not_there_is_said_with_what_was_meant(
    members: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidValue) as refused:
        question_of(VIEW, Case(**members))
    assert sentence in refused.value.public


def test_nothing_at_all_has_no_closest_name() -> None:
    assert missing("tool", "pay", ()).public == (
        "There is no tool named pay. There is no tool yet."
    )


def test_circumstances_are_those_of_the_case_or_now() -> None:
    given = circumstances_of_case(Case("pay", moment=5.0, peer="::1", arguments={"a": 1}))
    assert (given.moment, given.peer, given.arguments) == (5.0, "::1", {"a": 1})
    assert abs(circumstances_of_case(Case("pay")).moment - time.time()) < 60
    assert circumstances_of_case(Case("pay")).arguments == {}
    assert circumstances_of_case(Case("pay", arguments=None)).arguments is None
    assert circumstances_of_case(Case("pay", action=Action.DISCOVER)).arguments is None


async def test_a_case_is_decided_as_a_real_use_would_be() -> None:
    access = Access(Snapshot(1, {"acme": VIEW}))
    deadline = time.monotonic() + 5
    allowed = await decide_case(access, VIEW, Case("pay", roles=("user",)), deadline=deadline)
    assert (allowed.effect, allowed.rule) == (Effect.ALLOW, "users")
    denied = await decide_case(access, VIEW, Case("pay"), deadline=deadline)
    assert denied.effect is Effect.DENY


async def test_what_is_not_seen_is_not_called() -> None:
    hide = Rule("hide", Effect.DENY, frozenset({"user"}), actions=frozenset({Action.DISCOVER}))
    view = replace(VIEW, rules=(*VIEW.rules, hide))
    access = Access(Snapshot(1, {"acme": view}))
    deadline = time.monotonic() + 5
    question = question_of(view, Case("pay", roles=("user",)))
    asked, decision = await decide_call(access, question, deadline=deadline, steps=True)
    assert (asked.action, decision.rule) == (Action.DISCOVER, "hide")
    # Prompts are got by name: whether they are listed does not count.
    prompt = Case("hello", roles=("user",), kind=ItemKind.PROMPT)
    assert (await decide_case(access, view, prompt, deadline=deadline)).allowed
