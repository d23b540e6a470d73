"""Sources and rules survive the way into a JSON column and back."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.rule import Action, Effect, RbacRule
from bascule.gateway.tool import (
    McpSource,
    ParameterLocation,
    RestBody,
    RestParameter,
    RestSource,
    RiskLevel,
)
from bascule.storage.documents import read_rule, read_source, rule_document, source_document
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
_RULES = st.builds(
    RbacRule,
    name=_TEXTS,
    effect=st.sampled_from(Effect),
    roles=st.frozensets(_TEXTS, max_size=3),
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
def test_a_rule_comes_back_as_it_was(rule: RbacRule) -> None:
    document = _through_json(rule_document(rule))
    assert read_rule(rule.name, rule.priority, document) == rule


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
