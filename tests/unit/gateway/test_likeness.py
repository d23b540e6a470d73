from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.likeness import closest


@given(st.text(max_size=40), st.lists(st.text(max_size=20), max_size=8))
def test_a_guess_is_always_one_of_the_names_on_offer(name: str, names: list[str]) -> None:
    guess = closest(name, names)
    assert guess is None or guess in names


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=8), st.data())
def test_an_exact_name_is_its_own_best_guess(names: list[str], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(names))
    guess = closest(name, names)
    assert guess is not None
    assert guess.lower() == name.lower()


def test_no_names_no_guess() -> None:
    assert closest("get_slots", []) is None
