"""A title is the beginning of the first message."""

from hypothesis import given
from hypothesis import strategies as st

from bascule.chat.titles import LONGEST, title_of


@given(st.text())
def test_a_title_is_one_line_and_bounded(text: str) -> None:
    title = title_of(text)
    assert len(title) <= LONGEST
    assert len(title.splitlines()) <= 1


def test_a_short_message_is_its_own_title() -> None:
    assert title_of("  Book\n a service ") == "Book a service"


def test_a_long_one_is_cut_after_a_word() -> None:
    assert title_of("word " * 20) == f"{'word ' * 11}word…"
    assert title_of("x" * 100) == f"{'x' * 59}…"
