from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.cli.failures import CommandFailed
from bascule.cli.spans import moment_of

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("7d", NOW - timedelta(days=7)),
        ("90m", NOW - timedelta(minutes=90)),
        ("2w", NOW - timedelta(weeks=2)),
        (" 1h ", NOW - timedelta(hours=1)),
        ("30s", NOW - timedelta(seconds=30)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T08:30:00Z", datetime(2026, 11, 1, 8, 30, tzinfo=UTC)),
        ("2026-11-01T08:30:00+05:30", datetime(2026, 11, 1, 3, 0, tzinfo=UTC)),
        ("2026-11-01T08:30", datetime(2026, 11, 1, 8, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_so_long_ago_or_on_the_calendar(text: str, meant: datetime) -> None:
    assert moment_of(text, NOW) == meant


@pytest.mark.parametrize("text", ["", "7", "d", "7y", "-7d", "soon", "999999w", "2026-13-01"])
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(CommandFailed, match="is no time"):
        moment_of(text, NOW)


@given(st.text(max_size=30))
def test_any_text_is_a_time_with_a_zone_or_refused(text: str) -> None:
    with suppress(CommandFailed):
        assert moment_of(text, NOW).tzinfo is not None
