"""Starts that cannot succeed: an exit code, and one JSON error that says what to do."""

import socket
from pathlib import Path

import pytest

from fakes.instances import Instance, bascule


@pytest.mark.parametrize("command", ["up", "serve"])
def test_a_port_in_use_is_named_with_the_way_out(tmp_path: Path, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = bascule(command, "--data", tmp_path, "--port", str(port))

    assert ended.code == 4
    assert ended.error["code"] == "E5004"
    assert f"127.0.0.1:{port} is in use" in ended.error["message"]
    assert "choose another --port" in ended.error["message"]


def test_a_second_instance_on_the_port_of_the_first_is_refused(
    narrow: Instance, tmp_path: Path
) -> None:
    port = narrow.url.rsplit(":", 1)[1]

    ended = bascule("up", "--data", tmp_path, "--port", port, "--no-browser")

    assert (ended.code, ended.error["code"]) == (4, "E5004")
    assert f":{port} is in use" in ended.error["message"]
    with narrow.api() as client:
        assert client.get("/readyz").status_code == 200


def test_a_second_instance_on_the_same_data_is_refused_and_harms_nothing(narrow: Instance) -> None:
    ended = bascule("up", "--data", narrow.data, "--port", "0", "--no-browser")

    assert ended.code == 4
    assert ended.error["code"] == "E5004"
    assert f"in use by process {narrow.child.pid} " in ended.error["message"]
    assert "Stop that process" in ended.error["message"]
    assert narrow.call("fine").json()["result"]["structuredContent"] == {"said": "fine"}
    assert bascule("audit", "verify", "--data", narrow.data).code == 0


@pytest.mark.parametrize("command", ["up", "serve"])
def test_an_unusable_data_directory_is_named_with_the_way_out(tmp_path: Path, command: str) -> None:
    (tmp_path / "file").write_text("not a directory")
    data = tmp_path / "file" / "data"

    ended = bascule(command, "--data", data, "--port", "0")

    assert ended.code == 4
    assert ended.error["code"] == "E5004"
    assert f"{data} cannot be used" in ended.error["message"]
    assert "Choose another with --data" in ended.error["message"]


def test_wrong_settings_are_all_named_with_their_places(tmp_path: Path) -> None:
    (tmp_path / "bascule.yaml").write_text("server:\n  prot: 1\n")

    ended = bascule("up", "--data", tmp_path, settings={"server.workers": "many"})

    assert ended.code == 2
    assert "bascule.yaml:2" in ended.error["message"]
    assert "BASCULE_SERVER__WORKERS" in ended.error["message"]
    assert "Traceback" not in ended.err


def test_listening_for_other_machines_needs_consent(tmp_path: Path) -> None:
    ended = bascule("serve", "--data", tmp_path, "--host", "0.0.0.0", "--port", "0")  # noqa: S104

    assert ended.code == 2
    assert "--allow-remote" in ended.error["message"]


def test_a_command_without_an_instance_says_how_to_get_one(tmp_path: Path) -> None:
    ended = bascule("tools", "list", "--data", tmp_path / "none")

    assert ended.code == 4
    assert "bascule up" in ended.error["message"]
