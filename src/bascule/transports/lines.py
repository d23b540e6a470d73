"""Bytes from a pipe, split into lines of a bounded length."""

from collections.abc import Iterator


class LineSplitter:
    """Takes bytes as they come, and gives the lines that are complete, without their ends."""

    def __init__(self, max_line_bytes: int) -> None:
        self._max = max_line_bytes
        self._parts: list[bytes] = []
        self._size = 0
        self._skipping = False

    def feed(self, data: bytes) -> Iterator[bytes | None]:
        """The lines that `data` completes; None, once, for one that is too long."""
        *ends, rest = data.split(b"\n")
        for end in ends:
            yield from self._add(end)
            if not self._skipping:
                yield b"".join(self._parts)
            self._start()
        yield from self._add(rest)

    def _add(self, part: bytes) -> Iterator[None]:
        if self._skipping or not part:
            return
        self._size += len(part)
        if self._size > self._max:
            self._parts.clear()
            self._skipping = True
            yield None
        else:
            self._parts.append(part)

    def _start(self) -> None:
        self._parts, self._size, self._skipping = [], 0, False
