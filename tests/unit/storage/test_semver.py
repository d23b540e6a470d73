"""The newest version is found for proper versions and for anything else."""

import pytest
from hypothesis import given
from hypothesis.strategies import lists, sampled_from, text

from bascule.storage.semver import precedence

# https://semver.org/spec/v2.0.0.html#spec-item-11, with texts that are no versions before.
_ASCENDING = [
    "",
    "latest",
    "0.0.0",
    "0.9.9",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "1.2.0",
    "1.10.0",
    "v2",
    "2.0.1",
    "2026.11.21",
]


def test_versions_are_ordered_as_semver_says() -> None:
    descending = _ASCENDING[::-1]
    assert sorted(descending, key=precedence) == _ASCENDING


@pytest.mark.parametrize(("one", "other"), [("1", "1.0.0"), ("v1.2", "1.2.0"), ("1.0+a", "1.0+b")])
def test_what_semver_calls_equal_differs_only_in_the_last_resort(one: str, other: str) -> None:
    assert precedence(one)[:3] == precedence(other)[:3]
    assert precedence(one) != precedence(other)


_VERSIONS = text(alphabet=list("0123456789.-+vab"), max_size=14) | sampled_from(_ASCENDING) | text()


@given(lists(_VERSIONS, max_size=8))
def test_any_texts_have_one_order_whatever_they_start_in(versions: list[str]) -> None:
    backwards = versions[::-1]
    assert sorted(versions, key=precedence) == sorted(backwards, key=precedence)


@given(_VERSIONS, _VERSIONS)
def test_only_equal_texts_are_equally_new(one: str, other: str) -> None:
    assert (precedence(one) == precedence(other)) == (one == other)
