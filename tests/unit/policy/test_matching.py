from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.policy.matching import NOBODY, Selector, matcher_of

NAMES = st.text(alphabet="ab_.*[]!-?\n", max_size=5)
PATTERNS = st.frozensets(NAMES, max_size=4)


@given(patterns=PATTERNS, name=NAMES)
def test_a_matcher_hits_what_any_of_its_patterns_does(patterns: frozenset[str], name: str) -> None:
    matcher = matcher_of(patterns)
    hits = any(fnmatchcase(name, one) for one in patterns)
    assert matcher.hits(name) is hits
    if hits and name not in matcher.exact:
        assert name.startswith((*matcher.starts, *matcher.prefixes))


@pytest.mark.parametrize("name", ["x" * 50_000, "get_" + "ab" * 25_000])
def test_patterns_with_many_stars_do_not_take_long(name: str) -> None:
    matcher = matcher_of(frozenset({"*a*a*a*a*a*a*a*a*c", "get_*b*b*b*b*b*b*d"}))
    assert not matcher.hits(name)


def test_a_matcher_knows_whether_it_has_patterns() -> None:
    assert matcher_of(frozenset({"a", "b"})).is_exact
    assert not matcher_of(frozenset({"a", "b*"})).is_exact
    assert not matcher_of(frozenset({"*b"})).is_exact


def test_a_selector_without_names_and_tags_leaves_nothing_out() -> None:
    assert Selector().is_everything
    assert not Selector(tags=frozenset({"x"})).is_everything
    assert not NOBODY.is_everything
