import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import httpx2
import pytest

STOP_SECONDS = 20


class Running(Protocol):
    @property
    def process(self) -> subprocess.Popen[str]: ...
    @property
    def url(self) -> str: ...
    @property
    def ready_file(self) -> Path: ...


Launch = Callable[[Path], Running]


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "booking", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_it_announces_where_it_listens_and_answers_there(launch: Launch, tmp_path: Path) -> None:
    running = launch(tmp_path / "booking.db")
    assert json.loads(running.ready_file.read_text()) == {
        "url": running.url,
        "pid": running.process.pid,
    }
    customer = httpx2.get(f"{running.url}/v1/customers?mobile=9876543210").json()
    assert customer["name"] == "Rahul Sharma"


def test_it_exits_cleanly_when_its_input_ends(launch: Launch, tmp_path: Path) -> None:
    running = launch(tmp_path / "booking.db")
    # A connection kept alive must not hold the process back.
    with httpx2.Client() as client:
        client.get(f"{running.url}/health")
        assert running.process.stdin
        running.process.stdin.close()
        assert running.process.wait(STOP_SECONDS) == 0
    assert not running.ready_file.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_exits_cleanly_on_a_signal(
    launch: Launch, tmp_path: Path, number: signal.Signals
) -> None:
    running = launch(tmp_path / "booking.db")
    running.process.send_signal(number)
    assert running.process.wait(STOP_SECONDS) == 0
    assert running.process.stderr
    assert running.process.stderr.read() == ""
    assert not running.ready_file.exists()


def test_it_does_not_outlive_a_killed_parent(environment: dict[str, str], tmp_path: Path) -> None:
    child = [sys.executable, "-m", "booking", "--port", "0", "--exit-with-stdin"]
    child += ["--database", str(tmp_path / "booking.db")]
    program = f"import subprocess; subprocess.Popen({child!r}, stdin=subprocess.PIPE).wait()"
    with subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stderr=subprocess.PIPE
    ) as parent:
        assert parent.stderr
        assert select.select([parent.stderr], [], [], 30)[0], "it never started"
        assert b"serving" in os.read(parent.stderr.fileno(), 4096)
        parent.kill()
        # Both hold the pipe: it ends only when the child is gone as well.
        assert parent.communicate(timeout=STOP_SECONDS)[1].strip() == b""


def test_a_port_in_use_is_one_clear_line(environment: dict[str, str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = run(environment, "--port", port, "--database", str(tmp_path / "booking.db"))
    assert ended.returncode == 1
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert f"cannot listen on 127.0.0.1:{port}" in line
    assert "--port" in line


def make_folder(path: Path) -> None:
    path.mkdir()


def write_text(path: Path) -> None:
    path.write_text("not a database, and longer than the header of one. " * 20)


def leave_missing(path: Path) -> None:
    assert not path.exists()


@pytest.mark.parametrize("prepare", [make_folder, write_text, leave_missing])
def test_an_unusable_database_is_one_clear_line(
    environment: dict[str, str], tmp_path: Path, prepare: Callable[[Path], None]
) -> None:
    prepare(tmp_path / "x")
    missing_folder = prepare is leave_missing
    path = tmp_path / "x" / "booking.db" if missing_folder else tmp_path / "x"
    ended = run(environment, "--port", "0", "--database", str(path))
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"booking: cannot use the database {path}: ")
    assert "--database" in line


def test_a_ready_file_that_cannot_be_written_is_one_clear_line(
    environment: dict[str, str], tmp_path: Path
) -> None:
    ready = str(tmp_path / "missing" / "ready.json")
    database = str(tmp_path / "booking.db")
    ended = run(environment, "--port", "0", "--database", database, "--ready-file", ready)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert f"cannot write {ready}" in line


@pytest.mark.parametrize("port", ["65536", "-1", "http"])
def test_a_port_that_is_none_is_refused(environment: dict[str, str], port: str) -> None:
    ended = run(environment, f"--port={port}")
    assert ended.returncode == 2
    assert "is not a port" in ended.stderr
