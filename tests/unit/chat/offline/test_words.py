"""Stems, names taken apart, verbs and nouns."""

import pytest

from bascule.chat.offline.words import (
    Action,
    content_stems,
    first_action,
    is_common,
    name_stems,
    nouns,
    spoken_name,
    stem,
    tokens,
    words_of,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("tickets", "ticket"),
        ("Cities", "city"),
        ("cancelled", "cancel"),
        ("booking", "book"),
        ("dates", "date"),
        ("addresses", "address"),
    ],
)
def test_forms_of_a_word_have_one_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


def test_words_that_only_look_like_plurals_stay() -> None:
    assert [stem(one) for one in ("status", "address", "this")] == ["status", "address", "this"]


def test_names_of_programs_are_taken_apart() -> None:
    assert name_stems("startDate") == ("start", "dat")
    assert name_stems("X-Page_size") == ("x", "pag", "siz")
    assert spoken_name("getQRCode_forID") == "get QR code for ID"


def test_nouns_leave_out_the_leading_verb_only() -> None:
    assert nouns("list_orders", "List all open orders") == {"order", "open", "all"}
    assert "book" in nouns("get_booking")


def test_words_have_their_places() -> None:
    assert [(one.text, one.start) for one in tokens("it's #4")] == [("it's", 0), ("#", 5), ("4", 6)]


def test_content_leaves_common_words_out() -> None:
    assert content_stems("I need the list of petNames") == ["list", "pet", "nam"]
    assert is_common("the")
    assert words_of("a b") == ("a", "b")


def test_the_first_verb_counts() -> None:
    assert first_action("orders_delete") is Action.REMOVE
    assert first_action("tree") is None
    assert Action.CREATE.writes
    assert not Action.READ.writes
