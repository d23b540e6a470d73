"""`servers` on real instances, in front of a server of the official SDK or of none."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from fakes.instances import serving
from unit.cli.shell import run

URL = "http://127.0.0.1:9/mcp"
SDK_SERVER = Path(__file__).parents[3] / "e2e" / "sdk_server.py"
COMMAND = (sys.executable, SDK_SERVER, "notes")
SHOWN = f"Runs on this machine, without a shell: {sys.executable} {SDK_SERVER} notes\n"


def test_a_server_that_cannot_be_reached_is_added_with_a_warning(data: Path) -> None:
    given = ("servers", "add", "notes", URL, "--header", "Authorization: Bearer a:b")
    added = run(*given, "--data", data)
    assert (added.code, "not reached" in added.out) == (0, True)
    assert added.err.startswith("warning: notes is added, but cannot be reached: ")
    assert "Connect call failed" in added.err
    listed = run("servers", "list", "--data", data, "-o", "json").value
    (server,) = listed["servers"]
    assert (server["name"], server["url"]) == ("notes", URL)
    assert server["header_names"] == ["Authorization"]
    removed = run("servers", "remove", "notes", "--data", data, "-o", "json").value
    assert removed == {"removed": "notes"}


def test_a_server_is_asked_once_and_its_status_is_said(data: Path) -> None:
    given = ("servers", "add", "notes", "--data", data, "-o", "json")
    ended = run(*given, "--", *COMMAND)
    assert ended.err == SHOWN
    added = json.loads(ended.out)
    assert (added["kind"], added["command"]) == ("mcp_stdio", [str(one) for one in COMMAND])
    assert added["status"] == {"reached": True, "era": "modern", "tools": 6, "reason": ""}


def test_a_running_instance_knows_how_its_servers_stand(data: Path) -> None:
    with serving(data):
        added = run("servers", "add", "notes", "--data", data, "--", *COMMAND)
        assert "reached, modern, 6 tools" in added.out
        run("servers", "add", "gone", URL, "--data", data)
        gone, notes = run("servers", "list", "--data", data).out.splitlines()[1:]
    assert gone.startswith(f"gone   http     {URL} ")
    assert "not reached" in gone
    assert "sdk_server.py notes" in notes
    assert "reached, modern, 6 tools" in notes


def test_where_none_runs_nobody_was_asked(data: Path) -> None:
    run("servers", "add", "notes", URL, "--data", data)
    assert "not asked yet" in run("servers", "list", "--data", data).out


def stored(data: Path) -> dict[str, Any]:
    (server,) = run("servers", "list", "--data", data, "-o", "json").value["servers"]
    return server


def test_a_server_is_changed_and_keeps_what_is_not_given(data: Path) -> None:
    run("servers", "add", "notes", URL, "--pinning", "manual", "--data", data)
    other = f"{URL}/other"
    changed = run("servers", "set", "notes", other, "--data", data)
    assert (changed.code, "manual" in changed.out) == (0, True)
    assert changed.err.startswith("warning: notes is changed, but cannot be reached: ")
    assert (stored(data)["url"], stored(data)["pinning"]) == (other, "manual")
    run("servers", "set", "notes", "--pinning", "off", "--header", "X-Key: a", "--data", data)
    after = stored(data)
    assert (after["url"], after["pinning"], after["header_names"]) == (other, "off", ["X-Key"])
    given = ("servers", "set", "notes", "--no-headers", "--data", data, "-o", "json")
    assert run(*given, "--", *COMMAND).err == SHOWN
    after = stored(data)
    assert (after["url"], after["command"]) == ("", [str(one) for one in COMMAND])
    assert after["header_names"] == []


def test_headers_that_cannot_be_read_back_are_not_lost_unsaid(data: Path) -> None:
    run("servers", "add", "notes", URL, "--header", "X-Key: a", "--data", data)
    refused = run("servers", "set", "notes", "--pinning", "off", "--data", data)
    assert (refused.code, refused.error["code"]) == (2, "E2003")
    assert "(X-Key)" in refused.error["message"]
    assert "--no-headers" in refused.error["message"]
    assert (stored(data)["pinning"], stored(data)["header_names"]) == ("first_seen", ["X-Key"])


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["none", URL], "bascule servers add none URL"),
        (["notes"], "Say what to change"),
        (["notes", "--header", "a: b", "--no-headers"], "Say which"),
        (["notes", "ftp://x"], "http or https"),
    ],
)
def test_a_change_that_cannot_be_meant_is_refused(
    data: Path, words: list[str], advice: str
) -> None:
    run("servers", "add", "notes", URL, "--data", data)
    refused = run("servers", "set", *words, "--data", data)
    assert refused.code == 2
    assert advice in refused.error["message"]
    assert stored(data)["url"] == URL


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ([URL, "more"], "cannot follow a URL"),
        (["ftp://x"], "http or https"),
        (["localhost:8080/mcp"], "write http://localhost:8080/mcp"),
        (["--heder", "X: y", "--", "sh"], "No such option: --heder"),
        (["sh", "-y"], "No such option: -y"),
        (["--", "no-such-command"], "on the PATH"),
        ([URL, "--header", "Bearer"], "is no header"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_not_stored(
    data: Path, words: list[str], advice: str
) -> None:
    refused = run("servers", "add", "notes", "--data", data, *words)
    assert refused.code == 2
    assert advice in refused.error["message"]
    assert run("servers", "list", "--data", data, "-o", "json").value["total"] == 0
