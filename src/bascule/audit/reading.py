"""Answers questions about recent records, newest first, from the end of the files backwards."""

import heapq
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

import msgspec
import structlog

from bascule.audit.lines import HEADS_START
from bascule.audit.segments import Segment, lines_backwards, list_segments, open_segment

_log = structlog.get_logger(__name__)

DISORDER: Final = timedelta(minutes=10)
"""How far a record's time may lie behind an earlier record's, as when a clock is set back."""


class Facts(msgspec.Struct):
    """What records are found by; a part of every record."""

    timestamp: datetime
    tool_name: str = ""
    user: str = ""
    status: str = ""
    tenant: str = ""
    correlation_id: str = ""


_facts_decoder = msgspec.json.Decoder(Facts)
_Sort = TypeVar("_Sort", bound=Facts)
_record_decoder = msgspec.json.Decoder(dict[str, object])


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records are wanted; None means any. `since` and `until` belong to the range.

    Both times carry a time zone.
    """

    tool_name: str | None = None
    user: str | None = None
    status: str | None = None
    correlation_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    tenant: str | None = None

    def __post_init__(self) -> None:
        if any(time is not None and time.tzinfo is None for time in (self.since, self.until)):
            raise ValueError("a time without a time zone does not say when")

    def accepts(self, facts: Facts) -> bool:
        """Whether a record with these facts is wanted."""
        wanted = (self.tool_name, self.user, self.status, self.correlation_id, self.tenant)
        actual = (facts.tool_name, facts.user, facts.status, facts.correlation_id, facts.tenant)
        if any(want not in {None, have} for want, have in zip(wanted, actual, strict=True)):
            return False
        return (self.since is None or facts.timestamp >= self.since) and (
            self.until is None or facts.timestamp <= self.until
        )

    def is_past(self, facts: Facts) -> bool:
        """Whether no record written before this one can be wanted."""
        return self.since is not None and facts.timestamp < self.since - DISORDER


EVERY_RECORD: Final = Filter()


def tail(
    directory: Path, limit: int, match: Filter = EVERY_RECORD, *, writer: str | None = None
) -> list[dict[str, object]]:
    """The newest `limit` records that `match`, newest first, as they stand in the journal.

    Members with default values are absent, those of both chains present (see `lines`). Writers are
    merged by time. Blocks, and reads back to `match.since` or the beginning where fewer than
    `limit` match: call it in a thread. It does not verify; lines it cannot read are logged and
    left out.

    Raises:
        NotFound: there is no such directory.
        Forbidden: a file cannot be read by this user.
    """
    found = list_segments(directory, writer)
    newest_first = heapq.merge(
        *(_matches(segments, match) for segments in found.values()),
        key=lambda match: match[0],
        reverse=True,
    )
    return [_record_decoder.decode(line) for _, line in islice(newest_first, max(0, limit))]


def records_of(directory: Path, match: Filter, sort: type[_Sort]) -> Generator[_Sort]:
    """All records that `match`, as a `sort` of facts that names the members that are wanted.

    They come one writer after the other, newest first of each, and are read as they are asked for:
    however many there are, few are held at once. Blocks, and raises, as `tail`. Close it when not
    all of it is wanted.
    """
    decoder = msgspec.json.Decoder(sort)
    for segments in list_segments(directory).values():
        for facts, _ in _found(segments, match, decoder):
            yield facts


def _matches(segments: list[Segment], match: Filter) -> Iterator[tuple[datetime, bytes]]:
    found = _found(segments, match, _facts_decoder)
    return ((facts.timestamp, line) for facts, line in found)


def _found(
    segments: list[Segment], match: Filter, decoder: msgspec.json.Decoder[_Sort]
) -> Iterator[tuple[_Sort, bytes]]:
    for segment in reversed(segments):
        with open_segment(segment) as file:
            for line in lines_backwards(file):
                if line.startswith(HEADS_START):
                    continue
                facts = _read_facts(line, segment, decoder)
                if facts is None:
                    continue
                if match.accepts(facts):
                    yield facts, line
                elif match.is_past(facts):
                    return


def _read_facts(
    line: bytes, segment: Segment, decoder: msgspec.json.Decoder[_Sort]
) -> _Sort | None:
    try:
        return decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        _log.warning("journal.line_unreadable", segment=segment.path.name, start=line[:80])
        return None
