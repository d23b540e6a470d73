"""Run as a program: evaluates Rego for the gateway that started it, and ends with it.

Arguments: the gateway's process id, and the bytes of memory that may be used. It is asked on
standard input and answers on standard output; see `messages`.
"""

import gc
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO, Final

from bascule.rego.messages import PREFIX_BYTES, Ready, Request, Response, framed, request_in

_SET_DEATH_SIGNAL: Final = 1
_MOST_INHERITED: Final = 1024


def main() -> None:
    """Answer until standard input ends."""
    gateway, memory_bytes = int(sys.argv[1]), int(sys.argv[2])
    end_with(gateway)
    os.closerange(3, _MOST_INHERITED)  # an event loop leaves a child copies of its pipes
    incoming, outgoing = _pipes()
    bound(memory_bytes)
    gc.disable()  # syntax trees are large, and go in circles nowhere
    # Not before the bounds hold: what the engine reserves depends on them.
    from bascule.rego.answering import Desk  # noqa: PLC0415

    with suppress(BrokenPipeError):
        outgoing.write(framed(Ready()))
        outgoing.flush()
        serve(incoming, outgoing, Desk().answer)


def serve(incoming: BinaryIO, outgoing: BinaryIO, answer: Callable[[Request], Response]) -> None:
    """Answer each request of `incoming` until it ends, if within a request."""
    while True:
        prefix = incoming.read(PREFIX_BYTES)
        size = int.from_bytes(prefix, "big")
        body = incoming.read(size)
        if len(prefix) < PREFIX_BYTES or len(body) < size:
            return
        request = request_in(body)
        del body
        outgoing.write(framed(answer(request)))
        outgoing.flush()


def end_with(gateway: int) -> None:
    """Die when the process `gateway` does, however it does. Elsewhere than on Linux input ends."""
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415 - not needed elsewhere

    ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != gateway:
        os._exit(0)  # it died before the kernel was asked


def bound(memory_bytes: int) -> None:
    """Let this process have so much memory and no core file."""
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(ValueError, OSError):  # where the system has a lower bound, that holds
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output; what anybody else prints goes to standard error."""
    incoming, outgoing = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(incoming, "rb"), os.fdopen(outgoing, "wb")


if __name__ == "__main__":
    main()
