"""What happened, and whether the record of it is whole."""

import json
import shutil
from pathlib import Path

import pytest

from fakes.instances import Instance
from unit.cli.shell import run


def tail(data: Path, *options: str) -> list[tuple[str, str, str]]:
    logs = run("audit", "tail", *options, "--data", data, "-o", "json").value
    return [(log["user"], log.get("tool_name", ""), log["status"]) for log in logs]


def test_the_newest_record_comes_last(data: Path) -> None:
    calls = [one for one in tail(data) if one[1]]
    assert calls == [("local", "rows", "success"), ("ann", "echo", "failure")]
    assert tail(data, "-n", "1") == [("ann", "echo", "failure")]


def test_records_can_be_narrowed(data: Path) -> None:
    assert tail(data, "--tool", "rows") == [("local", "rows", "success")]
    assert tail(data, "--user", "ann", "--status", "failure") == [("ann", "echo", "failure")]
    assert tail(data, "--user", "nobody") == []
    assert tail(data, "--correlation-id", "none") == []


def test_records_of_all_tenants_have_those_of_ones_own(data: Path) -> None:
    assert set(tail(data)) <= set(tail(data, "--all-tenants"))


def test_a_table_says_who_did_what_to_what_and_when(data: Path) -> None:
    lines = run("audit", "tail", "--data", data).out.splitlines()
    assert lines[0].split() == [
        *("time", "user", "action", "target", "status", "latency_ms", "error_code"),
    ]  # fmt: skip
    (imported,) = [line.split() for line in lines if "openapi.import" in line]
    assert imported[1:5] == ["local", "openapi.import", "Service", "success"]
    assert lines[-1].split()[1:5] == ["ann", "tools/call", "echo", "failure"]
    assert lines[-1].endswith("E2002")
    assert len(lines[-1].split()[0]) == len("2026-05-01T12:00:00Z")


def test_a_whole_journal_is_exit_code_0(data: Path) -> None:
    ended = run("audit", "verify", "--data", data)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("ok: ")
    verified = run("audit", "verify", "--data", data, "-o", "json").value
    assert (verified["ok"], verified["first_bad"]) == (True, None)
    assert verified["records"] == 5


def tamper(data: Path) -> int:
    """Change one record of the journal; gives its line."""
    (segment,) = (data / "audit").glob("*.jsonl")
    lines = segment.read_bytes().splitlines(keepends=True)
    number = len(lines) // 2
    lines[number] = lines[number].replace(b'"user":"local"', b'"user":"other"')
    segment.write_bytes(b"".join(lines))
    return number + 1


def test_a_changed_record_is_exit_code_7_and_named(data: Path) -> None:
    line = tamper(data)
    failed = run("audit", "verify", "--data", data)
    assert failed.code == 7
    assert f"line {line}" in failed.error["message"]
    assert failed.error["details"]["line"] == line
    assert failed.error["details"]["event_id"]


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_a_program_gets_the_result_beside_the_error(data: Path, output: str) -> None:
    line = tamper(data)
    failed = run("audit", "verify", "--data", data, "-o", output)
    assert failed.code == 7
    assert str(line) in failed.out
    assert json.loads(failed.err)["error"]["details"]["line"] == line


def test_a_copy_elsewhere_is_verified_without_its_instance(data: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(data / "audit", tmp_path / "copy")
    shutil.rmtree(data)
    assert run("audit", "verify", copy, "-o", "json").value["ok"] is True


def test_the_journal_of_a_running_instance_is_verified(running: Instance) -> None:
    assert run("audit", "verify", "--data", running.data, "-o", "json").value["ok"] is True


def test_the_journal_is_looked_for_where_the_settings_put_it(data: Path, tmp_path: Path) -> None:
    moved = shutil.move(data / "audit", tmp_path / "elsewhere")
    (data / "bascule.yaml").write_text(f"audit: {{directory: {moved}}}\n")
    verified = run("audit", "verify", "--data", data, "-o", "json").value
    assert verified["directory"] == str(moved)
    assert verified["records"] == 5


def test_a_journal_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    refused = run("audit", "verify", tmp_path / "none")
    assert (refused.code, refused.error["code"]) == (2, "E2001")
    assert str(tmp_path / "none") in refused.error["message"]
