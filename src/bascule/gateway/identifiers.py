"""Identifiers for calls and records: unique across processes and restarts, cheap to make."""

import itertools
import secrets


class Identifiers:
    """A source of ids: a random prefix of 64 bits per source, then a counter.

    Unique, not secret: they appear in logs, headers and audit records.
    """

    def __init__(self) -> None:
        self._prefix = secrets.token_hex(8)
        self._numbers = itertools.count(1)

    def next(self) -> str:
        """The next id, 16 hexadecimal digits, a dash and at least 8 more."""
        return f"{self._prefix}-{next(self._numbers):08x}"


def accepted_correlation_id(given: bytes | None) -> str | None:
    """The caller's correlation id if it is safe to repeat: letters, digits, `-` and `_`, to 128."""
    if not given or len(given) > 128:
        return None
    text = given.decode("latin-1")
    plain = text.replace("-", "").replace("_", "")
    return text if text.isascii() and plain.isalnum() else None
