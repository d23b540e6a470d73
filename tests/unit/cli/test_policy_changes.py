"""What changes about policies is printed for people, and failing tests have an exit code."""

from typing import Any

import pytest

from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.output import Format
from bascule.cli.policy_changes import because, print_diffs, print_made, report_tests

DIFF = {"policy": "a\x1b[2J", "change": "changed", "lines": ["+ tools: x", "~ priority: 0 -> 1"]}


def test_a_reason_goes_into_a_header() -> None:
    assert because(None) == {}
    assert because("night") == {"x-bascule-reason": "night"}
    assert because("夜") == {"x-bascule-reason": "=?base64?5aSc?="}


def test_a_difference_is_printed_policy_by_policy(capsys: pytest.CaptureFixture[str]) -> None:
    print_diffs({"diff": [DIFF]}, Format.TABLE)
    shown = capsys.readouterr().out.splitlines()
    assert shown == ["a\\x1b[2J (changed)", "  + tools: x", "  ~ priority: 0 -> 1"]
    print_diffs({"diff": []}, Format.TABLE)
    assert capsys.readouterr() == ("", "no difference\n")


def test_what_a_change_came_to_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    made = {"version": 3, "changes": [{"policy": "a", "change": "added"}]}
    print_made(made, Format.TABLE)
    found = capsys.readouterr()
    assert found.out.split() == ["change", "policy", "added", "a"]
    assert found.err == "version 3\n"
    print_made({"version": 3, "changes": []}, Format.TABLE)
    assert capsys.readouterr() == ("", "nothing changed; version 3\n")


def test_a_test_that_failed_has_an_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    test: dict[str, Any] = {
        "name": "t", "passed": False, "expected": "deny", "actual": "allow", "rule": "r",
        "message": "it is allow by r, not deny",
    }  # fmt: skip
    with pytest.raises(CommandFailed, match="1 of 3 tests failed") as failed:
        report_tests({"passed": 2, "failed": 1, "tests": [test]}, Format.TABLE)
    assert failed.value.exit_code is Exit.VERIFICATION
    assert "it is allow by r" in capsys.readouterr().out
    report_tests({"passed": 2, "failed": 0, "tests": []}, Format.JSON)
