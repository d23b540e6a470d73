"""The program itself, spoken to over its pipes."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import IO, Any

import psutil
import pytest

from bascule.rego.messages import Evaluate, Failed, Load, Ready, ResponseReader, framed
from bascule.rego.worker import bound
from fakes.processes import survivors

Process = subprocess.Popen[bytes]


@pytest.fixture(name="worker")
def running_worker() -> Iterator[Process]:
    worker = _started(os.getpid())
    yield worker
    worker.kill()
    worker.communicate()


def _started(parent: int, memory: int = 256 << 20, **options: Any) -> Process:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "bascule.rego.worker", str(parent), str(memory)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
    )  # fmt: skip


def _read(pipe: IO[bytes] | None, reader: ResponseReader) -> Any:
    assert pipe is not None
    while True:
        piece = os.read(pipe.fileno(), 65_536)
        assert piece, "it closed its output"
        if found := reader.feed(piece):
            return found[0]


def test_it_says_that_it_is_ready_and_ends_with_its_input(worker: Process) -> None:
    assert _read(worker.stdout, ResponseReader()) == Ready()
    worker.communicate(timeout=20)
    assert worker.returncode == 0


def test_half_a_request_is_none(worker: Process) -> None:
    output, _ = worker.communicate(framed(Load("d", {}, "{}"))[:-1], timeout=20)
    assert worker.returncode == 0
    assert output == framed(Ready())


def test_a_request_that_is_none_ends_it(worker: Process) -> None:
    worker.communicate(b"\0\0\0\5hello", timeout=20)
    assert worker.returncode == 1


def test_it_is_bound_in_memory_and_leaves_no_core(worker: Process) -> None:
    reader = ResponseReader()
    assert _read(worker.stdout, reader) == Ready()
    limits = psutil.Process(worker.pid)
    assert limits.rlimit(resource.RLIMIT_AS) == (256 << 20, 256 << 20)
    assert limits.rlimit(resource.RLIMIT_CORE) == (0, 0)


def test_what_cannot_be_bound_so_is_left_as_it_is() -> None:
    # A limit above the hard one is refused by the system, not by this program.
    code = (
        "import resource; from bascule.rego.worker import bound\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)); bound(1 << 62)\n"
        "assert resource.getrlimit(resource.RLIMIT_AS) == (1 << 30, 1 << 30)"
    )
    assert bound.__doc__
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)


def test_an_error_of_the_engine_leaves_it_at_work(worker: Process) -> None:
    assert worker.stdin is not None
    reader = ResponseReader()
    assert _read(worker.stdout, reader) == Ready()
    for _ in range(2):
        worker.stdin.write(framed(Evaluate("unknown", (b"{}",), 1.0)))
        worker.stdin.flush()
        assert _read(worker.stdout, reader) == Failed("the document is not loaded")


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_it_does_not_outlive_who_started_it() -> None:
    # Its input stays open, so that nothing but the kernel can end it.
    code = (
        "import os, subprocess, sys\n"
        "words = ['-P', '-m', 'bascule.rego.worker', str(os.getpid()), '268435456']\n"
        "kept, _ = os.pipe()\n"
        "worker = subprocess.Popen([sys.executable, *words], stdin=kept, stdout=subprocess.PIPE)\n"
        "worker.stdout.read(1)\n"
        "print(worker.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        worker = psutil.Process(int(parent.stdout.readline()))
        assert worker.is_running()
        parent.send_signal(signal.SIGKILL)
        assert survivors([worker]) == []


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_it_does_not_begin_where_who_started_it_is_gone() -> None:
    worker = _started(1)
    output, _ = worker.communicate(timeout=20)
    assert (worker.returncode, output) == (0, b"")
