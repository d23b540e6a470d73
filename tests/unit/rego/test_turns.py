from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bascule.rego.turns import Turns


def test_work_of_one_tenant_is_done_in_its_order() -> None:
    turns: Turns[int] = Turns()
    for number in range(3):
        turns.add("acme", number)
    assert [turns.take({}, 1) for _ in range(4)] == [("acme", 0), ("acme", 1), ("acme", 2), None]


def test_who_used_less_time_is_next_however_much_waits() -> None:
    turns: Turns[str] = Turns()
    for number in range(100):
        turns.add("greedy", f"greedy {number}")
    turns.take({}, 1)
    turns.charge("greedy", 0.25)
    turns.add("modest", "modest")
    assert turns.take({}, 1) == ("modest", "modest")


def test_a_tenant_that_holds_its_share_has_no_turn() -> None:
    turns: Turns[str] = Turns()
    turns.add("acme", "more")
    assert turns.take({"acme": 1}, 1) is None
    assert turns.take({"acme": 1}, 2) == ("acme", "more")


def test_idleness_saves_up_no_time() -> None:
    turns: Turns[int] = Turns()
    for number in range(10):
        turns.add("busy", number)
    for _ in range(5):
        turns.take({}, 1)
        turns.charge("busy", 1.0)
    for number in range(10):
        turns.add("late", number)
    first = Counter[str]()
    for _ in range(10):
        taken = turns.take({}, 1)
        assert taken is not None
        first[taken[0]] += 1
        turns.charge(taken[0], 1.0)
    assert first["busy"] >= 4


def test_what_was_withdrawn_has_no_turn() -> None:
    turns: Turns[str] = Turns()
    turns.add("acme", "one")
    turns.add("acme", "two")
    turns.withdraw("acme", "one")
    turns.withdraw("acme", "never added")
    turns.withdraw("nobody", "one")
    assert turns.take({}, 1) == ("acme", "two")
    assert len(turns) == 0


def test_what_has_to_be_done_again_comes_first() -> None:
    turns: Turns[str] = Turns()
    turns.add("acme", "later")
    turns.add_first("acme", "again")
    assert turns.take({}, 1) == ("acme", "again")


def test_draining_gives_all_and_keeps_nothing() -> None:
    turns: Turns[int] = Turns()
    for tenant in ("a", "b"):
        turns.add(tenant, 1)
    assert turns.drain() == [1, 1]
    assert turns.take({}, 1) is None


def test_accounts_of_a_hundred_thousand_tenants_are_not_kept() -> None:
    turns: Turns[int] = Turns()
    for number in range(100_000):
        turns.add(str(number), number)
        turns.take({}, 1)
        turns.charge(str(number), 0.001)
    assert len(turns._used) <= 4096


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 20)), max_size=60))
def test_nothing_is_lost_and_nothing_done_twice(added: list[tuple[str, int]]) -> None:
    turns: Turns[tuple[int, str]] = Turns()
    for number, (tenant, _) in enumerate(added):
        turns.add(tenant, (number, tenant))
    done: list[tuple[int, str]] = []
    while (taken := turns.take({}, 1)) is not None:
        tenant, work = taken
        assert work[1] == tenant
        done.append(work)
        turns.charge(tenant, added[work[0]][1])
    assert sorted(done) == [(number, tenant) for number, (tenant, _) in enumerate(added)]
