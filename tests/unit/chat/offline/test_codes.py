"""Values by their form."""

import time

import pytest

from bascule.chat.offline.codes import (
    codes_like,
    digits_told,
    fits_pattern,
    is_code,
    is_selective,
    patterned,
    shape_of,
)


@pytest.mark.parametrize(
    ("example", "text", "found"),
    [
        ("AB12CD3456", "it is ab12cd3456.", "AB12CD3456"),
        ("AB12CD3456", "it is AB 12 CD 3456 I think", "AB12CD3456"),
        ("4155550101", "call 415 555-0101 now", "4155550101"),
        ("4155550101", "call 0 415 555 0101", "4155550101"),
        ("AB12CD3456", "mine is X9CD3456", "X9CD3456"),
    ],
)
def test_what_looks_like_the_example_is_found(example: str, text: str, found: str) -> None:
    assert [one.text for one in codes_like([example], None, text)] == [found]


def test_a_number_is_found_with_and_without_the_code_of_its_country() -> None:
    found = [one.text for one in codes_like(["4155550101"], None, "call +1 415 555 0101")]
    assert found == ["+14155550101", "4155550101"]


@pytest.mark.parametrize(
    ("example", "text"), [("PUN01", "the 10 one"), ("PUN01", "at 11"), ("AB123", "say 123")]
)
def test_a_word_before_a_number_is_no_part_of_a_code(example: str, text: str) -> None:
    assert [one.text for one in codes_like([example], None, text)] == []


def test_a_pattern_is_found_in_two_parts() -> None:
    pattern = "^[Bb][Kk][0-9]{1,12}$"
    assert [one.text for one in patterned(pattern, "check bk 123, or BK9.")] == ["bk123", "BK9"]


def test_other_words_do_not_look_like_it() -> None:
    assert list(codes_like(["AB12CD3456", "4155550101"], None, "I need 12 of them by 10:30")) == []


def test_digits_are_asked_for_in_words() -> None:
    assert digits_told("A ten-digit number") == digits_told("Use 10 digits.") == 10
    assert digits_told("Two digits") is None
    assert digits_told("Some") is None
    assert [one.text for one in codes_like([], 10, "0123456789")] == ["0123456789"]


def test_only_forms_that_tell_are_codes() -> None:
    assert is_code("X-4711")
    assert not any(map(is_code, ("Paris", "25", "2026-11-25", "09:00", "12.5", "a b 12")))
    assert shape_of("Ab-1") == "AA-9"


def test_a_pattern_that_fits_words_tells_nothing() -> None:
    assert is_selective("^[A-Z]{2}[0-9]+$")
    assert not is_selective("^[!-~]{1,200}$")
    assert not is_selective(".*")


def test_a_pattern_cannot_take_long_and_a_broken_one_fits_nothing() -> None:
    begun = time.process_time()
    assert not fits_pattern("^(a+)+$", "a" * 4000 + "!")
    assert time.process_time() - begun < 1
    assert not fits_pattern("(", "(")
    assert not fits_pattern("a" * 600, "a")
