"""Sources and rules survive the way into a JSON column and back."""

from datetime import UTC
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.rego import RegoDocument
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
from bascule.gateway.tool import (
    McpSource,
    ParameterLocation,
    RestBody,
    RestParameter,
    RestSource,
    RiskLevel,
)
from bascule.storage.documents import (
    PolicyState,
    policy_document,
    read_policy,
    read_rule,
    read_source,
    rule_document,
    source_document,
)
from bascule.storage.errors import StorageError

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_PARAMETERS = st.builds(
    RestParameter,
    argument=_TEXTS,
    name=_TEXTS,
    location=st.sampled_from(ParameterLocation),
    style=_TEXTS,
    explode=st.booleans(),
    required=st.booleans(),
)
_BODIES = st.builds(
    RestBody,
    media_type=_TEXTS,
    properties=st.dictionaries(_TEXTS, _TEXTS, max_size=3),
    argument=st.none() | _TEXTS,
    required=st.booleans(),
)
SOURCES = st.builds(
    RestSource,
    upstream=_TEXTS,
    method=_TEXTS,
    path=_TEXTS,
    parameters=st.lists(_PARAMETERS, max_size=3).map(tuple),
    body=st.none() | _BODIES,
) | st.builds(McpSource, upstream=_TEXTS, name=_TEXTS)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | _TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_TEXTS, inner, max_size=2),
    max_leaves=4,
)
_MOMENTS = st.datetimes(timezones=st.just(UTC))
_WINDOWS = st.builds(
    TimeWindow,
    days=st.frozensets(st.integers(0, 6)),
    start_minute=st.integers(0, 1439),
    end_minute=st.integers(0, 1440),
    zone=_TEXTS,
    not_before=st.none() | _MOMENTS,
    not_after=st.none() | _MOMENTS,
)
_TESTS = st.builds(
    ArgumentTest,
    path=st.lists(_TEXTS, max_size=2).map(tuple),
    operator=st.sampled_from(Operator),
    value=_VALUES,
)
_REGO = st.builds(
    RegoDocument,
    digest=_TEXTS,
    modules=st.dictionaries(_TEXTS, _TEXTS, max_size=2).map(MappingProxyType),
    data=_TEXTS,
    reads=st.none() | st.frozensets(st.lists(_TEXTS, max_size=2).map(tuple), max_size=2),
    uses_time=st.booleans(),
)
_RATES = st.builds(
    Rate,
    calls=st.integers(1, 9),
    window_seconds=st.floats(0.5, 90),
    per=st.frozensets(st.sampled_from(Per)),
)
_RULES = st.builds(
    Rule,
    name=_TEXTS,
    effect=st.sampled_from(Effect),
    roles=st.frozensets(_TEXTS, max_size=3),
    kind=st.sampled_from(RuleKind),
    users=st.frozensets(_TEXTS, max_size=2),
    groups=st.frozensets(_TEXTS, max_size=2),
    agents=st.frozensets(_TEXTS, max_size=2),
    tags=st.frozensets(_TEXTS, max_size=2),
    windows=st.lists(_WINDOWS, max_size=2).map(tuple),
    networks=st.frozensets(_TEXTS, max_size=2),
    arguments=st.lists(_TESTS, max_size=2).map(tuple),
    rate=st.none() | _RATES,
    rego=st.none() | _REGO,
    public=_TEXTS,
    actions=st.frozensets(st.sampled_from(Action)),
    bundles=st.frozensets(_TEXTS, max_size=3),
    tools=st.frozensets(_TEXTS, max_size=3),
    risks=st.frozensets(st.sampled_from(RiskLevel)),
    priority=st.integers(-1000, 1000),
)


@given(SOURCES)
def test_a_source_comes_back_as_it_was(source: RestSource | McpSource) -> None:
    assert read_source(_through_json(source_document(source))) == source


@given(_RULES)
def test_a_rule_comes_back_as_it_was(rule: Rule) -> None:
    document = _through_json(rule_document(rule))
    assert read_rule(rule.name, rule.priority, document, rule.kind.value) == rule


@given(_RULES, _TEXTS, st.booleans())
def test_a_policy_comes_back_as_it_was(rule: Rule, description: str, is_active: bool) -> None:
    state = PolicyState(rule, description, is_active)
    document = policy_document(state)
    assert read_policy(rule.name, _through_json(document)) == state
    assert _through_json(document) == document


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"type": "rbac", "priority": 0, "description": "", "is_active": True},
        {"type": "acl", "priority": 0, "description": "", "is_active": True, "rules": {}},
        {"type": "rbac", "priority": 0, "description": "", "is_active": True, "rules": None},
        {"type": "rbac", "priority": "x", "description": "", "is_active": True,
         "rules": {"effect": "deny", "roles": []}},
    ],
)  # fmt: skip
def test_a_document_that_is_no_policy_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(StorageError, match="not a"):
        read_policy("p", document)


def test_a_rule_from_before_there_were_conditions_is_read() -> None:
    document = {
        "effect": "allow", "roles": ["user"], "actions": ["invoke"], "bundles": [],
        "tools": ["get_*"], "prompts": [], "resources": [], "risks": [],
    }  # fmt: skip
    tools, actions = frozenset({"get_*"}), frozenset({Action.INVOKE})
    wanted = Rule("r", Effect.ALLOW, frozenset({"user"}), actions, tools=tools)
    assert read_rule("r", 0, document) == wanted


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"kind": "wasm"},
        {"kind": "rest", "upstream": "u"},
        {"kind": "rest", "upstream": "u", "method": 1, "path": "/"},
        {"kind": None, "upstream": "u", "name": "n"},
    ],
)
def test_a_document_that_is_no_source_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(StorageError):
        read_source(document)


def test_a_rule_with_an_unknown_effect_is_refused() -> None:
    with pytest.raises(StorageError, match="effect"):
        read_rule("r", 0, {"effect": "maybe", "roles": ["user"]})


def _through_json(document: dict[str, Any]) -> dict[str, Any]:
    return msgspec.json.decode(msgspec.json.encode(document))


def test_a_source_from_before_there_was_more_to_say_is_read() -> None:
    parameter = {
        "argument": "a", "name": "a", "location": "query", "style": "form", "explode": True,
        "required": False,
    }  # fmt: skip
    body = {"media_type": "text/plain", "properties": {}, "argument": "body", "required": True}
    document = {
        "kind": "rest", "upstream": "u", "method": "POST", "path": "/", "parameters": [parameter],
        "body": body, "wraps_result": False,
    }  # fmt: skip

    assert read_source(document) == RestSource(
        "u",
        "POST",
        "/",
        (RestParameter("a", "a", ParameterLocation.QUERY, "form", explode=True),),
        RestBody("text/plain", argument="body", required=True),
    )
