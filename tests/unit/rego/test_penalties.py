from bascule.rego.penalties import Penalties, PenaltyRule


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


RULE = PenaltyRule(first_seconds=1.0, most_seconds=8.0, memory_seconds=60.0)


def test_who_did_no_harm_may_be_tried() -> None:
    assert Penalties(RULE).remaining("a") == 0


def test_the_wait_doubles_up_to_a_bound() -> None:
    penalties = Penalties(RULE, _Clock())
    assert [penalties.strike("a") for _ in range(40)][:6] == [1, 2, 4, 8, 8, 8]
    assert penalties.remaining("a") == 8
    assert penalties.remaining("b") == 0


def test_the_wait_is_over_when_its_time_is() -> None:
    clock = _Clock()
    penalties = Penalties(RULE, clock)
    penalties.strike("a")
    clock.now += 0.75
    assert penalties.remaining("a") == 0.25
    clock.now += 0.25
    assert penalties.remaining("a") == 0


def test_doing_well_and_time_make_forget() -> None:
    clock = _Clock()
    penalties = Penalties(RULE, clock)
    penalties.strike("a")
    penalties.strike("a")
    penalties.pardon("a")
    assert penalties.strike("a") == 1
    clock.now += 61
    assert penalties.strike("a") == 1


def test_harm_is_known_for_a_while_and_with_its_reason_even_after_doing_well() -> None:
    clock = _Clock()
    penalties = Penalties(RULE, clock)
    assert (penalties.is_known("a"), penalties.why("a")) == (False, "")
    penalties.strike("a", "too slow")
    penalties.pardon("a")
    penalties.pardon("b")
    assert (penalties.is_known("a"), penalties.why("a")) == (True, "too slow")
    assert penalties.remaining("a") == 0
    clock.now += 61
    assert not penalties.is_known("a")


def test_the_first_strikes_may_be_let_pass() -> None:
    penalties = Penalties(PenaltyRule(first_seconds=1.0, lenient=2), _Clock())
    assert [penalties.strike("a") for _ in range(4)] == [0, 0, 1, 2]


def test_the_oldest_of_very_many_is_forgotten() -> None:
    penalties = Penalties(RULE, _Clock())
    for number in range(10_001):
        penalties.strike(number)
    assert penalties.remaining(0) == 0
    assert penalties.remaining(1) == 1
