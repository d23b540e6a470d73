"""Pointers survive the way to text and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.catalogue.openapi.pointers import (
    FileToken,
    file_of,
    last_name,
    parse_fragment,
    parse_place,
    root_of,
    to_fragment,
    within_file,
)

TOKENS = st.lists(st.text(), max_size=5).map(tuple)


@given(TOKENS)
def test_a_pointer_survives_the_round_trip(pointer: tuple[str, ...]) -> None:
    assert parse_fragment(to_fragment(pointer)) == pointer


@given(st.text(alphabet="ab/.%#{} é", min_size=1), TOKENS)
def test_a_place_in_a_file_survives_the_round_trip(file: str, pointer: tuple[str, ...]) -> None:
    place = (*root_of(file), *pointer)

    assert parse_place(to_fragment(place)) == place


def test_paths_stay_readable() -> None:
    fragment = to_fragment(("paths", "/v1/dealers/{id}", "get"))

    assert fragment == "#/paths/~1v1~1dealers~1{id}/get"


def test_a_place_in_another_file_names_it() -> None:
    place = (*root_of("models/pet.yaml"), "properties", "name")

    assert to_fragment(place) == "models/pet.yaml#/properties/name"
    assert (file_of(place), within_file(place)) == ("models/pet.yaml", ("properties", "name"))
    assert (file_of(("a",)), within_file(("a",))) == ("", ("a",))


def test_a_file_is_no_member_of_the_same_name() -> None:
    assert FileToken("a") != "a"
    assert "a" != FileToken("a")  # noqa: SIM300 - both ways round
    assert FileToken("a") == FileToken("a")
    assert {("a",): 1, (FileToken("a"),): 2}[root_of("a")] == 2


def test_a_place_is_called_by_its_end() -> None:
    assert last_name(("components", "schemas", "Pet")) == "Pet"
    assert last_name(root_of("models/pet.v2.yaml")) == "pet"
    assert last_name(()) == ""


@pytest.mark.parametrize("outside", ["", "a", "b.yaml#/a", "#a", "http://127.0.0.1/#/a"])
def test_a_pointer_out_of_the_document_is_refused(outside: str) -> None:
    with pytest.raises(ValueError):
        parse_fragment(outside)
