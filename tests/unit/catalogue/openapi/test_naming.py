"""Names are clean, short and unique."""

import re

from hypothesis import given
from hypothesis import strategies as st

from bascule.catalogue.openapi.naming import Names, clean, name_by_path


@given(st.text())
def test_a_clean_name_holds_only_welcome_characters(wish: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_.-]{0,64}", clean(wish))


def test_unwelcome_runs_become_one_underscore() -> None:
    assert clean("repos/list for//user") == "repos_list_for_user"
    assert clean("获取用户") == ""


def test_an_operation_without_a_name_is_named_by_its_path() -> None:
    assert name_by_path("GET", "/v1/dealers/{id}/enquiries") == "get_v1_dealers_id_enquiries"


@given(st.lists(st.sampled_from(["a", "a_2", "a_3", "b" * 10, "b" * 9, "b" * 8 + "_2"])))
def test_no_name_is_given_twice_and_none_is_too_long(wishes: list[str]) -> None:
    names = Names(longest=10)

    given_names = [names.take(wish) for wish in wishes]

    assert len(set(given_names)) == len(wishes)
    assert all(len(name) <= 10 for name in given_names)


def test_the_first_keeps_the_name_and_the_others_are_numbered() -> None:
    names = Names()

    assert [names.take("get") for _ in range(3)] == ["get", "get_2", "get_3"]


def test_a_long_name_ends_in_a_digest_of_the_whole() -> None:
    first, second = clean("x" * 100 + "a"), clean("x" * 100 + "b")

    assert len(first) == len(second) == 64
    assert first != second
    assert first == clean("x" * 100 + "a")


def test_accents_go_and_look_alikes_do_not_become_what_they_look_like() -> None:
    assert clean("r\u00e9sum\u00e9") == "resume"
    assert clean("p\u0430y") == "p_y"  # a Cyrillic letter
    assert clean("\uff50ay") == "ay"  # a full-width letter
    assert clean("a\u202eb\x00c") == "a_b_c"


def test_names_in_other_capitals_are_the_same_name() -> None:
    names = Names()

    assert [names.take(name) for name in ("Get", "get", "GET")] == ["Get", "get_2", "GET_3"]
