from pathlib import Path

import pytest

from bascule.cli.connection import Target
from bascule.cli.context import load_settings, with_api
from bascule.cli.failures import CommandFailed, Exit
from bascule.settings.problem import SettingsInvalid
from unit.cli.shell import run


def test_a_flag_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bascule.yaml").write_text("server: {port: 1111, host: 127.0.0.2, workers: 1}\n")
    monkeypatch.setenv("BASCULE_SERVER__PORT", "2222")
    monkeypatch.setenv("BASCULE_SERVER__HOST", "127.0.0.3")
    loaded = load_settings(tmp_path, {"server.port": 3333, "server.host": None})
    assert (loaded.settings.server.port, loaded.settings.server.host) == (3333, "127.0.0.3")
    assert loaded.sources["server.port"] == "flag --port"


def test_the_file_of_the_data_directory_wins_over_that_of_the_current_one(tmp_path: Path) -> None:
    Path("bascule.yaml").write_text("server: {port: 1111}\n")
    assert load_settings(tmp_path).settings.server.port == 1111
    (tmp_path / "bascule.yaml").write_text("server: {port: 2222}\n")
    assert load_settings(tmp_path).settings.server.port == 2222


def test_wrong_settings_are_never_ignored(tmp_path: Path) -> None:
    (tmp_path / "bascule.yaml").write_text("server: {prot: 1}\n")
    with pytest.raises(SettingsInvalid):
        load_settings(tmp_path)
    refused = run("tools", "list", "--data", tmp_path)
    assert (refused.code, refused.error["code"]) == (2, "E2004")
    assert "bascule.yaml:1" in refused.error["message"]


def test_work_is_done_on_the_instance_and_its_result_comes_back(data: Path) -> None:
    found = with_api(Target(data), lambda api: api.get("/api/admin/tools", {"search": None}))
    assert found["total"] == 5


def test_a_failure_of_the_work_comes_out_as_it_is(data: Path) -> None:
    with pytest.raises(CommandFailed, match="no tool named none") as caught:
        with_api(Target(data), lambda api: api.get("/api/admin/tools/none"))
    assert caught.value.exit_code is Exit.USAGE
