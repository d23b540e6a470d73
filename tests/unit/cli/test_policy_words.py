"""A policy in one row says in words what it does, to whom, about what, and when."""

from typing import Any

import pytest

from bascule.cli.policy_words import COLUMNS, row_of

EMPTY: dict[str, Any] = {
    "name": "p",
    "type": "rbac",
    "effect": "allow",
    **dict.fromkeys(("roles", "users", "groups", "agents", "bundles", "tools", "prompts"), ()),
    **dict.fromkeys(("resources", "risks", "tags"), ()),
    "actions": ["discover", "invoke"],
    "when": {"windows": [], "networks": [], "arguments": []},
    "rate": None,
    "priority": 0,
    "is_active": True,
}
DAY = {
    "days": [],
    "from": "00:00",
    "to": "24:00",
    "zone": "UTC",
    "not_before": None,
    "not_after": None,
}


def row(**members: Any) -> dict[str, Any]:
    return row_of({**EMPTY, **members})


def when(**members: Any) -> str:
    return row(when={**EMPTY["when"], **members})["when"]


def test_a_policy_about_everything_and_everybody_says_so() -> None:
    told = row(type="condition")
    assert [told[column] for column in COLUMNS] == [
        *("p", "allow", "everybody", "everything", "always", "condition", 0, True)
    ]


@pytest.mark.parametrize(
    ("members", "effect"),
    [
        ({"effect": "elevate"}, "elevate"),
        ({"type": "allow_list", "effect": None}, "only these"),
        ({"type": "deny_list", "effect": None}, "deny"),
        ({"type": "rate_limit", "effect": None}, "refuse"),
        ({"type": "rego", "effect": None}, "by its Rego"),
        ({"is_active": False}, "allow, off"),
    ],
)
def test_each_type_says_what_it_does(members: dict[str, Any], effect: str) -> None:
    assert row(**members)["effect"] == effect


def test_who_must_match_in_every_way_that_is_named() -> None:
    told = row(roles=["a", "b"], groups=["night"], users=["ann"], agents=["bot"])
    assert told["who"] == "role a or b and user ann and group night and agent bot"


@pytest.mark.parametrize(
    ("members", "what"),
    [
        ({"tools": ["pay", "get_*"]}, "pay, get_*"),
        ({"tools": ["pay"], "prompts": ["hi"], "resources": ["x:*"]},
         "pay, prompt hi, resource x:*"),
        ({"bundles": ["a", "b"], "risks": ["read", "write"]},
         "everything in a or b; risk read or write"),
        ({"tags": ["pii"], "actions": ["discover"]}, "everything; tag pii; only to see"),
        ({"actions": ["invoke"]}, "everything; only to call"),
    ],
)  # fmt: skip
def test_what_it_is_about_is_on_one_line(members: dict[str, Any], what: str) -> None:
    assert row(**members)["what"] == what


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"windows": [DAY]}, "every day"),
        ({"windows": [{**DAY, "days": ["sat", "sun"]}]}, "sat, sun UTC"),
        ({"windows": [{**DAY, "from": "18:00", "to": "08:00"}, {**DAY, "days": ["sun"]}]},
         "18:00-08:00 UTC or sun UTC"),
        ({"windows": [{**DAY, "not_before": "2026-12-01T00:00:00Z"}]}, "from 2026-12-01T00:00:00Z"),
        ({"networks": ["10.0.0.0/8", "::1/128"]}, "from 10.0.0.0/8 or ::1/128"),
        ({"arguments": [{"path": "price", "op": "at_most", "value": 5},
                        {"path": ["a.b", "c"], "op": "absent", "value": None}]},
         'price at most 5 and ["a.b", "c"] absent'),
        ({"windows": [{**DAY, "days": ["mon"]}], "networks": ["::1/128"]}, "mon UTC; from ::1/128"),
    ],
)  # fmt: skip
def test_when_it_applies_is_on_one_line(members: dict[str, Any], words: str) -> None:
    assert when(**members) == words


@pytest.mark.parametrize(
    ("per", "words"), [(["agent", "tool"], " per agent and tool"), ([], "")]
)  # fmt: skip
def test_a_rate_says_beyond_what_calls_are_refused(per: list[str], words: str) -> None:
    rate = {"calls": 30, "window_seconds": 60.0, "per": per}
    assert row(type="rate_limit", rate=rate)["when"] == f"beyond 30 calls in 60 s{words}"
