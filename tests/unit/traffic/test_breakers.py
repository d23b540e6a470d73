from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bascule.gateway.connector import DIRECT, BreakerRule
from bascule.traffic.breakers import Breaker, Breakers, State
from fakes.traffic import SHOP, Clock

RULE = BreakerRule(failures=3, window_seconds=60, open_seconds=30)


def make_breaker(rule: BreakerRule = RULE) -> tuple[Breaker, Clock, list[State]]:
    clock, told = Clock(), list[State]()
    return Breaker(rule, clock.now, told.append), clock, told


def fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        breaker.fail(breaker.epoch)


def test_it_opens_at_as_many_failures_as_its_rule_says() -> None:
    breaker, _, told = make_breaker()
    fail(breaker, 2)
    assert (breaker.state, breaker.failures, breaker.is_closed) == (State.CLOSED, 2, True)
    fail(breaker)
    assert (breaker.state, breaker.is_closed, told) == (State.OPEN, False, [State.OPEN])
    assert breaker.retry_after_seconds == 30


def test_failures_spread_over_more_than_the_window_do_not_open_it() -> None:
    breaker, clock, _ = make_breaker()
    for _ in range(20):
        fail(breaker)
        clock.seconds += 31
    assert (breaker.state, breaker.failures) == (State.CLOSED, 1)


def test_few_failures_among_very_many_calls_do_not_open_it() -> None:
    breaker, clock, _ = make_breaker()
    for _ in range(100):
        breaker.successes += 100
        fail(breaker)
        clock.seconds += 1
    assert breaker.state is State.CLOSED


def test_one_failure_in_ten_calls_is_too_many() -> None:
    breaker, clock, _ = make_breaker()
    for _ in range(3):
        breaker.successes += 9
        fail(breaker)
        clock.seconds += 1
    assert breaker.state is State.OPEN


def test_after_very_many_successes_nothing_but_failures_open_it_at_once() -> None:
    breaker, _, _ = make_breaker()
    breaker.successes += 1_000_000
    fail(breaker, 3)
    assert breaker.state is State.OPEN


def test_exactly_one_call_tries_after_a_while_and_its_success_closes() -> None:
    breaker, clock, told = make_breaker()
    fail(breaker, 3)
    assert breaker.take_probe() is None
    clock.seconds += 30
    assert breaker.state is State.HALF_OPEN
    probe = breaker.take_probe()
    assert probe is not None
    assert breaker.take_probe() is None
    breaker.settle(probe, works=True)
    assert (breaker.state, breaker.failures) == (State.CLOSED, 0)
    assert told == [State.OPEN, State.HALF_OPEN, State.CLOSED]


def test_its_failure_opens_for_as_long_again() -> None:
    breaker, clock, _ = make_breaker()
    fail(breaker, 3)
    clock.seconds += 40
    probe = breaker.take_probe()
    assert probe is not None
    breaker.settle(probe, works=False)
    assert (breaker.state, breaker.retry_after_seconds) == (State.OPEN, 30)


def test_a_try_given_back_is_anothers() -> None:
    breaker, clock, _ = make_breaker()
    fail(breaker, 3)
    clock.seconds += 30
    first = breaker.take_probe()
    assert first is not None
    breaker.give_back(first)
    assert breaker.take_probe() == first


def test_what_began_before_it_changed_says_nothing_after() -> None:
    breaker, clock, _ = make_breaker()
    early = breaker.epoch
    fail(breaker, 3)
    clock.seconds += 30
    probe = breaker.take_probe()
    assert probe is not None
    breaker.settle(probe, works=True)
    for _ in range(10):
        breaker.fail(early)
    breaker.settle(probe, works=False)
    breaker.give_back(early)
    assert (breaker.state, breaker.failures) == (State.CLOSED, 0)


def test_a_reset_closes_it_and_forgets() -> None:
    breaker, _, told = make_breaker()
    fail(breaker, 3)
    breaker.reset()
    breaker.reset()
    fail(breaker, 2)
    assert (breaker.state, breaker.retry_after_seconds) == (State.CLOSED, 0)
    assert told == [State.OPEN, State.CLOSED]


def test_a_rule_of_no_failures_never_opens() -> None:
    breaker, _, _ = make_breaker(replace(RULE, failures=0))
    fail(breaker, 100)
    assert breaker.state is State.CLOSED


def test_it_is_the_same_for_as_long_as_the_record_is() -> None:
    told: list[tuple[str, str, State]] = []
    breakers = Breakers(
        Clock().now, lambda tenant, upstream, state: told.append((tenant, upstream.name, state))
    )
    one = breakers.of("default", SHOP)
    assert breakers.of("default", replace(SHOP)) is one
    assert breakers.of("acme", SHOP) is not one
    changed = replace(SHOP, connector=replace(DIRECT, breaker=BreakerRule(failures=1)))
    breakers.keep([("default", SHOP), ("default", changed)])
    assert breakers.of("default", SHOP) is one
    fail(breakers.of("default", changed))
    assert told == [("default", "shop", State.OPEN)]
    breakers.keep([])
    assert breakers.of("default", SHOP) is not one
    assert len(breakers.all()) == 1


def test_nobody_needs_to_be_told() -> None:
    breaker = Breakers().of("default", SHOP)
    fail(breaker, 5)
    assert breaker.state is State.OPEN
    alone = Breaker(RULE)
    fail(alone, 3)
    assert not alone.is_closed


class AnyTraffic(RuleBasedStateMachine):
    """Whatever comes and in whatever order, an open breaker lets nothing but one probe pass."""

    @initialize(failures=st.integers(1, 4))
    def begin(self, failures: int) -> None:
        rule = BreakerRule(failures, window_seconds=60, open_seconds=30)
        self.failures = failures
        self.clock, self.told = Clock(), list[State]()
        self.breaker = Breaker(rule, self.clock.now, self.told.append)
        self.times: list[float] = []
        self.row: list[float] = []
        self.opened_at: float | None = None
        self.probe: int | None = None
        self.stale = self.breaker.epoch - 1

    @precondition(lambda self: self.opened_at is None)
    @rule(count=st.integers(1, 50))
    def succeed(self, count: int) -> None:
        self.breaker.successes += count
        self.row.clear()

    @precondition(lambda self: self.opened_at is None)
    @rule()
    def fail(self) -> None:
        now = self.clock.seconds
        self.times.append(now)
        self.row.append(now)
        self.breaker.fail(self.breaker.epoch)
        within = [one for one in self.times[-self.failures :] if now - one < 60]
        in_a_row = [one for one in self.row[-self.failures :] if now - one < 60]
        if len(in_a_row) == self.failures:
            assert not self.breaker.is_closed
        if len(within) < self.failures:
            assert self.breaker.is_closed
        if not self.breaker.is_closed:
            self.opened_at = now

    @rule()
    def fail_late(self) -> None:
        was = self.breaker.is_closed
        self.breaker.fail(self.stale)
        assert self.breaker.is_closed == was

    @rule(seconds=st.floats(0, 90))
    def wait(self, seconds: float) -> None:
        self.clock.seconds += seconds

    @precondition(lambda self: self.opened_at is not None)
    @rule()
    def try_one(self) -> None:
        waited = self.clock.seconds - (self.opened_at or 0) >= 30
        taken = self.breaker.take_probe()
        assert (taken is not None) == (waited and self.probe is None)
        if taken is not None:
            self.probe = taken

    @precondition(lambda self: self.probe is not None)
    @rule(works=st.booleans())
    def settle(self, works: bool) -> None:
        assert self.probe is not None
        self.breaker.settle(self.probe, works=works)
        self.stale, self.probe = self.probe, None
        self.opened_at = None if works else self.clock.seconds
        self.times.clear()
        self.row.clear()

    @precondition(lambda self: self.probe is not None)
    @rule()
    def give_back(self) -> None:
        assert self.probe is not None
        self.breaker.give_back(self.probe)
        self.probe = None

    @rule()
    def reset(self) -> None:
        self.stale = self.breaker.epoch
        self.breaker.reset()
        self.probe = self.opened_at = None
        self.times.clear()
        self.row.clear()

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "breaker"):
            return
        assert self.breaker.is_closed == (self.opened_at is None)
        assert (self.breaker.state is State.CLOSED) == self.breaker.is_closed
        left = 0.0 if self.opened_at is None else self.opened_at + 30 - self.clock.seconds
        assert abs(self.breaker.retry_after_seconds - max(0.0, left)) < 1e-6


TestAnyTraffic = AnyTraffic.TestCase
TestAnyTraffic.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
