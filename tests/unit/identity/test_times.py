from typing import Any

import pytest

from bascule.identity.rejections import Reason, Rejection
from bascule.identity.times import Times, times_of


def judged(now: float = 1000.0, **claims: Any) -> Times | Rejection:
    return times_of(claims, now, 30.0)


def test_the_allowance_for_clocks_is_in_when_a_token_ends() -> None:
    assert judged(exp=1100, iat=900) == Times(900.0, 1130.0)
    assert judged(exp=1100) == Times(0.0, 1130.0)
    assert judged(exp=970.5, nbf=1030, iat=1030) == Times(1030.0, 1000.5)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({}, Reason.CLAIMS),
        ({"exp": "1100"}, Reason.CLAIMS),
        ({"exp": True}, Reason.CLAIMS),
        ({"exp": None}, Reason.CLAIMS),
        ({"exp": 2**60}, Reason.CLAIMS),
        ({"exp": 1100, "nbf": "x"}, Reason.CLAIMS),
        ({"exp": 1100, "iat": None}, Reason.CLAIMS),
        ({"exp": 970}, Reason.EXPIRED),
        ({"exp": -5}, Reason.EXPIRED),
        ({"exp": 1100, "nbf": 1030.5}, Reason.NOT_YET),
        ({"exp": 1100, "iat": 1031}, Reason.NOT_YET),
    ],
)
def test_a_token_out_of_its_time_says_how(claims: Any, reason: Reason) -> None:
    found = judged(**claims)
    assert isinstance(found, Rejection)
    assert found.reason is reason
