"""The circumstances of calls: when, from where and with which arguments they came."""

import time
from typing import Final

from bascule.gateway.call import Call, Method
from bascule.gateway.decision import Circumstances

_WITH_ARGUMENTS: Final = frozenset({Method.TOOLS_CALL, Method.PROMPTS_GET})
_WITHOUT: Final = frozenset({Method.RESOURCES_READ, Method.SUBSCRIBE, Method.UNSUBSCRIBE})
_NO_ARGUMENTS: Final[dict[str, object]] = {}
_JITTER_SECONDS: Final = 0.05


class _Clock:
    """Puts monotonic times on the calendar; two readings of one time are the same.

    What the clocks differ by is measured anew each time, but taken over only where the calendar
    was set.
    """

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def moment(self, monotonic: float) -> float:
        """`monotonic` in seconds since the epoch."""
        offset = time.time() - time.monotonic()
        if abs(offset - self._offset) > _JITTER_SECONDS:
            self._offset = offset
        return self._offset + monotonic


_CLOCK: Final = _Clock()


def circumstances_of(call: Call) -> Circumstances:
    """When and from where `call` came, and with which arguments: the same as long as it lasts.

    Arguments are None for methods that use nothing, and for those that go on with an earlier use.
    """
    arguments = None
    if call.method in _WITH_ARGUMENTS:
        arguments = call.arguments
    elif call.method in _WITHOUT:
        arguments = _NO_ARGUMENTS
    return Circumstances(_CLOCK.moment(call.arrived or time.monotonic()), call.peer, arguments)


def circumstances_now(peer: str = "") -> Circumstances:
    """The present, for a question that no call asks; arguments are not known."""
    return Circumstances(time.time(), peer)
