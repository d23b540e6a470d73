"""Child processes of a test: real ones, waited for within a bound, and none left behind."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import psutil

PATIENCE_SECONDS = 20.0


class Child:
    """A running process. Everything it prints, on either stream, is read as it comes."""

    def __init__(self, process: psutil.Popen) -> None:
        self.pid: int = process.pid
        self._process = process
        self._said = ""
        self._ended = False
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, args=[process.stdout], daemon=True)
        self._reader.start()

    @property
    def said(self) -> str:
        """What it has printed so far."""
        with self._news:
            return self._said

    def wait_for(self, text: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Return once it has printed `text`; fails where it ends, or stays silent, before."""
        with self._news:
            self._news.wait_for(lambda: text in self._said or self._ended, seconds)
            assert text in self._said, f"never printed {text!r} but:\n{self._said}"

    def send(self, number: signal.Signals) -> None:
        """Send a signal to this process alone."""
        self._process.send_signal(number)

    def interrupt(self) -> None:
        """Ctrl-C: SIGINT to the process and to all that it started, as a terminal does."""
        os.killpg(self.pid, signal.SIGINT)

    def exit_code(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Wait for the end, on a pidfd; a negative number is the signal that ended it."""
        code = self._process.wait(seconds)
        self._reader.join(1)  # whoever inherited the pipe may hold it open; that is no failure
        return int(code)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def offspring(self) -> list[psutil.Process]:
        """The processes it started and has not lost, and those they started."""
        return psutil.Process(self.pid).children(recursive=True)

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            while chunk := os.read(stream.fileno(), 65_536):
                with self._news:
                    self._said += chunk.decode(errors="replace")
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()


@contextmanager
def running(
    *command: str | Path, environment: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[Child]:
    """Start `command` in a session of its own; when the block ends, all of it is killed."""
    process = psutil.Popen(
        [str(part) for part in command],
        env=environment,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    child = Child(process)
    try:
        yield child
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        child.exit_code()


def survivors(
    processes: Sequence[psutil.Process], seconds: float = PATIENCE_SECONDS
) -> list[psutil.Process]:
    """Those of `processes` that are still there when the time is up."""
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return alive
