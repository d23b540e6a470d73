import pytest

from bascule.gateway.decision import Decision
from bascule.gateway.rule import Effect


@pytest.mark.parametrize(
    ("effect", "allowed", "possible"),
    [(Effect.ALLOW, True, True), (Effect.ELEVATE, False, True), (Effect.DENY, False, False)],
)
def test_what_needs_a_grant_is_possible_and_not_yet_allowed(
    effect: Effect, allowed: bool, possible: bool
) -> None:
    decision = Decision(effect, "a-rule")

    assert (decision.allowed, decision.possible) == (allowed, possible)
