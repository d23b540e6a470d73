"""What is printed at the start can be copied as it stands."""

import json
import os
import re
import shlex
import sys
from pathlib import Path

import pytest

from bascule.app.ready import Ready
from bascule.cli.announcement import announce, command

READY = Ready("http://127.0.0.1:8000/mcp", "http://127.0.0.1:8000/api", 1, "admin.key", "demo.key")
DEMO = "bsc_demo"


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program that runs is the one the shell finds."""
    program = tmp_path / "bin" / "bascule"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr(sys, "argv", [str(program)])
    return program


def announced(capsys: pytest.CaptureFixture[str], data: Path, demo_key: str | None = DEMO) -> str:
    announce(READY, data, seconds=1.24, demo_key=demo_key)
    return capsys.readouterr().out


def test_it_says_where_everything_is_but_not_the_admin_s_key(
    capsys: pytest.CaptureFixture[str],
) -> None:
    printed = announced(capsys, Path(".bascule"))
    assert "is ready (1.2 s)" in printed
    assert READY.mcp_url in printed
    assert READY.api_url in printed
    assert "http://127.0.0.1:8000/chat\n" in printed
    assert ".bascule/admin.key" in printed
    assert re.findall(r"bsc_\w+", printed) == [DEMO] * 3
    assert "--data" not in printed


def test_commands_name_a_data_directory_that_is_not_the_usual_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    printed = announced(capsys, Path("/srv/my data"))
    lines = [one.strip() for one in printed.splitlines() if one.strip().startswith("bascule ")]
    assert len(lines) == 5
    for line in lines:
        assert shlex.split(line)[-2:] == ["--data", "/srv/my data"]


def test_the_request_to_try_is_one_that_a_shell_and_a_server_understand(
    capsys: pytest.CaptureFixture[str],
) -> None:
    printed = announced(capsys, Path(".bascule"))
    curl = printed[printed.index("curl") :].partition("\n\n")[0]
    words = shlex.split(curl.replace("\\\n", " "))
    headers = dict(one.split(": ") for one in words if ": " in one and not one.startswith("{"))
    body = json.loads(words[words.index("-d") + 1])
    assert headers["Authorization"] == "Bearer bsc_demo"
    assert headers["Mcp-Method"] == body["method"] == "tools/call"
    assert headers["Mcp-Name"] == body["params"]["name"]
    version = body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"]
    assert headers["MCP-Protocol-Version"] == version


@pytest.mark.parametrize("demo_key", ["bsc_demo", None])
def test_the_client_configuration_is_json(
    capsys: pytest.CaptureFixture[str], demo_key: str | None
) -> None:
    printed = announced(capsys, Path(".bascule"), demo_key)
    snippet = json.loads(printed.partition("Client configuration")[2])
    server = snippet["mcpServers"]["bascule"]
    assert server["url"] == READY.mcp_url
    assert server["headers"] == {"Authorization": f"Bearer {demo_key or 'YOUR-KEY'}"}


def test_without_the_demo_the_first_steps_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    printed = announced(capsys, Path(".bascule"), None)
    assert "Demo key" not in printed
    for line in ("bascule import openapi", "bascule policy allow", "bascule keys create"):
        assert line in printed


def test_a_program_the_shell_finds_is_called_by_its_name(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command() == "bascule"
    link = tmp_path / "link"
    link.symlink_to(installed)
    monkeypatch.setattr(sys, "argv", [str(link)])
    assert command() == "bascule"


def test_a_program_the_shell_does_not_find_is_called_by_its_path(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert command() == os.path.relpath(installed)


def test_a_module_is_called_through_the_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/srv/site-packages/bascule/__main__.py"])
    assert command().endswith(" -m bascule")
    assert shlex.split(command())[0] == os.path.relpath(sys.executable)


def test_it_shows_the_link_for_the_first_administrator_while_there_is_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    announce(READY, Path(".bascule"), seconds=1.0, setup="/setup/TOKEN")
    printed = capsys.readouterr().out
    assert "  http://127.0.0.1:8000/setup/TOKEN\n" in printed
    assert "http://127.0.0.1:8000/sign-in" in printed
    assert "/setup/" not in announced(capsys, Path(".bascule"))
