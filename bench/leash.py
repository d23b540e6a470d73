"""Run a command that dies with its parent: `python leash.py PARENT_PID COMMAND [ARGUMENT ...]`.

The command replaces this process, so it keeps the process id and its CPU time counts as its own.
A harness that is killed outright cannot clean up; the kernel then ends its children (Linux only,
prctl(2) PR_SET_PDEATHSIG, which survives execve).
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent_pid: int, command: list[str]) -> None:
    """Tie this process to its parent, then become `command`."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent_pid:  # it ended before the leash was on
        sys.exit("the parent has ended")
    try:
        os.execvp(command[0], command)  # noqa: S606 - replacing this process is the purpose
    except OSError as error:
        sys.exit(f"cannot run {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
