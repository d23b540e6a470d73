import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.decision import Circumstances, Question
from bascule.gateway.inventory import ItemKind, Target
from bascule.gateway.principal import Principal
from bascule.gateway.rule import Action
from bascule.gateway.tool import Home, McpSource, RiskLevel, Tool
from bascule.policy.rego.inputs import document, encoded, extractor

ANN = Principal(
    "acme",
    "ann",
    frozenset({"user", "developer"}),
    key_id="k1",
    agent="desk-bot",
    groups=frozenset({"pune", "garage"}),
    user_id="u1",
)
BOOK = Tool(
    "book_slot",
    "Books.",
    "booking",
    McpSource("garage", "book"),
    {},
    version="2.1.0",
    risk=RiskLevel.WRITE,
    tags=("slots", "pii"),
    domain="service",
    owner="ops",
)
MOVED = McpSource("x", "y")
PROMPT = Target(ItemKind.PROMPT, "garage", "book_slot", "booking", "x")
# 2026-11-22T10:00:00.75Z
AT = Circumstances(1795341600.75, "10.1.2.3", {"amount": 3, "who": {"vin": "X1"}})
QUESTION = Question(ANN, BOOK, Action.INVOKE, AT)


def about(arguments: Any) -> Question:
    return replace(QUESTION, circumstances=replace(AT, arguments=arguments))


def test_a_question_about_a_tool_is_written_out_in_full() -> None:
    assert json.loads(encoded(QUESTION)) == {
        "action": "invoke",
        "user": "ann",
        "user_id": "u1",
        "agent": "desk-bot",
        "means": "api_key",
        "roles": ["developer", "user"],
        "groups": ["garage", "pune"],
        "tenant": "acme",
        "kind": "tool",
        "tool": {
            "name": "book_slot",
            "bundle": "booking",
            "names": ["book", "book_slot"],
            "shown_as": "book_slot",
            "shown_in": "booking",
            "risk": "write",
            "tags": ["slots", "pii"],
            "version": "2.1.0",
            "upstream": "garage",
            "domain": "service",
            "owner": "ops",
        },
        "arguments": {"amount": 3, "who": {"vin": "X1"}},
        "ip": "10.1.2.3",
        "time": "2026-11-22T10:00:00Z",
        "time_ns": 1795341600000000000,
    }


def test_a_tool_that_a_bundle_shows_under_another_name_is_judged_by_its_own() -> None:
    home = Home("book_slot", "booking", {})
    shown = replace(BOOK, name="reserve", bundle="desk", home=home)
    made = document(replace(QUESTION, subject=shown))["tool"]
    assert (made["name"], made["bundle"]) == ("book_slot", "booking")
    assert (made["shown_as"], made["shown_in"]) == ("reserve", "desk")
    assert made["names"] == ("book", "book_slot", "reserve")
    reads = extractor([("tool", "name"), ("tool", "bundle")])
    assert reads(replace(QUESTION, subject=shown)) == reads(QUESTION)


def test_arguments_that_are_not_known_are_absent_and_none_are_an_empty_object() -> None:
    assert "arguments" not in document(about(None))
    assert document(about({}))["arguments"] == {}


def test_what_is_no_tool_has_no_tags_and_no_version() -> None:
    target = Target(ItemKind.RESOURCE, "files", "file:///a", "docs", "file:///a", RiskLevel.READ)
    made = document(replace(QUESTION, subject=target))
    assert made["kind"] == "resource"
    assert made["tool"] == {
        "name": "file:///a",
        "bundle": "docs",
        "names": ("file:///a",),
        "shown_as": "file:///a",
        "shown_in": "docs",
        "risk": "read",
        "tags": (),
        "version": "",
        "upstream": "files",
        "domain": None,
        "owner": None,
    }


@pytest.mark.parametrize(
    ("peer", "shown"),
    [
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("::FFFF:cb00:7105", "203.0.113.5"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("203.0.113.5", "203.0.113.5"),
        ("a:b", "a:b"),
        ("", ""),
    ],
)
def test_an_address_is_shown_in_one_spelling(peer: str, shown: str) -> None:
    question = replace(QUESTION, circumstances=replace(AT, peer=peer))
    assert document(question)["ip"] == shown
    assert extractor([("ip",)])(question) == (shown,)


def test_the_same_second_is_the_same_time() -> None:
    earlier = replace(QUESTION, circumstances=replace(AT, moment=1795341600.0))
    later = replace(QUESTION, circumstances=replace(AT, moment=1795341601.0))
    assert encoded(earlier) == encoded(QUESTION) != encoded(later)


def test_long_texts_are_written_whole_and_compared_by_digest() -> None:
    long, other = (about({"text": "x" * 5000 + end}) for end in "ab")
    assert document(long)["arguments"]["text"].endswith("xa")
    values = extractor([("arguments", "text")])
    assert values(long) != values(other)
    assert len(repr(values(long))) < 200


def test_what_json_cannot_say_is_not_written() -> None:
    for arguments in ({"a": "\ud800"}, {"a": object()}, {1: 2}):
        with pytest.raises((ValueError, TypeError)):
            encoded(about(arguments))
        with pytest.raises((ValueError, TypeError)):
            extractor(None)(about(arguments))


DIFFERENT: tuple[Any, ...] = (
    {"a": 1},
    {"a": 1.0},
    {"a": True},
    {"a": "1"},
    {"a": None},
    {"a": [1]},
    {"a": ["1"]},
    {"a": {}},
    {"a": {"b": 1}},
    {"a": {"b": None}},
    {},
    None,
)


def test_values_that_differ_only_by_their_type_are_told_apart() -> None:
    for reads in (None, [("arguments",)], [("arguments", "a")]):
        values = extractor(reads)
        assert len({values(about(one)) for one in DIFFERENT}) == len(DIFFERENT)


def test_what_is_absent_is_told_apart_by_how_far_there_is_something() -> None:
    values = extractor([("arguments", "a", "b")])
    seen = {values(about(one)) for one in (None, {}, {"a": {}}, {"a": []}, {"a": 1})}
    assert len(seen) == 5
    assert values(about({"a": 1, "c": 2})) == values(about({"a": 3}))


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        (("user",), replace(QUESTION, principal=replace(ANN, subject="bob"))),
        (("roles",), replace(QUESTION, principal=replace(ANN, roles=frozenset({"user"})))),
        (("groups",), replace(QUESTION, principal=replace(ANN, groups=frozenset()))),
        (("agent",), replace(QUESTION, principal=replace(ANN, agent=None))),
        (("user_id",), replace(QUESTION, principal=replace(ANN, user_id=None))),
        (("tenant",), replace(QUESTION, principal=replace(ANN, tenant="other"))),
        (("means",), replace(QUESTION, principal=replace(ANN, key_id=None))),
        (("action",), replace(QUESTION, action=Action.DISCOVER)),
        (("ip",), replace(QUESTION, circumstances=replace(AT, peer="10.1.2.4"))),
        (("time",), replace(QUESTION, circumstances=replace(AT, moment=1.0))),
        (("time_ns",), replace(QUESTION, circumstances=replace(AT, moment=1.0))),
        (("tool", "name"), replace(QUESTION, subject=replace(BOOK, name="other"))),
        (("tool", "bundle"), replace(QUESTION, subject=replace(BOOK, bundle="other"))),
        (("tool", "risk"), replace(QUESTION, subject=replace(BOOK, risk=RiskLevel.READ))),
        (("tool", "tags"), replace(QUESTION, subject=replace(BOOK, tags=()))),
        (("tool", "version"), replace(QUESTION, subject=replace(BOOK, version="3"))),
        (
            ("tool", "upstream"),
            replace(QUESTION, subject=replace(BOOK, source=McpSource("x", "y"))),
        ),
        (("tool", "domain"), replace(QUESTION, subject=replace(BOOK, domain=None))),
        (("tool", "owner"), replace(QUESTION, subject=replace(BOOK, owner=None))),
        (("arguments", "amount"), about({"amount": 4})),
        (
            ("kind",),
            replace(
                QUESTION, subject=Target(ItemKind.PROMPT, "garage", "book_slot", "booking", "x")
            ),
        ),
    ],
)
def test_a_difference_shows_at_its_path_above_it_and_nowhere_else(
    path: tuple[str, ...], changed: Question
) -> None:
    for reads in ([path], [path[:1]], [()], None):
        assert extractor(reads)(changed) != extractor(reads)(QUESTION)
    unaffected = [("nothing",), ("tool", "none")]
    assert extractor(unaffected)(changed) == extractor(unaffected)(QUESTION)
    every = [*(one for one in document(QUESTION) if one not in {"tool", "arguments"})]
    others = [(one,) for one in every if one != path[0] and {one, path[0]} != {"time", "time_ns"}]
    if path != ("kind",):
        assert extractor(others)(changed) == extractor(others)(QUESTION)


NAMES = st.sampled_from(["a", "b", "amount"])
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.floats(-1, 1), st.text(max_size=3)),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)
ARGUMENTS = st.none() | st.dictionaries(NAMES, VALUES, max_size=3)
PATHS = st.lists(
    st.tuples(st.just("arguments"), NAMES) | st.tuples(st.just("arguments")), max_size=2
)


@given(one=ARGUMENTS, other=ARGUMENTS)
def test_questions_are_equal_where_the_input_is(one: Any, other: Any) -> None:
    values = extractor(None)
    same_text = encoded(about(one)) == encoded(about(other))
    assert (values(about(one)) == values(about(other))) == same_text


@given(one=ARGUMENTS, other=ARGUMENTS, reads=PATHS)
def test_equal_values_at_a_path_are_equal_in_the_input(one: Any, other: Any, reads: Any) -> None:
    if extractor(reads)(about(one)) != extractor(reads)(about(other)):
        return
    for path in reads:
        assert at(document(about(one)), path) == at(document(about(other)), path)


def at(value: Any, path: tuple[str, ...]) -> object:
    for depth, name in enumerate(path):
        if not isinstance(value, dict) or name not in value:
            return depth
        value = value[name]
    return json.dumps(value, sort_keys=True)
