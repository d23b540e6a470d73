from pathlib import Path
from typing import Any

import pytest

from unit.cli.shell import run

RULES = """
policies:
  - {name: readers, effect: allow, roles: [viewer], tools: [r*]}
  - name: night
    type: condition
    effect: deny
    when: {windows: [{from: 18:00, to: 06:00, zone: Asia/Kolkata}]}
"""
TEST = """
tests:
  - name: users read text
    case: {tool: text, roles: [user], time: 2026-01-05T06:00:00Z}
    expect: allow
    rule: users call
"""


def file(name: str, text: str) -> Path:
    path = Path(name)
    path.write_text(text)
    return path


def policies(data: Path) -> list[str]:
    found = run("policy", "list", "--data", data, "-o", "json").value["policies"]
    return [one["name"] for one in found]


def versions(data: Path) -> list[dict[str, Any]]:
    return run("policy", "versions", "--data", data, "-o", "json").value["versions"]


def test_a_file_of_policies_is_applied_as_one_version(data: Path) -> None:
    path = file("rules.yaml", RULES)
    made = run("policy", "apply", path, "--reason", "opening", "--data", data, "-o", "json").value
    assert [one["policy"] for one in made["changes"]] == ["night", "readers"]
    assert policies(data) == ["night", "readers", "users call"]
    (newest, *_) = versions(data)
    assert (newest["number"], newest["reason"]) == (made["version"], "opening")
    again = run("policy", "apply", path, "--data", data)
    assert (again.code, again.out) == (0, "")
    assert "nothing changed" in again.err
    gone = run("policy", "apply", "--remove", "night", "--data", data, "-o", "json").value
    assert gone["changes"] == [{"policy": "night", "change": "removed"}]


def test_policies_come_from_standard_input(data: Path) -> None:
    made = run("policy", "apply", "-", "--data", data, stdin=RULES.encode())
    assert made.code == 0
    assert policies(data) == ["night", "readers", "users call"]


def test_a_file_that_is_not_right_changes_nothing(data: Path) -> None:
    wrong = file("wrong.yaml", RULES + "  - {name: odd, type: condition, effect: deny}\n")
    refused = run("policy", "apply", wrong, "--data", data)
    assert (refused.code, refused.error["code"]) == (2, "E2004")
    assert "odd: condition: say under which condition" in refused.error["message"]
    assert policies(data) == ["users call"]
    for arguments in ((), (file("rules.yaml", RULES), "--remove", "night")):
        assert run("policy", "apply", *arguments, "--data", data).code == 2


def test_a_version_is_shown_told_from_another_reverted_and_restored(data: Path) -> None:
    before = versions(data)[0]["number"]
    run("policy", "apply", file("rules.yaml", RULES), "--data", data)
    changed = RULES.replace("tools: [r*]", "tools: [rows]")
    run("policy", "apply", file("rules.yaml", changed), "--data", data)
    shown = run("policy", "diff", str(before + 2), "--data", data).out.splitlines()
    assert shown == ["readers (changed)", "  - tools: r*", "  + tools: rows"]
    since = run("policy", "diff", str(before), "--to", str(before + 2), "--data", data)
    assert "night (added)" in since.out
    refused = run("policy", "revert", str(before + 1), "--data", data)
    assert (refused.code, refused.error["code"]) == (2, "E2012")
    undone = run("policy", "revert", str(before + 2), "--data", data, "-o", "json").value
    assert undone["changes"] == [{"policy": "readers", "change": "changed"}]
    run("policy", "restore", str(before), "--reason", "back", "--data", data)
    assert policies(data) == ["users call"]
    assert versions(data)[0]["origin"] == f"restored version {before}"
    assert run("policy", "diff", "99", "--data", data).error["code"] == "E2011"


def test_versions_are_a_table_for_people(data: Path) -> None:
    run("policy", "apply", file("rules.yaml", RULES), "--data", data)
    shown = run("policy", "versions", "--data", data).out.splitlines()
    assert shown[0].split() == ["number", "author", "created_at", "reason", "origin", "policies"]
    assert "night added, readers added" in shown[1]


def test_a_change_that_fails_a_test_has_its_exit_code(data: Path) -> None:
    kept = run("policy", "tests", "apply", file("t.yaml", TEST), "--data", data)
    assert kept.code == 0, kept.err
    assert run("policy", "test", "--data", data).code == 0
    for command in (
        ("policy", "remove", "users call"),
        ("policy", "apply", "--remove", "users call"),
        ("policy", "deny", "no", "--role", "user"),
    ):
        refused = run(*command, "--data", data)
        assert (refused.code, refused.error["code"]) == (7, "E2012")
        assert "users read text" in refused.error["message"]
    assert policies(data) == ["users call"]


@pytest.mark.parametrize("command", ["revert", "restore", "diff"])
def test_a_number_is_a_number(live: Path, command: str) -> None:
    assert run("policy", command, "one", "--data", live).code == 2
