"""Refusals of strangers are recorded up to a bound, and the rest is counted."""

from bascule.gateway.trickle import Trickle


def test_so_many_pass_in_a_second_and_the_rest_is_held_back() -> None:
    trickle = Trickle(per_second=2)
    assert [trickle.take(10.0), trickle.take(10.5), trickle.take(10.9)] == [0, 0, None]


def test_the_next_second_passes_again_and_tells_how_many_were_held_back() -> None:
    trickle = Trickle(per_second=1)
    assert [trickle.take(10.0), trickle.take(10.1), trickle.take(10.2)] == [0, None, None]
    assert [trickle.take(11.0), trickle.take(12.0)] == [2, 0]
