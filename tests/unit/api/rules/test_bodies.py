"""A policy as JSON and the rule it is made into say the same."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bascule.api.rules.bodies import PolicyBody, PolicyShown, rule_of, shown_of
from bascule.gateway.rego import RegoDocument
from bascule.gateway.rule import Action, Effect, Rate, Rule, RuleKind
from bascule.gateway.tool import RiskLevel
from bascule.storage.documents import PolicyState

_NAMES = st.lists(st.sampled_from(["a", "b*", "c"]), max_size=3)
_BODIES = st.fixed_dictionaries(
    {"type": st.just("deny_list"), "tools": st.just(["refund"])},
    optional={
        "roles": _NAMES,
        "users": _NAMES,
        "groups": _NAMES,
        "agents": _NAMES,
        "actions": st.sampled_from([["invoke"], ["discover", "invoke"]]),
        "bundles": _NAMES,
        "prompts": _NAMES,
        "resources": _NAMES,
        "risks": st.lists(st.sampled_from([one.value for one in RiskLevel])),
        "tags": _NAMES,
        "priority": st.integers(-1000, 1000),
        "public": st.sampled_from(["", "Ask Bo."]),
        "description": st.sampled_from(["", "Two\nlines."]),
        "is_active": st.booleans(),
    },
)


@given(_BODIES)
def test_what_is_shown_of_a_policy_makes_the_same_policy(given_body: dict[str, Any]) -> None:
    body = PolicyBody.model_validate(given_body)
    state = PolicyState(rule_of("one", body), body.description, body.is_active)
    shown = PolicyShown(**shown_of(state)).model_dump(mode="json", by_alias=True)
    name = shown.pop("name")
    again = PolicyBody.model_validate(shown)
    assert PolicyState(rule_of(name, again), again.description, again.is_active) == state


def test_each_type_has_the_effect_that_it_means() -> None:
    bodies: dict[str, dict[str, Any]] = {
        "allow_list": {"tools": ["a"]},
        "deny_list": {"tools": ["a"]},
        "rate_limit": {"rate": {"calls": 1}},
        "rego": {"rego": {"modules": {"a.rego": ""}}},
    }
    found = {
        kind: rule_of("one", PolicyBody.model_validate({"type": kind, **body})).effect
        for kind, body in bodies.items()
    }
    assert found == {
        "allow_list": Effect.ALLOW,
        "deny_list": Effect.DENY,
        "rate_limit": Effect.DENY,
        "rego": Effect.DENY,
    }


def test_a_policy_whose_effect_is_no_choice_shows_none() -> None:
    rate = Rule("one", Effect.DENY, frozenset(), kind=RuleKind.RATE_LIMIT, rate=Rate(5))
    shown = shown_of(PolicyState(rate))
    assert (shown["effect"], shown["rate"].per) == (None, ["user"])


def test_rego_is_shown_whole_or_by_its_files() -> None:
    document = RegoDocument("d", {"b.rego": "x", "a.rego": "y"}, json.dumps({"n": 1}))
    state = PolicyState(Rule("one", Effect.DENY, frozenset(), kind=RuleKind.REGO, rego=document))
    whole, brief = shown_of(state)["rego"], shown_of(state, whole=False)["rego"]
    assert whole.model_dump() == {
        "digest": "d",
        "files": ["a.rego", "b.rego"],
        "modules": {"b.rego": "x", "a.rego": "y"},
        "data": {"n": 1},
    }
    assert (brief.files, brief.modules, brief.data) == (["a.rego", "b.rego"], None, None)


def test_a_body_that_was_not_checked_makes_no_rule() -> None:
    with pytest.raises(ValueError, match="has an effect"):
        rule_of("one", PolicyBody.model_construct(type=RuleKind.RBAC, effect=None))


def test_a_condition_may_be_one_of_many() -> None:
    conditions: list[dict[str, Any]] = [
        {"users": ["ann"]},
        {"groups": ["g"]},
        {"agents": ["a"]},
        {"tags": ["t"]},
        {"when": {"networks": ["10.0.0.1"]}},
        {"when": {"windows": [{}]}},
        {"when": {"arguments": [{"path": "a", "op": "present"}]}},
    ]
    for one in conditions:
        body = PolicyBody.model_validate({"type": "condition", "effect": "elevate", **one})
        assert rule_of("one", body).effect is Effect.ELEVATE
    with pytest.raises(ValidationError, match="under which condition"):
        PolicyBody.model_validate({"type": "condition", "effect": "elevate", "tools": ["a"]})


def test_no_action_is_no_policy() -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        PolicyBody.model_validate({"type": "deny_list", "tools": ["a"], "actions": []})
    body = PolicyBody.model_validate({"type": "deny_list", "tools": ["a"]})
    assert rule_of("one", body).actions == frozenset(Action)
