from bascule.gateway.rule import Effect
from bascule.policy.tallying import MOST_NAMES, OTHERS, Doubt, Example, Tally, Verdict, largest

ALLOWED, DENIED = Verdict(Effect.ALLOW, "a"), Verdict(Effect.DENY, "d")


def example(tool: str = "pay", user: str = "ann", after: Verdict = DENIED) -> Example:
    return Example("c", 0.0, tool, user, ALLOWED, after)


def test_a_change_is_named_by_both_sides() -> None:
    assert example().change == "allowed_to_denied"
    assert example(after=Verdict(Effect.ELEVATE)).change == "allowed_to_elevation"


def test_changes_are_counted_in_all_and_by_tool_and_user() -> None:
    tally = Tally()
    tally.same()
    tally.doubt(Doubt.ROLES)
    tally.change(example())
    tally.change(example(user="bob"))
    tally.change(example("refund", after=Verdict(Effect.ELEVATE)))
    assert (tally.compared, tally.unchanged, tally.changed.total()) == (4, 1, 3)
    assert tally.changed == {"allowed_to_denied": 2, "allowed_to_elevation": 1}
    assert tally.tools["pay"] == {"allowed_to_denied": 2}
    assert tally.users["ann"] == {"allowed_to_denied": 1, "allowed_to_elevation": 1}
    assert tally.doubts == {Doubt.ROLES: 1}


def test_examples_are_few_and_of_many_tools() -> None:
    tally = Tally(most_examples=5)
    for _ in range(100):
        tally.change(example())
    for number in range(100):
        tally.change(example(f"tool{number}"))
    assert [one.tool for one in tally.examples] == ["pay", "pay", "pay", "tool0", "tool1"]


def test_very_many_names_are_counted_together() -> None:
    tally = Tally()
    for number in range(MOST_NAMES + 5):
        tally.change(example(user=f"u{number}"))
    tally.change(example(user="u0"))
    assert len(tally.users) == MOST_NAMES + 1
    assert tally.users[OTHERS].total() == 5
    assert tally.users["u0"].total() == 2


def test_the_largest_come_first_and_equal_ones_by_name() -> None:
    tally = Tally()
    for tool in ("b", "a", "c", "c"):
        tally.change(example(tool))
    assert [name for name, _ in largest(tally.tools, 2)] == ["c", "a"]
