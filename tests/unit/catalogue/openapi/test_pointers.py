"""Pointers survive the way into a fragment and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.catalogue.openapi.pointers import parse_fragment, to_fragment


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=5).map(tuple))
def test_a_fragment_leads_back_to_its_pointer(pointer: tuple[str, ...]) -> None:
    assert parse_fragment(to_fragment(pointer)) == pointer


def test_a_path_stays_readable() -> None:
    fragment = to_fragment(("paths", "/v1/dealers/{id}", "get"))

    assert fragment == "#/paths/~1v1~1dealers~1{id}/get"


@pytest.mark.parametrize("outside", ["", "other.yaml", "http://127.0.0.1/a#/b", "#anchor", "/a"])
def test_what_is_no_pointer_into_the_document_is_refused(outside: str) -> None:
    with pytest.raises(ValueError, match="not a JSON pointer"):
        parse_fragment(outside)
