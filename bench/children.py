"""The processes of the benchmark: started on a leash, ended when their block is left."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

ROOT: Final = Path(__file__).resolve().parent.parent
STARTUP_SECONDS: Final = 30.0
STOP_SECONDS: Final = 30.0
_TAIL_BYTES: Final = 2000


class ChildFailed(Exception):
    """A process did not start, ended by itself, or said no; the message quotes its last words."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running process; what it writes to stderr is in `log`."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    @property
    def pid(self) -> int:
        """Process id."""
        return self.process.pid

    def failed(self, what: str) -> ChildFailed:
        """The failure `what` of this process, with the end of its log."""
        tail = self.log.read_bytes()[-_TAIL_BYTES:].decode("utf-8", "replace").strip()
        return ChildFailed(f"{self.name} {what}" + (f"; it said:\n{tail}" if tail else ""))

    async def announced(self) -> Mapping[str, Any]:
        """The JSON object a service prints as its first line.

        Raises:
            ChildFailed: it ended or stayed silent.
        """
        try:
            async with asyncio.timeout(STARTUP_SECONDS):
                line = await self._stdout().readline()
            return cast("Mapping[str, Any]", json.loads(line))
        except (TimeoutError, json.JSONDecodeError):
            raise self.failed("did not start") from None

    async def answer(self, question: bytes, *, seconds: float) -> bytes:
        """Send `question` to stdin, return all of stdout once the process has ended well.

        Raises:
            ChildFailed: exit status other than 0, or no end within `seconds`.
        """
        try:
            async with asyncio.timeout(seconds):
                stdout, _ = await self.process.communicate(question)
        except TimeoutError:
            raise self.failed(f"did not finish within {seconds:.0f} s") from None
        if self.process.returncode != 0:
            raise self.failed(f"failed (exit status {self.process.returncode})")
        return stdout

    async def ended(self, *, within_seconds: float) -> bool:
        """Whether the process ends by itself in that time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                await self.process.wait()
        return self.process.returncode is not None

    def _stdout(self) -> asyncio.StreamReader:
        if self.process.stdout is None:
            raise RuntimeError("started without a pipe on stdout")
        return self.process.stdout


@asynccontextmanager
async def running(
    name: str,
    command: Sequence[str],
    *,
    scratch: Path,
    directory: Path = ROOT,
    piped: bool = True,
) -> AsyncGenerator[Child]:
    """Run `command` in `directory`, in its own session; its log goes to `scratch`.

    `piped` connects stdin and stdout; otherwise stdout goes to the log, so that a talkative
    process never waits for a reader. On leaving, the process gets SIGTERM, and SIGKILL if it is
    still there STOP_SECONDS later.
    """
    log = scratch / f"{name}.log"
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).with_name("leash.py")),
            str(os.getpid()),
            *command,
            cwd=directory,
            env=_environment(),
            stdin=asyncio.subprocess.PIPE if piped else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if piped else stderr,
            stderr=stderr,
            start_new_session=True,  # Ctrl-C reaches the harness alone, which ends the rest
        )
    try:
        yield Child(name, process, log)
    finally:
        await _end(process)


def _environment() -> dict[str, str]:
    """The environment without settings of the gateway: defaults are what is measured."""
    return {key: value for key, value in os.environ.items() if not key.startswith("BASCULE_")}


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        print(f"process {process.pid} ignored SIGTERM and was killed", file=sys.stderr)
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
