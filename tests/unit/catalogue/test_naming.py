import json
import re

from hypothesis import given
from hypothesis import strategies as st

from bascule.catalogue.naming import MOST_CHARACTERS, front_names, renamed


def test_names_that_differ_stay() -> None:
    servers = {"alpha": ["search"], "beta": ["find"]}
    assert front_names((), servers) == {("alpha", "search"): "search", ("beta", "find"): "find"}


def test_a_name_that_two_use_goes_to_neither() -> None:
    servers = {"alpha": ["search", "a"], "beta": ["search"]}
    assert front_names((), servers) == {
        ("alpha", "search"): "alpha_search",
        ("alpha", "a"): "a",
        ("beta", "search"): "beta_search",
    }


def test_a_name_of_the_catalogue_is_never_given_away() -> None:
    assert front_names({"search"}, {"alpha": ["search"]}) == {("alpha", "search"): "alpha_search"}


def test_the_server_s_name_may_be_set_before_every_name() -> None:
    assert front_names((), {"alpha": ["a"]}, always=True) == {("alpha", "a"): "alpha_a"}


def test_a_name_made_up_here_displaces_no_real_one() -> None:
    servers = {"alpha": ["search", "alpha_search"], "beta": ["search"]}
    names = front_names((), servers)
    assert names["alpha", "alpha_search"] == "alpha_search"
    assert re.fullmatch(r"alpha_search_[0-9a-f]{6}", names["alpha", "search"])


def test_a_long_name_is_cut_and_stays_unlike_others_cut_at_the_same_place() -> None:
    long = "x" * 100
    names = front_names((), {"alpha": [f"{long}1", f"{long}2"]}, always=True)
    assert {len(name) for name in names.values()} == {MOST_CHARACTERS}
    assert len(set(names.values())) == 2


def test_a_digest_that_is_taken_grows() -> None:
    long = "x" * 100
    first = front_names((), {"alpha": [long]}, always=True)["alpha", long]
    second = front_names({first}, {"alpha": [long]}, always=True)["alpha", long]
    assert second != first
    assert len(second) == MOST_CHARACTERS


@given(
    st.dictionaries(
        st.sampled_from(["alpha", "beta", "a_b", "a"]),
        st.lists(st.sampled_from(["b_c", "c", "x y", "é", "z" * 80]), unique=True),
    ),
    st.booleans(),
)
def test_every_name_is_listed_once(servers: dict[str, list[str]], always: bool) -> None:
    names = front_names({"c"}, servers, always=always)
    assert len(names) == sum(map(len, servers.values()))
    assert len({"c", *names.values()}) == len(names) + 1
    for (_, own), name in names.items():
        assert name == own or re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", name)


def test_a_definition_under_another_name_is_otherwise_the_same() -> None:
    definition = b'{"x-unknown":[1.0, 2],"name":"search","_meta":{"ui":{"a":1}}}'
    bytes_of = renamed(definition, "alpha_search")
    assert bytes_of == b'{"x-unknown":[1.0, 2],"name":"alpha_search","_meta":{"ui":{"a":1}}}'
    assert json.loads(bytes_of)["name"] == "alpha_search"


def test_nobody_lists_a_name_that_is_made_up_for_another() -> None:
    servers = {"good": ["search"], "other": ["search"], "wily": ["good_search", "other_x"]}
    assert front_names((), servers) == {
        ("good", "search"): "good_search",
        ("other", "search"): "other_search",
        ("wily", "good_search"): "wily_good_search",
        ("wily", "other_x"): "wily_other_x",
    }


def test_nor_does_a_server_whose_name_another_s_begins_with() -> None:
    names = front_names((), {"a": ["b_x"], "a_b": ["x"], "c": ["x", "b_x"]})
    assert names["a_b", "x"] == "a_b_x"
    assert names["a", "b_x"] != "a_b_x"
