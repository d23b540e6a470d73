from pathlib import Path

from unit.cli.commands.test_policy_versions import TEST, file
from unit.cli.shell import run


def test_tests_are_kept_shown_and_removed(data: Path) -> None:
    kept = run("policy", "tests", "apply", file("t.yaml", TEST), "--data", data, "-o", "json").value
    assert (kept["total"], kept["tests"][0]["name"]) == (1, "users read text")
    listed = run("policy", "tests", "list", "--data", data, "-o", "json").value
    assert listed == kept
    shown = run("policy", "tests", "show", "users read text", "--data", data, "-o", "json").value
    assert shown["case"] == {"tool": "text", "roles": ["user"], "time": "2026-01-05T06:00:00Z"}
    again = file("again.json", run(
        "policy", "tests", "show", "users read text", "--data", data, "-o", "json"
    ).out)  # fmt: skip
    assert run("policy", "tests", "apply", again, "--data", data).code == 0
    removed = run("policy", "tests", "remove", "users read text", "--data", data, "-o", "json")
    assert removed.value == {"removed": "users read text"}
    gone = run("policy", "tests", "remove", "users read text", "--data", data)
    assert (gone.code, gone.error["code"]) == (2, "E2011")


def test_a_test_that_is_not_right_is_refused(live: Path) -> None:
    wrong = file("t.yaml", TEST.replace("allow", "maybe"))
    refused = run("policy", "tests", "apply", wrong, "--data", live)
    assert (refused.code, refused.error["code"]) == (2, "E2004")
