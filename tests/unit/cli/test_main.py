"""The command as a whole: help, usage, broken pipes, full disks, and bugs."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bascule import __version__
from bascule.cli.acting import acting_in
from bascule.cli.commands import config
from bascule.cli.trust import tls_of
from fakes.instances import BASCULE, environment
from unit.cli.shell import run

GROUPS = ["tools", "import", "policy", "elevation", "keys", "audit", "config"]
COMMANDS = ["up", "serve", "proxy", "call", "doctor", *GROUPS]


def test_version_is_printed_alone() -> None:
    ended = run("--version")
    assert (ended.code, ended.out, ended.err) == (0, f"bascule {__version__}\n", "")


def test_help_names_every_command_and_what_it_does() -> None:
    ended = run("--help")
    assert ended.code == 0
    for command in COMMANDS:
        (line,) = [one for one in ended.out.splitlines() if one[2:].startswith(f"{command} ")]
        assert len(line.split(command, 1)[1].strip(" │")) > 10


def every_command() -> list[list[str]]:
    found: list[list[str]] = []
    for command in COMMANDS:
        if command not in GROUPS:
            found.append([command])
            continue
        lines = (
            run(command, "--help", environ={"COLUMNS": "400"})
            .out.partition("Commands")[2]
            .splitlines()
        )
        names = [one.strip("│ ").split(" ")[0] for one in lines if one.startswith("│ ")]
        found += [[command, name] for name in names if name]
    return found


def test_every_option_of_every_command_is_explained() -> None:
    commands = every_command()
    assert len(commands) > 18
    for command in commands:
        ended = run(*command, "--help", environ={"COLUMNS": "200"})
        assert ended.code == 0
        for line in ended.out.splitlines():
            if line.startswith("│ ") and "--" in line:
                words = line.strip("│ ").split("  ")
                assert any(len(word.strip()) > 8 and " " in word.strip() for word in words), line


@pytest.mark.parametrize("arguments", [[], ["tools"], ["import"]])
def test_without_a_command_there_is_help_and_the_exit_code_of_usage(arguments: list[str]) -> None:
    ended = run(*arguments)
    assert ended.code == 2
    assert "Usage: bascule" in ended.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tols", "list"], ["'tols'", "Did you mean 'tools'", "`bascule --help`"]),
        (["tools", "list", "--bogus"], ["--bogus", "`bascule tools list --help`"]),
        (["tools", "show"], ["name", "`bascule tools show --help`"]),
        (["tools", "list", "-o", "xml"], ["'xml'", "'yaml'"]),
        (["tools", "list", "--status", "gone"], ["'gone'", "'quarantined'"]),
        (["policy", "allow", "r", "--role", "user", "--risk", "high"], ["'high'", "'privileged'"]),
        (["audit", "tail", "-n", "0"], ["--limit", "1"]),
        (["audit", "tail", "--status", "odd"], ["'odd'", "'denied'"]),
        (["keys", "create", "--name", "n"], ["--role"]),
        (["import", "openapi", "f"], ["--bundle"]),
        (["serve", "--port", "70000"], ["--port", "65535"]),
        (["up", "--workers", "2"], ["--workers"]),
    ],
)
def test_a_mistake_on_the_command_line_says_what_and_where_to_look(
    arguments: list[str], words: list[str]
) -> None:
    ended = run(*arguments)
    assert (ended.code, ended.error["code"]) == (2, "E2001")
    assert all(word in ended.error["message"] for word in words), ended.error["message"]
    assert "Value error" not in ended.error["message"]


def test_a_person_who_mistypes_gets_a_sentence_too() -> None:
    ended = run("tools", "lst", terminal=True)
    assert (ended.code, ended.out) == (2, "")
    assert "Did you mean 'list'?" in ended.err
    assert "{" not in ended.err


READING: list[list[str]] = [
    ["tools", "list"],
    ["tools", "show", "echo"],
    ["policy", "list"],
    ["keys", "list"],
    ["audit", "tail"],
    ["audit", "verify"],
    ["config", "show"],
    ["doctor"],
    ["call", "rows"],
]


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_every_result_comes_as_a_table_as_json_and_as_yaml(live: Path, command: list[str]) -> None:
    given = [*command, "--data", str(live)]
    as_json, as_yaml = run(*given, "-o", "json"), run(*given, "-o", "YAML")
    plain, table = run(*given), run(*given, terminal=True)
    assert [one.code for one in (as_json, as_yaml, plain, table)] == [0] * 4
    assert [one.err for one in (as_json, as_yaml, plain, table)] == [""] * 4
    assert isinstance(json.loads(as_json.out), dict | list)
    assert _shape(yaml.safe_load(as_yaml.out)) == _shape(json.loads(as_json.out))
    assert plain.out
    for one in (as_json, as_yaml, plain):
        assert "\x1b" not in one.out
    assert "\x1b" not in run(*given, terminal=True, environ={"NO_COLOR": "1"}).out


def _shape(value: Any) -> Any:
    """What stays the same from one run to the next."""
    if isinstance(value, dict):
        return {key: _shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_shape(one) for one in value[:1]]
    # What becomes known between two runs, such as health, is null in the first.
    return value is None or type(value) is str


def test_a_bug_is_one_error_for_programs_and_a_traceback_for_people(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(config, "load_settings", broken)
    ended = run("config", "show")
    assert (ended.code, ended.error["code"]) == (1, "E5001")
    assert "ZeroDivisionError" in ended.error["message"]
    shown = run("config", "show", terminal=True)
    assert shown.code == 1
    assert "Traceback" in shown.err


def test_an_interruption_ends_a_command_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(config, "load_settings", interrupted)
    ended = run("config", "show")
    assert (ended.code, ended.out, ended.err) == (130, "", "")


def test_what_one_command_chooses_is_no_choice_of_the_next(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.pem")
    ended = run("tools", "list", "--url", "https://127.0.0.1:1", "--ca", missing, "--tenant", "x")
    assert ended.code == 2
    assert missing in ended.err
    assert tls_of("https://127.0.0.1:1") is not None, "the authorities of the system count again"
    assert acting_in() is None


def test_a_reader_that_has_seen_enough_is_no_failure() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ended = subprocess.run(
            [*BASCULE, "config", "schema"],
            stdout=writer,
            stderr=subprocess.PIPE,
            env=environment(),
            timeout=30,
            check=False,
        )
    finally:
        os.close(writer)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the full device of Linux")
def test_output_that_cannot_be_written_is_a_failure() -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [*BASCULE, "--version"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            timeout=30,
            check=False,
        )
    assert ended.returncode == 1
    error = json.loads(ended.stderr)["error"]
    assert "cannot be written" in error["message"]
    assert "No space left" in error["message"]


def test_the_module_is_the_command() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "bascule", "--version"],
        capture_output=True,
        env=environment(),
        timeout=30,
        check=True,
    )
    assert ended.stdout == f"bascule {__version__}\n".encode()
