"""How many refusals of strangers are written down: enough to see an attack, not to become one."""

from typing import Final

STRANGERS_PER_SECOND: Final = 50


class Trickle:
    """Lets a bounded number through in each second, and counts the rest.

    Callers without a key could otherwise fill the disk, and a full disk stops everybody.
    """

    def __init__(self, per_second: int = STRANGERS_PER_SECOND) -> None:
        self._per_second = per_second
        self._second = -1
        self._taken = 0
        self._held_back = 0

    def take(self, now_seconds: float) -> int | None:
        """None to hold back; else how many were held back since the last that was not."""
        second = int(now_seconds)
        if second != self._second:
            self._second, self._taken = second, 0
        if self._taken >= self._per_second:
            self._held_back += 1
            return None
        self._taken += 1
        held_back, self._held_back = self._held_back, 0
        return held_back
