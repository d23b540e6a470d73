"""Half a character is replaced, and everything else stays."""

from hypothesis import given
from hypothesis import strategies as st

from bascule.chat.wellformed import whole_text, whole_value


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_whole_stays(text: str) -> None:
    assert whole_text(text) == text
    assert whole_value({text: [text]}) == {text: [text]}


def test_half_a_character_becomes_a_question_mark() -> None:
    assert whole_text("a\ud800é") == "a?é"
    assert whole_value({"a\ud800": ["\udfff", 1]}) == {"a?": ["?", 1]}
