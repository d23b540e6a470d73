import pytest

from bascule.chat.connectors.assembling import (
    MOST_ARGUMENT_CHARACTERS,
    MOST_CALLS,
    Assembly,
)
from bascule.chat.models import FailureKind, ModelFailure, Wanted


def test_pieces_are_put_together_in_the_order_of_their_positions():
    calls = Assembly()
    calls.begin(1, "b", "second")
    calls.begin(0, "a", "first")
    calls.add(0, '{"x":')
    calls.add(1, "")
    calls.begin(0, "", "")
    calls.add(0, "1}")

    assert list(calls.calls()) == [Wanted("a", "first", {"x": 1}), Wanted("b", "second", {})]


@pytest.mark.parametrize("text", ["{", "[]", "1", "null", "\x00", "[" * 100_000])
def test_arguments_that_are_no_object_are_refused(text):
    calls = Assembly()
    calls.begin(0, "a", "t")
    calls.add(0, text)

    with pytest.raises(ModelFailure) as failed:
        list(calls.calls())
    assert failed.value.kind is FailureKind.REJECTED


def test_a_call_without_a_name_is_refused():
    calls = Assembly()
    calls.add(0, "{}")

    with pytest.raises(ModelFailure):
        list(calls.calls())


def test_neither_many_calls_nor_long_ones_fill_the_memory():
    calls = Assembly()
    for position in range(MOST_CALLS):
        calls.begin(position, "a", "t")
    with pytest.raises(ModelFailure):
        calls.begin(MOST_CALLS, "a", "t")
    calls.add(0, "x" * MOST_ARGUMENT_CHARACTERS)
    with pytest.raises(ModelFailure):
        calls.add(0, "x")


def test_another_id_with_a_name_is_another_call_at_the_same_place():
    calls = Assembly()
    for call_id, city in (("a", "Pune"), ("b", "Goa")):
        calls.begin(0, call_id, "weather")
        calls.add(0, f'{{"city":"{city}"}}')

    assert [(one.id, one.arguments["city"]) for one in calls.calls()] == [
        ("a", "Pune"),
        ("b", "Goa"),
    ]
    assert len(calls) == 2


def test_an_id_that_is_new_with_each_piece_is_the_same_call():
    calls = Assembly()
    calls.begin(0, "a", "weather")
    calls.add(0, '{"city":')
    calls.begin(0, "b", "")
    calls.add(0, '"Pune"}')

    assert [one.arguments for one in calls.calls()] == [{"city": "Pune"}]


def test_whole_calls_without_ids_are_told_apart_by_their_names():
    calls = Assembly()
    for city in ("Pune", "Goa"):
        calls.begin(0, "", "weather", is_whole=True)
        calls.add(0, f'{{"city":"{city}"}}')

    assert [one.id for one in calls.calls()] == ["call_0", "call_1"]


def test_calls_at_one_place_are_bounded_too():
    calls = Assembly()
    for position in range(MOST_CALLS):
        calls.begin(0, f"id-{position}", "t")
    with pytest.raises(ModelFailure):
        calls.begin(0, "one-more", "t")
