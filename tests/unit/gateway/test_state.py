import math

import pytest

from bascule.gateway.errors import ErrorCode
from bascule.gateway.state import (
    MOST_TTL_SECONDS,
    MOST_VALUE_BYTES,
    StateUnavailable,
    check_life,
    check_value,
)


@pytest.mark.parametrize("ttl_seconds", [0.001, 1, MOST_TTL_SECONDS])
def test_a_value_up_to_the_most_may_live_up_to_the_longest(ttl_seconds: float):
    check_value(bytes(MOST_VALUE_BYTES), ttl_seconds)


@pytest.mark.parametrize("ttl_seconds", [0, -1, math.inf, math.nan, MOST_TTL_SECONDS + 1])
def test_a_life_of_nothing_or_for_ever_is_a_mistake_of_the_program(ttl_seconds: float):
    with pytest.raises(ValueError, match="cannot live"):
        check_value(b"", ttl_seconds)
    with pytest.raises(ValueError, match="cannot live"):
        check_life(ttl_seconds)


def test_a_value_too_large_is_a_mistake_of_the_program():
    with pytest.raises(ValueError, match="1048577 bytes"):
        check_value(bytes(MOST_VALUE_BYTES + 1))


def test_a_store_that_cannot_be_asked_refuses_the_call():
    assert StateUnavailable("x").error is ErrorCode.UNAVAILABLE
