"""What `up` hands on to the server; that it serves is seen from outside, in tests/e2e."""

from pathlib import Path
from typing import Any

import pytest

from unit.cli.shell import run


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Path, dict[str, bool]]]:
    """What the server was started with."""
    found: list[Any] = []

    def run_(loaded: Any, data: Path, **options: bool) -> None:
        found.append((loaded, data, options))

    monkeypatch.setattr("bascule.cli.servers.up.run", run_)
    return found


def test_without_options_it_is_for_oneself_with_a_browser(
    started: list[tuple[Any, Path, dict[str, bool]]],
) -> None:
    assert run("up").code == 0
    ((loaded, data, options),) = started
    assert data == Path(".bascule")
    assert options == {"demo": False, "browser": True}
    assert loaded.settings.server.host == "127.0.0.1"


def test_options_are_handed_on(
    tmp_path: Path, started: list[tuple[Any, Path, dict[str, bool]]]
) -> None:
    ended = run("up", "--demo", "--no-browser", "--port", "0", "--data", tmp_path)
    assert ended.code == 0
    ((loaded, data, options),) = started
    assert (data, options) == (tmp_path, {"demo": True, "browser": False})
    assert loaded.settings.server.port == 0


def test_the_data_directory_may_stand_in_the_environment(
    tmp_path: Path, started: list[tuple[Any, Path, dict[str, bool]]]
) -> None:
    assert run("up", environ={"BASCULE_DATA": str(tmp_path)}).code == 0
    assert started[0][1] == tmp_path


def test_a_port_that_is_none_starts_nothing(
    started: list[tuple[Any, Path, dict[str, bool]]],
) -> None:
    assert run("up", "--port", "65536").code == 2
    assert started == []
