"""Prose is cut at words."""

from hypothesis import given
from hypothesis import strategies as st

from bascule.catalogue.openapi.wording import shorten


def test_what_fits_is_kept() -> None:
    assert shorten(" abc def ", 7) == "abc def"


def test_a_cut_is_made_after_a_whole_word() -> None:
    assert shorten("one two, three", 10) == "one two…"


def test_a_word_longer_than_the_limit_is_cut_within() -> None:
    assert shorten("x" * 20, 5) == "xxxx…"


@given(st.text(), st.integers(2, 40))
def test_the_limit_holds(text: str, longest: int) -> None:
    assert len(shorten(text, longest)) <= longest
