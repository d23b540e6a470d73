"""What `serve` hands on to the server; that it serves is seen from outside, in tests/e2e."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bascule.settings.loading import Loaded
from unit.cli.shell import run

ALL = "0.0.0.0"  # noqa: S104
Started = tuple[Loaded, Path, Callable[[], Loaded]]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Started]:
    """What the server was started with."""
    started: list[Any] = []
    monkeypatch.setattr("bascule.cli.servers.serve.run", lambda *given: started.append(given))
    return started


def test_flags_win_over_settings(tmp_path: Path, served: list[Started]) -> None:
    (tmp_path / "bascule.yaml").write_text("server: {port: 1111, host: 127.0.0.2}\n")
    ended = run("serve", "--port", "0", "--data", tmp_path)
    assert (ended.code, ended.out) == (0, "")
    ((loaded, data, _),) = served
    assert data == tmp_path
    assert (loaded.settings.server.port, loaded.settings.server.host) == (0, "127.0.0.2")
    assert loaded.sources["server.port"] == "flag --port"


def test_settings_read_anew_still_yield_to_flags(tmp_path: Path, served: list[Started]) -> None:
    file = tmp_path / "bascule.yaml"
    file.write_text("server: {port: 1111, shutdown_grace_seconds: 5}\n")
    assert run("serve", "--port", "0", "--data", tmp_path).code == 0
    ((_, _, read),) = served
    file.write_text("server: {port: 2222, shutdown_grace_seconds: 7}\n")
    server = read().settings.server
    assert (server.port, server.shutdown_grace_seconds) == (0, 7)


def test_more_than_one_worker_is_refused(tmp_path: Path, served: list[Started]) -> None:
    environ = {"BASCULE_REDIS__URL": "redis://127.0.0.1:6379/0"}
    refused = run("serve", "--workers", "2", "--data", tmp_path, environ=environ)
    assert (refused.code, refused.error["code"]) == (2, "E2001")
    assert "server.workers" in refused.error["message"]
    without = run("serve", "--workers", "2", "--data", tmp_path)
    assert (without.code, without.error["code"]) == (2, "E2004")
    assert "redis.url" in without.error["message"]
    assert served == []


def test_other_machines_are_served_by_consent_only(tmp_path: Path, served: list[Started]) -> None:
    refused = run("serve", "--host", ALL, "--data", tmp_path)
    assert refused.code == 2
    assert "--allow-remote" in refused.error["message"]
    assert served == []
    assert run("serve", "--host", ALL, "--allow-remote", "--data", tmp_path).code == 0
    assert served[0][0].settings.server.allow_remote is True


def test_wrong_settings_start_nothing(tmp_path: Path, served: list[Started]) -> None:
    (tmp_path / "bascule.yaml").write_text("server: {prot: 1}\n")
    assert run("serve", "--data", tmp_path).code == 2
    assert served == []
