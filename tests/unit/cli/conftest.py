"""An instance prepared once for the whole run; each test works on a copy, in an empty directory."""

import logging
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from bascule.cli.acting import act_in
from fakes.instances import Instance, serving
from unit.cli.shell import Service, answering, prepare_now


@dataclass(frozen=True)
class Prepared:
    """Where the original lies, and the key of a user of it."""

    data: Path
    user_key: str


@pytest.fixture(scope="session")
def service() -> Iterator[str]:
    """The address of the service behind the tools."""
    with answering(Service) as url:
        yield url


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, service: str) -> Prepared:
    """A data directory with tools, a rule and a user's key."""
    data = tmp_path_factory.mktemp("prepared") / "data"
    return Prepared(data, prepare_now(data, service))


@pytest.fixture
def user_key(prepared: Prepared) -> str:
    """The key of somebody with the role user."""
    return prepared.user_key


@pytest.fixture
def data(prepared: Prepared, tmp_path: Path) -> Path:
    """A data directory of the test's own, on which no instance runs."""
    return shutil.copytree(prepared.data, tmp_path / "data")


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, prepared: Prepared) -> Iterator[Instance]:
    """An instance that serves a copy, as a process of its own; leave it as it is."""
    copy = shutil.copytree(prepared.data, tmp_path_factory.mktemp("running") / "data")
    with serving(copy) as instance:
        yield instance


@pytest.fixture
def live(running: Instance) -> Path:
    """The data directory of the running instance, for commands that change nothing."""
    return running.data


@pytest.fixture(autouse=True)
def empty_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No settings in the directory or the environment, and logging afterwards as before."""
    directory = tmp_path / "here"
    directory.mkdir()
    monkeypatch.chdir(directory)
    for name in [one for one in os.environ if one.startswith("BASCULE_") or one == "NO_COLOR"]:
        monkeypatch.delenv(name)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    act_in(None)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
