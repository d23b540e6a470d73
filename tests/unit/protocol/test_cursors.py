from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.protocol.cursors import decode_cursor, encode_cursor


@given(st.text())
def test_any_name_survives_the_round_trip(name: str) -> None:
    assert decode_cursor(encode_cursor(name)) == name


@given(st.text())
def test_a_cursor_is_safe_in_a_url(name: str) -> None:
    assert set(encode_cursor(name)) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )


def test_the_empty_cursor_is_the_start() -> None:
    assert decode_cursor("") == ""


@pytest.mark.parametrize("cursor", ["a", "abc", "!!!!", "YQ\n", "=", "é", "\x00", "gA", "_-", "🙂"])
def test_garbage_is_refused_with_a_remedy(cursor: str) -> None:
    with pytest.raises(ValueError, match="not a cursor of this server; start again without one"):
        decode_cursor(cursor)


@given(st.text())
def test_any_text_is_a_cursor_or_refused(cursor: str) -> None:
    with suppress(ValueError):
        assert isinstance(decode_cursor(cursor), str)
