"""Identifiers for calls and records: unique across processes and restarts, cheap to make."""

import secrets
import time


class Identifiers:
    """A source of ids: a random prefix of 64 bits per source, then the time in nanoseconds.

    Unique, not secret: they appear in logs, headers and audit records. No counter, by which one
    tenant could tell how much the others do.
    """

    def __init__(self) -> None:
        self._prefix = secrets.token_hex(8)
        self._last = 0

    def next(self) -> str:
        """The next id, 16 hexadecimal digits, a dash and 16 more; it sorts after those before."""
        now = time.time_ns()
        self._last = now if now > self._last else self._last + 1
        return f"{self._prefix}-{self._last:016x}"


def accepted_correlation_id(given: bytes | None) -> str | None:
    """The caller's correlation id if it is safe to repeat: letters, digits, `-` and `_`, to 128."""
    if not given or len(given) > 128:
        return None
    text = given.decode("latin-1")
    plain = text.replace("-", "").replace("_", "")
    return text if text.isascii() and plain.isalnum() else None
