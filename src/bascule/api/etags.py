"""Versions of what is shown, so that nobody overwrites a change that they have not seen."""

from datetime import UTC, datetime, timedelta

from bascule.gateway.errors import Conflict

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def etag_of(updated_at: datetime) -> str:
    """The ETag of something that was last changed then."""
    return f'"{(updated_at - _EPOCH) // _MICROSECOND:x}"'


def expect(current: datetime, if_match: str | None, updated_at: datetime | None) -> None:
    """Pass where nothing changed since the caller looked: by the header If-Match, or a moment.

    Raises:
        Conflict: it was changed meanwhile; says when.
    """
    wanted = {one.strip() for one in (if_match or "*").split(",")}
    is_known = "*" in wanted or etag_of(current) in wanted
    if is_known and updated_at in {None, current}:
        return
    raise Conflict(
        f"This was changed meanwhile, at {current.isoformat()}. Load it again, and decide anew.",
        details={"field": "updated_at", "updated_at": current.isoformat()},
    )
