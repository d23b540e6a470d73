"""What a child process writes to its standard error, into the log and within bounds."""

import time
from typing import Final

import structlog

_log = structlog.get_logger(__name__)

_LONGEST_LINE: Final = 2000
_LINES_PER_WINDOW: Final = 100
_WINDOW_SECONDS: Final = 10.0


class StderrLog:
    """Logs lines, cut at 2,000 bytes and at most 100 in ten seconds; counts the rest."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._rest = b""
        self._window_began = 0.0
        self._lines = 0
        self._dropped = 0

    def feed(self, piece: bytes) -> None:
        """Take in a piece of output."""
        *lines, rest = (self._rest + piece).split(b"\n")
        self._rest = rest[:_LONGEST_LINE]
        for line in lines:
            self._write(line)

    def end(self) -> None:
        """Log what has no line end, and what was left out."""
        if self._rest:
            self._write(self._rest)
            self._rest = b""
        self._report_dropped()

    def _write(self, line: bytes) -> None:
        now = time.monotonic()
        if now - self._window_began > _WINDOW_SECONDS:
            self._report_dropped()
            self._window_began = now
            self._lines = 0
        self._lines += 1
        if self._lines > _LINES_PER_WINDOW:
            self._dropped += 1
            return
        text = line[:_LONGEST_LINE].decode("utf-8", "replace").rstrip()
        if text:
            _log.info("upstream.stderr", upstream=self._upstream, line=text)

    def _report_dropped(self) -> None:
        if self._dropped:
            _log.warning("upstream.stderr_dropped", upstream=self._upstream, lines=self._dropped)
            self._dropped = 0
