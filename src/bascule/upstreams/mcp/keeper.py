"""Run as a script: starts a command, stays beside it, and ends as it ends.

Should the gateway die, however it dies, everything that the command started ends with it: the
kernel tells the keeper (prctl(2), PR_SET_PDEATHSIG), which kills the process group it leads. To
tell the command itself would leave alive what is under a shell or a package runner.

Arguments: the gateway's process id, the program's path, and the command's words.
"""

import ctypes
import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import Final, NoReturn

_SET_DEATH_SIGNAL: Final = 1
# Neither of those that end a group by request; and not one that a terminal sends.
_GATEWAY_DIED: Final = signal.SIGUSR1
_BY_REQUEST: Final = (signal.SIGTERM, signal.SIGINT)
# Ignored by Python itself, which a command would inherit.
_IGNORED: Final = (signal.SIGPIPE, signal.SIGXFSZ)


def main() -> NoReturn:
    """Keep the command of the arguments."""
    gateway, program, words = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    _watch(gateway)
    _close_inherited()
    try:
        command = os.posix_spawn(program, words, os.environ, setsigdef=_IGNORED)
    except OSError as error:
        sys.exit(f"cannot run {program}: {error.strerror}")
    _let_go_of_pipes()
    _, status = os.waitpid(command, 0)
    _end_like(os.waitstatus_to_exitcode(status))


def _watch(gateway: int) -> None:
    signal.signal(_GATEWAY_DIED, _end_all)
    for number in _BY_REQUEST:
        signal.signal(number, _leave_it_to_the_command)
    ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, int(_GATEWAY_DIED), 0, 0, 0)
    if os.getppid() != gateway:
        sys.exit(0)  # it died before the kernel was asked


def _end_all(_: int, __: FrameType | None) -> None:
    os.killpg(0, signal.SIGKILL)


def _leave_it_to_the_command(_: int, __: FrameType | None) -> None:
    """The whole group was told; the keeper ends when its command does."""


def _close_inherited() -> None:
    """The event loop leaves a child copies of its pipes."""
    # pathlib would be half of what this takes to start.
    for descriptor in os.listdir("/proc/self/fd"):  # noqa: PTH208
        if int(descriptor) > 2:
            with suppress(OSError):
                os.close(int(descriptor))


def _let_go_of_pipes() -> None:
    """The command's own must be the last copies, so that their end is seen."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nowhere, descriptor)


def _end_like(code: int) -> NoReturn:
    if code < 0:
        with suppress(OSError):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    main()
