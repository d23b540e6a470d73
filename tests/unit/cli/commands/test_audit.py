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


def test_the_records_of_a_tenant_are_exported_and_proven_alone(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "default.jsonl"
    ended = run("audit", "export", file, "--tenant", "default", "--data", data)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("ok: ")
    assert ended.out.endswith(" records of tenant default, its chain intact\n")
    assert file.stat().st_mode & 0o777 == 0o600
    shutil.rmtree(data)

    verified = run("audit", "verify", file, "-o", "json").value

    lines = file.read_bytes().splitlines()
    assert (verified["ok"], verified["tenant"], verified["chains"]) == (True, "default", 1)
    assert verified["records"] == len(lines) - 1 > 1
    assert {json.loads(line)["tenant"] for line in lines[:-1]} == {"default"}


def test_a_changed_line_of_an_export_is_exit_code_7_and_named(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "default.jsonl"
    run("audit", "export", file, "--tenant", "default", "--data", data)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([lines[0], *lines[2:]]))

    failed = run("audit", "verify", file)

    assert failed.code == 7
    event_id = json.loads(lines[2])["event_id"]
    assert failed.error["message"].startswith(
        f"record 3 (event {event_id}), line 2: record 2 was expected, 3 is here. Records before"
    )
    assert failed.error["details"]["tenant_seq"] == 3
    failed = run("audit", "verify", file, "-o", "yaml")
    assert (failed.code, "ok: false" in failed.out) == (7, True)


def test_an_export_of_one_tenant_is_none_of_another(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "default.jsonl"
    run("audit", "export", file, "--tenant", "default", "--data", data)
    failed = run("audit", "verify", file, "--tenant", "acme")
    assert failed.code == 7
    assert "a record of tenant 'default' among those of 'acme'" in failed.error["message"]


def test_an_export_that_was_cut_has_a_note(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "default.jsonl"
    run("audit", "export", file, "--tenant", "default", "--data", data)
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:2]))
    ended = run("audit", "verify", file)
    assert (ended.code, ended.out.startswith("ok: 2 records")) == (0, True)
    assert ended.err.startswith("note: there is no line that closes the last chain")


def test_the_chain_of_one_tenant_is_verified_where_the_journal_is(data: Path) -> None:
    verified = run("audit", "verify", "--tenant", "default", "--data", data, "-o", "json").value
    assert (verified["ok"], verified["tenant"]) == (True, "default")
    nobody = run("audit", "verify", data / "audit", "--tenant", "nobody")
    assert nobody.out == "ok: 0 records of tenant nobody, its chain intact\n"
    assert run("audit", "verify", "--tenant", "", "--data", data).out.count("of no tenant") == 1
    tamper(data)
    assert run("audit", "verify", "--tenant", "default", "--data", data).code == 7


def test_an_export_overwrites_nothing(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "taken"
    file.write_bytes(b"mine")
    refused = run("audit", "export", file, "--tenant", "default", "--data", data)
    assert (refused.code, file.read_bytes()) == (2, b"mine")
    assert refused.error["message"] == f"{file} was not written: File exists."


def test_an_export_that_fails_leaves_no_part_of_it(data: Path, tmp_path: Path) -> None:
    """A part of one would pass for that of a shorter journal."""
    copy, file = tmp_path / "copy", tmp_path / "export.jsonl"
    shutil.copytree(data / "audit", copy)
    (copy / "zzz-00000001.jsonl").mkdir()
    refused = run("audit", "export", file, "--tenant", "default", "--journal", copy)
    assert refused.code == 2
    assert not file.exists()


def test_a_journal_elsewhere_can_be_exported(data: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(data / "audit", tmp_path / "copy")
    shutil.rmtree(data)
    file = tmp_path / "default.jsonl"
    assert run("audit", "export", file, "--tenant", "default", "--journal", copy).code == 0
    refused = run("audit", "export", file, "--tenant", "x", "--journal", tmp_path / "none")
    assert refused.code == 2
