import itertools

import pytest

from bascule.protocol.levels import LEVELS, USUAL_LEVEL, at_least


@pytest.mark.parametrize(("wanted", "level"), [*itertools.product(LEVELS, LEVELS)])
def test_what_is_as_severe_as_wanted_passes(wanted: str, level: str) -> None:
    passes = LEVELS.index(level) >= LEVELS.index(wanted)
    assert at_least(b'{"level":"%b","data":1}' % level.encode(), wanted) is passes


@pytest.mark.parametrize(
    "params",
    [b"", b"{}", b"[]", b'{"level":5}', b'{"level":"loud"}', b'{"level":"\xff"}', b"[" * 100_000],
)
def test_a_message_without_a_level_never_passes(params: bytes) -> None:
    assert not at_least(params, "debug")


def test_the_usual_level_is_one() -> None:
    assert USUAL_LEVEL in LEVELS
