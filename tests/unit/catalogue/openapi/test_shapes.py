"""Narrowing lets through what has the shape, and nothing that merely resembles it."""

from bascule.catalogue.openapi.shapes import as_flag, as_list, as_number, as_object, as_text


def test_only_objects_are_objects() -> None:
    assert as_object({"a": 1}) == {"a": 1}
    assert as_object([("a", 1)]) is None


def test_only_arrays_are_arrays() -> None:
    assert as_list([1]) == [1]
    assert as_list("abc") is None


def test_text_is_trimmed_and_blank_text_is_none() -> None:
    assert as_text("  a ") == "a"
    assert as_text("  ") is None
    assert as_text(5) is None


def test_a_number_is_no_flag_and_a_flag_no_number() -> None:
    assert as_flag(True) is True
    assert as_flag(1) is None
    assert as_number(1.5) == 1.5
    assert as_number(True) is None
