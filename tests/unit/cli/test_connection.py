"""Commands reach a running instance, or the data itself; and say so plainly where they cannot."""

import json
import os
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bascule.app.ready import Ready, admin_key_of, hold, read_ready, write_ready
from bascule.cli.connection import path_of
from fakes.instances import Instance
from unit.cli.shell import Quiet, answering, run


def served(body: bytes, status: int = 200, kind: str = "application/json", **headers: str) -> Any:
    """A service that answers everything alike."""

    class Handler(Quiet):
        def do_GET(self) -> None:
            self.reply(body, status, kind, **headers)

        do_POST = do_GET  # noqa: N815

    return answering(Handler)


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        (("tools",), "/api/admin/tools"),
        (("tools", "a", "publish"), "/api/admin/tools/a/publish"),
        (("policies", "a/b?c#d %"), "/api/admin/policies/a%2Fb%3Fc%23d%20%25"),
        (("policies", "予"), "/api/admin/policies/%E4%BA%88"),
        (("policies", "\udcff"), "/api/admin/policies/%3F"),
    ],
)
def test_a_name_stays_within_its_segment_of_the_path(parts: tuple[str, ...], path: str) -> None:
    assert path_of(*parts) == path


def test_a_running_instance_is_found_by_its_data_directory(running: Instance) -> None:
    assert run("call", "echo", "--data", running.data).code == 0
    (log,) = run("audit", "tail", "-n", "1", "--data", running.data, "-o", "json").value
    assert log["tool_name"] == "echo"
    assert log["user"] not in {"local", "ann"}


@pytest.mark.parametrize("suffix", ["", "/", "/mcp", "/api", "/mcp/"])
def test_a_running_instance_is_found_by_any_of_its_addresses(
    running: Instance, suffix: str
) -> None:
    listed = run(
        "tools", "list", "--url", running.url + suffix, "--key", running.admin_key, "-o", "json"
    )
    assert [tool["name"] for tool in listed.value["tools"]][:2] == ["broken", "echo"]


def test_address_and_key_may_stand_in_the_environment(running: Instance) -> None:
    environ = {"BASCULE_URL": running.url, "BASCULE_KEY": f" {running.admin_key}\n"}
    assert run("tools", "list", "-o", "json", environ=environ).value["total"]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("The request is not right: body.a: Odd; query.page: Low.", "right: a: Odd; page: Low"),
        ("The request is not right: path.name: Odd.", "right: name: Odd."),
        ("body.file: send a file.", "file: send a file."),
        ("Not right: body: Value error, give either.", "right: give either."),
        ("Not right: body.url: Value error, no URL.", "right: url: no URL."),
        ("The body.html of path.name is odd.", "The body.html of path.name is odd."),
    ],
)
def test_where_in_a_request_a_value_stands_is_not_said(said: str, shown: str) -> None:
    error = {"code": "E2004", "message": said, "details": {}, "correlation_id": "c"}
    with served(json.dumps({"error": error}).encode(), 400, X_Correlation_ID="c") as url:
        refused = run("tools", "list", "--url", url)
    assert shown in refused.error["message"]


def test_a_key_decides_who_one_is_even_where_no_instance_runs(data: Path, user_key: str) -> None:
    assert run("call", "echo", "--data", data, "--key", user_key, "-o", "json").value == {}
    refused = run("audit", "tail", "--data", data, "--key", user_key)
    assert (refused.code, refused.error["code"]) == (6, "E1004")
    assert "audit:read" in refused.error["message"]


def test_a_request_without_a_key_says_how_to_give_one(running: Instance) -> None:
    refused = run("tools", "list", "--url", running.url)
    assert (refused.code, refused.error["code"]) == (3, "E1001")
    assert "--key" in refused.error["message"]
    assert "BASCULE_KEY" in refused.error["message"]
    assert refused.error["correlation_id"]
    call = run("call", "echo", "--url", running.url)
    assert (call.code, call.error["code"]) == (3, "E1001")
    assert "BASCULE_KEY" in call.error["message"]


@pytest.mark.parametrize("command", [["tools", "list"], ["call", "echo"]])
def test_a_wrong_key_is_a_matter_of_authentication(running: Instance, command: list[str]) -> None:
    refused = run(*command, "--url", running.url, "--key", "bsc_wrong")
    assert (refused.code, refused.error["code"]) == (3, "E1002")


@pytest.mark.parametrize("key", ["schlüssel", "two words", "line\nbreak", "\x7f"])
def test_what_can_be_no_key_is_not_even_sent(running: Instance, key: str) -> None:
    refused = run("tools", "list", "--url", running.url, "--key", key)
    assert (refused.code, refused.error["code"]) == (3, "E1002")
    assert key not in refused.err


@pytest.mark.parametrize(
    "url", ["", "nonsense", "localhost:8000", "ftp://h", "http://", "http://[::1", "http://h:x"]
)
def test_an_address_that_is_none_is_a_matter_of_usage(url: str) -> None:
    refused = run("tools", "list", "--url", url)
    assert (refused.code, refused.error["code"]) == (2, "E2001")
    assert "http://127.0.0.1:8000" in refused.error["message"]


def test_an_address_where_nobody_listens_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    refused = run("tools", "list", "--url", url)
    assert (refused.code, refused.error["code"]) == (4, "E5004")
    assert url in refused.error["message"]


def test_a_service_that_hangs_up_is_unreachable() -> None:
    class HangUp(Quiet):
        def do_GET(self) -> None:
            self.close_connection = True

    with answering(HangUp) as url:
        refused = run("tools", "list", "--url", url)
    assert refused.code == 4
    assert "cannot be reached" in refused.error["message"]


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (200, "text/html", b"<html>Sign in</html>"),
        (200, "application/json", b'{"tools": [], "total": 0}'),
        (200, "application/json", b"[]"),
        (200, "application/json", b"{"),
        (200, "application/json", b'"\xff"'),
        (200, "application/json", b""),
        (404, "application/json", b'{"detail": "Not Found"}'),
        (500, "application/json", b'{"error": "boom"}'),
        (502, "text/html", b"Bad gateway"),
    ],
)
def test_a_service_that_is_not_bascule_is_recognised(status: int, kind: str, body: bytes) -> None:
    with served(body, status, kind) as url:
        for command in (["tools", "list"], ["call", "echo"]):
            refused = run(*command, "--url", url, "--key", "k")
            assert (refused.code, refused.error["code"]) == (4, "E5004")
            assert f"HTTP {status}" in refused.error["message"]
            assert "Is the address right?" in refused.error["message"]


def test_a_refusal_at_the_front_door_is_a_refusal() -> None:
    error = {"code": -32600, "message": "Refused: Host.", "data": {"code": "E1005"}}
    body = json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()
    with served(body, 403) as url:
        refused = run("tools", "list", "--url", url)
    assert (refused.code, refused.error["code"]) == (6, "E1005")
    assert refused.error["message"] == "Refused: Host."


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [("E1003", 3), ("E1004", 6), ("E2011", 2), ("E3003", 5), ("E5001", 1), ("E5002", 4)],
)
def test_an_error_keeps_its_code_and_correlation_id(code: str, exit_code: int) -> None:
    error = {"code": code, "message": "No.", "details": {"a": 1}, "correlation_id": "c-9"}
    with served(json.dumps({"error": error}).encode(), 400) as url:
        refused = run("tools", "list", "--url", url)
    assert refused.code == exit_code
    assert refused.error == error


@pytest.mark.parametrize("error", [{}, {"code": 7}, {"details": "x"}, {"data": "x", "code": "E"}])
def test_an_error_that_is_not_whole_is_still_one(error: dict[str, Any]) -> None:
    body = json.dumps({"error": error | {"x": 1}}).encode()
    with served(body, 400) as url:
        refused = run("tools", "list", "--url", url)
    assert refused.code == 1
    assert refused.error["message"] == "It did not say why."


def test_without_directory_and_address_there_is_no_instance(tmp_path: Path) -> None:
    for place in (tmp_path / "none", Path(__file__)):
        refused = run("tools", "list", "--data", place)
        assert (refused.code, refused.error["code"]) == (4, "E5004")
        assert str(place) in refused.error["message"]
        assert "bascule up" in refused.error["message"]
    assert not (tmp_path / "none").exists()


def test_an_instance_that_died_is_not_looked_for(data: Path) -> None:
    write_ready(data, Ready("http://127.0.0.1:9/mcp", "http://127.0.0.1:9/api", 2**22 + 1))
    assert run("tools", "list", "--data", data, "-o", "json").value["total"]


def test_an_instance_that_does_not_answer_is_not_bypassed(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with hold(data):
        write_ready(data, Ready(f"{url}/mcp", f"{url}/api", os.getpid()))
        refused = run("tools", "list", "--data", data)
    assert refused.code == 4
    assert url in refused.error["message"]


def test_a_running_instance_of_another_version_is_found_all_the_same(data: Path) -> None:
    with hold(data):
        ready = write_ready(data, Ready("http://127.0.0.1:9/mcp", "http://127.0.0.1:9/api", 1))
        ready.write_text(json.dumps({**json.loads(ready.read_text()), "admin_key": "bsc_x"}))
        found = read_ready(data)
        assert found == Ready("http://127.0.0.1:9/mcp", "http://127.0.0.1:9/api", 1)
        assert admin_key_of(data, found) is None


@pytest.mark.parametrize("name", ["../own", "own", "/own", "admin.key"])
def test_only_the_owner_s_key_of_the_directory_is_sent_to_where_it_says(
    tmp_path: Path, data: Path, name: str
) -> None:
    """What somebody else's directory names, or links to, is not for whom it names."""
    (tmp_path / "own").write_text("mine")
    (data / "own").write_text("mine")
    (data / "admin.key").symlink_to(tmp_path / "own")
    named = f"{tmp_path}/own" if name == "/own" else name
    ready = Ready("http://127.0.0.1:9/mcp", "http://127.0.0.1:9/api", 1, admin_key_file=named)
    write_ready(data, ready)
    assert admin_key_of(data, ready) is None


def test_a_key_is_for_the_instance_of_whoever_owns_it_alone(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "admin.key").write_text("mine")
    ready = Ready("http://127.0.0.1:9/mcp", "http://127.0.0.1:9/api", 1, admin_key_file="admin.key")
    write_ready(data, ready)
    assert admin_key_of(data, ready) == "mine"
    assert admin_key_of(data, replace(ready, api_url="http://127.0.0.1:8/api")) is None
    look = os.fstat

    def as_of_another(descriptor: int) -> os.stat_result:
        found = look(descriptor)
        is_key = Path(f"/proc/self/fd/{descriptor}").resolve().name == "admin.key"
        return os.stat_result((*found[:4], found.st_uid + is_key, *found[5:10]))

    monkeypatch.setattr(os, "fstat", as_of_another)
    assert admin_key_of(data, ready) is None


@pytest.mark.parametrize("text", ["", "[]", "null", '{"pid": 1}', "\xff"])
def test_what_says_of_no_instance_names_none(data: Path, text: str) -> None:
    with hold(data):
        (data / "ready.json").write_bytes(text.encode("latin-1"))
        assert read_ready(data) is None


def test_the_owner_s_key_is_read_from_its_file_which_is_closed_to_others(
    running: Instance,
) -> None:
    key, ready = running.data / "admin.key", running.data / "ready.json"
    assert running.admin_key not in ready.read_text()
    key.chmod(0o644)
    listed = run("keys", "list", "--data", running.data, "-o", "json")
    assert (listed.code, json.loads(listed.out)["total"]) == (0, 2)
    assert listed.err.startswith(f"warning: {key}: Others could read it until now.")
    assert key.stat().st_mode & 0o777 == 0o600
    assert run("keys", "list", "--data", running.data, "-o", "json").err == ""


def test_data_that_another_process_holds_is_left_alone(running: Instance, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.mkdir()
    for name in ("bascule.db", "audit"):
        (link / name).symlink_to(running.data / name)
    refused = run("tools", "list", "--data", link)
    assert refused.code == 4
    assert str(running.child.pid) in refused.error["message"]


def test_a_damaged_database_is_named(data: Path) -> None:
    (data / "bascule.db").write_bytes(b"this is not a database at all" * 400)
    refused = run("tools", "list", "--data", data)
    assert (refused.code, refused.error["code"]) == (4, "E5002")
    assert "bascule.db" in refused.error["message"]


def test_settings_are_no_matter_to_a_command_that_goes_elsewhere(running: Instance) -> None:
    Path("bascule.yaml").write_text("server: {prot: 1}\n")
    assert run("tools", "list", "--data", running.data, "-o", "json").value["total"]
