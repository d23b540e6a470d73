from dataclasses import replace

from bascule.gateway.inventory import ItemKind, Target
from bascule.gateway.rule import Effect, Rule
from bascule.gateway.tool import Home, RiskLevel
from bascule.policy.subjects import face_of, faces_of
from fakes.catalogue import make_tool
from fakes.relayed import make_relayed


def test_a_tool_has_one_face_and_a_shown_one_two() -> None:
    (plain,) = faces_of(make_tool("book"))
    assert (plain.kind, plain.names, plain.bundle) == (None, ("book",), "booking")
    shown = replace(make_tool("reserve", bundle="desk"), home=Home("book", "booking", {}))
    there, home = faces_of(shown)
    assert (there.names, there.bundle) == (("reserve", "book"), "desk")
    assert (home.names, home.bundle) == (("book",), "booking")


def test_a_renamed_tool_is_known_by_both_names() -> None:
    (face,) = faces_of(make_relayed("search", front="alpha_search"))
    assert face.names == ("alpha_search", "search")
    shown = replace(make_relayed("search", front="find"), home=Home("alpha_search", "alpha", {}))
    assert faces_of(shown)[1].names == ("alpha_search", "search")


def test_a_uri_is_known_by_all_its_spellings() -> None:
    target = Target(ItemKind.RESOURCE, "alpha", "file:///a/../b", "alpha", "file:///a/../b")
    assert "file:///b" in face_of(ItemKind.RESOURCE, target).names
    prompt = Target(ItemKind.PROMPT, "alpha", "alpha_greet", "alpha", "greet")
    assert face_of(ItemKind.PROMPT, prompt).names == ("alpha_greet", "greet")


def test_a_face_is_within_a_rule_by_bundle_risk_and_tags() -> None:
    (face,) = faces_of(replace(make_tool("book"), tags=("pii",)))
    rule = Rule("r", Effect.ALLOW, frozenset())
    assert face.is_within(rule)
    assert face.is_within(replace(rule, tags=frozenset({"pii", "slow"})))
    assert not face.is_within(replace(rule, tags=frozenset({"slow"})))
    assert not face.is_within(replace(rule, bundles=frozenset({"desk"})))
    assert not face.is_within(replace(rule, risks=frozenset({RiskLevel.WRITE})))
