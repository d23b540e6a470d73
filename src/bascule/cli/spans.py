"""Points in time as people give them on the command line."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from bascule.cli.failures import CommandFailed, Exit

_AGO: Final = re.compile(r"(\d{1,6})([smhdw])")
_UNITS: Final = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


def moment_of(text: str, now: datetime) -> datetime:
    """The time that `text` means: so long before `now` (`7d`, `90m`), a date, or a date and time.

    Times without a zone are in UTC.

    Raises:
        CommandFailed: usage; it means none.
    """
    ago = _AGO.fullmatch(text.strip())
    try:
        if ago is not None:
            return now - int(ago[1]) * _UNITS[ago[2]]
        found = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        raise CommandFailed(
            f"{text!r} is no time. Give one as 7d, 12h or 30m (so long ago), 2026-11-22, or "
            "2026-11-22T10:00:00Z.",
            Exit.USAGE,
        ) from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
