"""Server-sent events, read from bytes as they come. No I/O.

Source: WHATWG HTML "Interpreting an event stream".
"""

import re
from dataclasses import dataclass
from typing import Final

_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_BOM: Final = b"\xef\xbb\xbf"
_LONGEST_RETRY_DIGITS: Final = 9
_MOST_LINES: Final = 65536


class EventTooLarge(Exception):
    """A line or an event is larger than the limit."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event with data. `type` is "message" unless the server named another."""

    type: str
    data: bytes


class EventReader:
    """Cuts a stream into events. `last_id` and `retry_ms` are what a client resumes with."""

    def __init__(self, max_event_bytes: int) -> None:
        self._limit = max_event_bytes
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._size = 0
        self._type = ""
        self._begun = False
        self._after_cr = False
        self.last_id: str | None = None
        self.retry_ms: int | None = None

    def feed(self, piece: bytes) -> list[Event]:
        """Take in a piece of the stream; gives the events it completed.

        Raises:
            EventTooLarge: the stream is of no further use.
        """
        if self._after_cr and piece:
            piece = piece.removeprefix(b"\n")
            self._after_cr = False
        self._rest += piece
        if not _LINE_END.search(piece):
            if len(self._rest) > self._limit:
                raise EventTooLarge
            return []
        self._after_cr = piece.endswith(b"\r")
        lines = _LINE_END.split(bytes(self._rest))
        self._rest = bytearray(lines.pop())
        if not self._begun:
            self._begun = True
            lines[0] = lines[0].removeprefix(_BOM)
        return [event for line in lines if (event := self._take(line)) is not None]

    def _take(self, line: bytes) -> Event | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._size += len(value) + 1
            if self._size > self._limit or len(self._data) >= _MOST_LINES:
                raise EventTooLarge
            self._data.append(value)
        elif name == b"event":
            self._type = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            # As headers are written: what is sent back are the same bytes.
            self.last_id = value.decode("latin-1")
        elif name == b"retry" and value.isdigit() and len(value) <= _LONGEST_RETRY_DIGITS:
            self.retry_ms = int(value)
        return None

    def _dispatch(self) -> Event | None:
        data, kind = self._data, self._type
        self._data, self._type, self._size = [], "", 0
        return Event(kind or "message", b"\n".join(data)) if data else None
