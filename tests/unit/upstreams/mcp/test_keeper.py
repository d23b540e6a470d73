import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from bascule.upstreams.mcp import keeper
from fakes.processes import survivors

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the keeper is Linux's")

KEEPER = (sys.executable, "-I", "-S", keeper.__file__)
# Deaf to everything but SIGKILL, and so is what it starts; it says both their ids.
DEAF = f"""
import os, signal, subprocess, sys
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
    signal.signal(number, signal.SIG_IGN)
inner = subprocess.Popen([{sys.executable!r}, "-c", "import time; time.sleep(60)"])
print(os.getpid(), inner.pid, flush=True)
inner.wait()
"""
GATEWAY = """
import os, subprocess, sys
kept = [*sys.argv[1:], str(os.getpid()), sys.executable, "python", "-c", sys.stdin.read()]
subprocess.Popen(kept, start_new_session=True).wait()
"""


def kept(*words: str, gateway: int | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*KEEPER, str(gateway or os.getpid()), *words],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
        start_new_session=True,
    )


@contextmanager
def gateway_of(code: str) -> Iterator[subprocess.Popen[str]]:
    """A process that keeps `code`, as the gateway does."""
    running = subprocess.Popen(
        [sys.executable, "-c", GATEWAY, *KEEPER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with running:
        assert running.stdin is not None
        running.stdin.write(code)
        running.stdin.close()
        try:
            yield running
        finally:
            running.kill()


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("pass", 0),
        ("raise SystemExit(7)", 7),
        ("import os; os.kill(os.getpid(), 15)", -signal.SIGTERM),
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL),
    ],
)
def test_it_ends_as_its_command_ends(code: str, status: int) -> None:
    assert kept(sys.executable, "python", "-c", code).returncode == status


def test_the_command_has_the_words_it_would_have_without_it() -> None:
    code = "import sys; print(sys.argv[1:])"

    assert kept(sys.executable, "python", "-c", code, "a b", "").stdout == "['a b', '']\n"


def test_the_command_does_not_ignore_what_python_ignores() -> None:
    ignored = kept("/bin/sh", "sh", "-c", "grep SigIgn /proc/$$/status").stdout.split()[1]

    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        assert not int(ignored, 16) & 1 << number - 1


def test_what_cannot_be_run_is_named() -> None:
    done = kept("/nowhere/at/all", "all")

    assert done.returncode == 1
    assert done.stderr == "cannot run /nowhere/at/all: No such file or directory\n"


def test_a_command_whose_gateway_is_gone_already_is_not_started() -> None:
    done = kept("/bin/sh", "sh", "-c", "echo started", gateway=1)

    assert (done.returncode, done.stdout) == (0, "")


def test_a_killed_gateway_takes_all_that_the_command_started_with_it() -> None:
    with gateway_of(DEAF) as gateway:
        assert gateway.stdout is not None
        told = [psutil.Process(int(pid)) for pid in gateway.stdout.readline().split()]
        offspring = psutil.Process(gateway.pid).children(recursive=True)
        gateway.kill()

        assert len(offspring) == 3, "the keeper, the command, and what that started"
        assert set(told) < set(offspring)
        assert survivors(offspring, 10) == []


def test_asked_to_end_it_waits_for_its_command() -> None:
    polite = """
        import signal, sys, time
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
        print("ready", flush=True)
        time.sleep(60)
        """
    code = "\n".join(line.strip() for line in polite.splitlines())
    running = subprocess.Popen(
        [*KEEPER, str(os.getpid()), sys.executable, "python", "-c", code],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with running:
        assert running.stdout is not None
        running.stdout.readline()
        os.killpg(running.pid, signal.SIGTERM)

        assert running.wait(10) == 5
