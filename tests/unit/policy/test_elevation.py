import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.digests import sha256_digest
from bascule.gateway.elevation import Scope, ScopeKind
from bascule.gateway.errors import InvalidValue
from bascule.gateway.principal import Evidence, Means, Person, Principal
from bascule.gateway.tool import Home, McpSource, Tool
from bascule.policy.elevation import (
    TRANSITIONS,
    ElevationStatus,
    Holder,
    arguments_digest,
    bundles_of,
    call_digest,
    canonical_name,
    holder_of,
    live_key,
    may_follow,
    named,
    names_of,
    narrowed,
    scopes_of,
    shortened,
    spent_key,
)

REFUND = Tool("refund", "", "pay", McpSource("s", "refund"), {})
SHOWN = Tool(
    "give_back", "", "desk", McpSource("s", "refund"), {}, defaults={"by": "desk"},
    home=Home("refund", "pay", {}),
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
MEMBERS = st.dictionaries(st.text(st.characters(codec="utf-8")), JSON, max_size=5)


def digest(arguments: dict[str, Any], tool: str = "refund") -> str:
    return arguments_digest(sha256_digest, tool, arguments)


def test_every_status_says_what_may_follow_and_only_two_are_open() -> None:
    assert set(TRANSITIONS) == set(ElevationStatus)
    still_open = {status for status, following in TRANSITIONS.items() if following}
    assert still_open == {ElevationStatus.PENDING, ElevationStatus.APPROVED}
    assert may_follow(ElevationStatus.PENDING, ElevationStatus.APPROVED)
    assert may_follow(ElevationStatus.APPROVED, ElevationStatus.USED)
    assert not may_follow(ElevationStatus.PENDING, ElevationStatus.USED)
    assert not may_follow(ElevationStatus.DENIED, ElevationStatus.APPROVED)
    assert not any(may_follow(status, ElevationStatus.PENDING) for status in ElevationStatus)


@given(MEMBERS)
def test_the_order_and_the_spelling_of_arguments_do_not_matter(arguments: dict[str, Any]) -> None:
    turned = {name: arguments[name] for name in reversed(arguments)}
    spelled = json.loads(json.dumps(turned, indent=3, ensure_ascii=True))
    assert digest(spelled) == digest(arguments)


@given(MEMBERS, MEMBERS)
def test_equal_digests_are_of_equal_arguments(one: dict[str, Any], other: dict[str, Any]) -> None:
    # In Python True is 1; in JSON it is not, which the next test is about.
    if digest(one) == digest(other):
        assert one == other


def test_a_number_is_the_same_however_it_is_written_but_no_boolean() -> None:
    assert digest({"n": [{"m": 1}]}) == digest({"n": [{"m": 1.0}]})
    assert digest({"n": -0.0}) == digest({"n": 0})
    assert digest({"n": 1e3}) == digest({"n": 1000})
    different: list[Any] = [1, True, "1", [1], None, 1.5, 2**53, 2**53 + 1, {"1": 1}]
    assert len({digest({"n": value}) for value in different}) == len(different)


def test_a_digest_is_of_one_tool() -> None:
    assert digest({"a": 1}) != digest({"a": 1}, "other")
    assert digest({}, "a") != digest({"a": 1}, "")


def test_what_cannot_be_told_apart_from_others_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for odd in (deep, float("nan"), float("inf"), "\ud800", object(), {"a": {1}}):
        with pytest.raises(InvalidValue, match="nested too deeply, or hold what is not JSON"):
            digest({"odd": odd})


def test_arguments_that_a_bundle_fixes_are_part_of_the_call() -> None:
    whole = call_digest(sha256_digest, REFUND, {"order": 1, "by": "desk"})
    assert call_digest(sha256_digest, SHOWN, {"order": 1}) == whole
    assert call_digest(sha256_digest, REFUND, {"order": 1}) != whole


def test_grants_know_a_tool_by_its_own_name_and_by_both_its_bundles() -> None:
    assert (canonical_name(REFUND), canonical_name(SHOWN)) == ("refund", "refund")
    assert (bundles_of(REFUND), bundles_of(SHOWN)) == (("pay",), ("desk", "pay"))
    assert [scope.text for scope in scopes_of(SHOWN, "9f")] == [
        "tool:refund", "bundle:desk", "bundle:pay", "call:refund:9f",
    ]  # fmt: skip


def test_a_tool_shown_in_its_own_bundle_is_of_that_one_bundle() -> None:
    again = Tool("again", "", "pay", McpSource("s", "refund"), {}, home=Home("refund", "pay", {}))
    assert bundles_of(again) == ("pay",)


def test_who_has_a_grant_is_known_beyond_sessions_and_keys() -> None:
    person = Principal("t", "ann", frozenset(), user_id="u1")
    own_key = Principal("t", "ann", frozenset(), key_id="k1", user_id="u1")
    service = Principal("t", "agent", frozenset(), key_id="k2")
    assert holder_of(person) == holder_of(own_key) == Holder("user|u1", "ann", "u1")
    assert holder_of(service) == Holder("key|agent", "agent", None, "k2")
    assert holder_of(Principal("t", "local", frozenset())).key_id == ""


def test_a_person_goes_by_their_account_their_issuers_and_their_names() -> None:
    evidence = Evidence(Means.SESSION, "t", "https://id.example", "s-1", "Ann")
    person = Principal("t", "Ann", frozenset(), user_id="u1", evidence=evidence)
    people = {
        ("", "u1"): Person("u1", "ann.miller"),
        ("https://other.example", "s-9"): Person("u1", "ann.miller"),
        ("https://other.example", "s-2"): Person("u2", "bob"),
    }
    assert names_of(person, people) == {
        "user|u1",
        "name|ann",
        "name|ann.miller",
        "token||u1",
        "token|https://id.example|s-1",
        "token|https://other.example|s-9",
    }
    assert names_of(Principal("t", "agent", frozenset(), key_id="k"), people) == {
        "key|agent", named("AGENT"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "kind", "granted"),
    [
        ("bundle", "bundle", "bundle:pay"),
        ("bundle", "tool", "tool:refund"),
        ("bundle", "call", "call:refund:9f"),
        ("tool", "tool", "tool:refund"),
        ("tool", "call", "call:refund:9f"),
        ("call", "call", "call:refund:9f"),
    ],
)
def test_an_approval_may_grant_less(asked: str, kind: str, granted: str) -> None:
    assert narrowed(a_scope(asked), ScopeKind(kind), "refund", "9f").text == granted


@pytest.mark.parametrize(
    ("asked", "kind"), [("call", "tool"), ("call", "bundle"), ("tool", "bundle")]
)
def test_an_approval_never_grants_more(asked: str, kind: str) -> None:
    with pytest.raises(InvalidValue, match="never more"):
        narrowed(a_scope(asked), ScopeKind(kind), "refund", "9f")


def test_what_was_asked_for_is_said_in_words_not_in_digests() -> None:
    with pytest.raises(InvalidValue, match="is for one call of refund; an approval may"):
        narrowed(a_scope("call"), ScopeKind.BUNDLE, "refund", "9f")


def test_what_did_not_come_from_a_call_cannot_be_narrowed_to_one() -> None:
    with pytest.raises(InvalidValue, match="did not come from a call"):
        narrowed(a_scope("tool"), ScopeKind.CALL, "refund", "")
    with pytest.raises(InvalidValue, match="Name the tool"):
        narrowed(a_scope("bundle"), ScopeKind.TOOL, "", "")


def a_scope(kind: str) -> Scope:
    return {
        "bundle": Scope(ScopeKind.BUNDLE, "pay"),
        "tool": Scope(ScopeKind.TOOL, "refund"),
        "call": Scope(ScopeKind.CALL, "refund", "9f"),
    }[kind]


def test_the_key_of_a_grant_names_tenant_owner_and_scope() -> None:
    assert live_key("acme", "user|7", a_scope("call")) == "elevation:acme/user|7:call:refund:9f"
    assert spent_key("acme", "7") == "elevation-spent:acme/7"


ODD = st.text(st.sampled_from(":%/|ab3A"), max_size=8)


@given(st.tuples(ODD, ODD), st.tuples(ODD, ODD))
def test_no_two_owners_share_the_key_of_a_grant(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    keys = [
        live_key("t", f"key|{owner}", Scope(ScopeKind.TOOL, name)) for owner, name in (one, other)
    ]
    assert (keys[0] == keys[1]) == (one == other)


def test_few_arguments_are_shown_whole_and_of_very_many_as_many_as_fit() -> None:
    assert shortened({"a": 1}, 2000) == {"a": 1}
    assert shortened("x" * 3000, 2000) == "x" * 3000, (
        "only the members of an object can be left out"
    )
    many = {f"argument {number}": "ab****yz" for number in range(1000)}
    shown = shortened(many, 2000)
    assert isinstance(shown, dict)
    assert len(json.dumps(shown)) <= 2000
    assert shown["…"] == f"{1000 - len(shown) + 1} more members"
    assert shown["argument 0"] == "ab****yz"
