import pytest
from hypothesis import given
from hypothesis.strategies import floats, integers, lists, sampled_from, tuples

from bascule.state.expiring import Expiring, Full


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_an_item_is_there_until_its_life_is_over():
    clock = Clock()
    held = Expiring[str](10, 10_000, clock)
    held.put("a", "x", 1, 5)

    clock.now += 4.999
    assert held.get("a") == "x"
    clock.now += 0.001
    assert held.get("a") is None
    assert held.pop("a") is None


def test_a_full_one_refuses_what_is_new_and_keeps_what_it_has():
    held = Expiring[int](3, 10_000, Clock())
    for n in range(3):
        held.put(str(n), n, 1, 60)

    with pytest.raises(Full):
        held.put("new", 9, 1, 60)
    held.put("2", 22, 1, 60)

    assert [held.get(key) for key in ("0", "1", "2", "new")] == [0, 1, 22, None]


def test_what_is_refused_for_its_size_leaves_the_earlier_item():
    held = Expiring[str](10, 1000, Clock())
    held.put("a", "small", 100, 60)

    with pytest.raises(Full):
        held.put("a", "large", 900, 60)

    assert held.get("a") == "small"


def test_expired_items_make_room():
    clock = Clock()
    held = Expiring[int](2, 10_000, clock)
    held.put("a", 1, 1, 5)
    held.put("b", 2, 1, 60)
    clock.now += 5

    held.put("c", 3, 1, 60)

    assert len(held) == 2
    assert (held.get("a"), held.get("b"), held.get("c")) == (None, 2, 3)


def test_an_item_put_again_outlives_its_first_deadline():
    clock = Clock()
    held = Expiring[int](10, 10_000, clock)
    held.put("a", 1, 1, 5)
    held.put("a", 2, 1, 60)
    clock.now += 6
    held.put("b", 3, 1, 1)

    assert held.get("a") == 2


@pytest.mark.parametrize("again", ["put", "pop"])
def test_putting_one_name_for_ever_holds_no_memory(again: str):
    held = Expiring[int](10, 10_000, Clock())
    for n in range(20_000):
        held.put("a", n, 1, 3600)
        if again == "pop":
            held.pop("a")

    assert held.deadlines < 2000


def test_a_hundred_thousand_names_are_the_most_however_many_come():
    clock = Clock()
    held = Expiring[None](100_000, 1 << 40, clock)
    refused = 0
    for n in range(100_500):
        try:
            held.put(f"session:{n}", None, 100, 300)
        except Full:
            refused += 1
    assert (len(held), refused) == (100_000, 500)

    clock.now += 300
    held.put("later", None, 100, 300)

    assert len(held) == 1
    assert held.held_bytes < 1000


@given(lists(tuples(sampled_from("abc"), integers(0, 3), floats(0.1, 10), floats(0, 4))))
def test_it_answers_as_a_plain_dictionary_with_deadlines_would(
    steps: list[tuple[str, int, float, float]],
):
    clock = Clock()
    held = Expiring[int](10, 100_000, clock)
    plain: dict[str, tuple[int, float]] = {}
    for number, (key, action, ttl, passing) in enumerate(steps):
        clock.now += passing
        plain = {name: one for name, one in plain.items() if one[1] > clock.now}
        if action == 0:
            assert held.pop(key) == plain.pop(key, (None, 0))[0]
        else:
            held.put(key, number, 10, ttl)
            plain[key] = (number, clock.now + ttl)
            assert len(held) == len(plain)
        assert [held.get(name) for name in "abc"] == [plain.get(n, (None,))[0] for n in "abc"]
