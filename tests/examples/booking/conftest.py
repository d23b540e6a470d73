"""The service over a temporary database and a clock the test holds; and the real process."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from booking.app import create_app
from booking.service import Service, open_service

EXAMPLE = Path(__file__).parents[3] / "examples" / "booking"
TUESDAY = datetime(2026, 11, 24, 10, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
START_SECONDS = 30
STOP_SECONDS = 20


@dataclass
class HeldClock:
    """A clock that moves only when told to."""

    moment: datetime = TUESDAY

    def __call__(self) -> datetime:
        return self.moment


@dataclass(frozen=True)
class Running:
    """A booking process that listens."""

    process: subprocess.Popen[str]
    url: str
    ready_file: Path


@pytest.fixture
def example() -> Path:
    return EXAMPLE


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def service(tmp_path: Path, clock: HeldClock) -> Service:
    return open_service(tmp_path / "booking.db", clock)


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(EXAMPLE), "PYTHONWARNINGS": "error"}


@pytest.fixture
def launch(tmp_path: Path, environment: dict[str, str]) -> Iterator[Callable[[Path], Running]]:
    """Start a process on a database; it is stopped, and its exit awaited, when the test ends."""
    with ExitStack() as stack:

        def start(database: Path) -> Running:
            ready_file = tmp_path / f"ready-{len(list(tmp_path.iterdir()))}.json"
            command = [sys.executable, "-m", "booking", "--port", "0", "--exit-with-stdin"]
            command += ["--database", str(database), "--ready-file", str(ready_file)]
            process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.callback(stop, process)
            assert process.stderr
            assert select.select([process.stderr], [], [], START_SECONDS)[0], "it never started"
            assert "serving" in (line := process.stderr.readline()), line
            return Running(process, json.loads(ready_file.read_text())["url"], ready_file)

        yield start


def stop(process: subprocess.Popen[str]) -> None:
    with process, suppress(ValueError):
        try:
            process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
