"""A person sees the worst first, and the rest in its place."""

from typing import Any

import pytest

from bascule.cli.differences import print_changes, print_diff
from unit.cli.shell import Stream


def change(severity: str, place: str, message: str, kind: str = "k") -> dict[str, Any]:
    return {"severity": severity, "place": place, "kind": kind, "message": message}


DIFF: dict[str, Any] = {
    "api": [change("risky", "base_url", "Moved.")],
    "tools": [
        {"tool": "a", "before": "1.0.0", "version": "2.0.0", "kept": ["owner"], "changes": [
            change("safe", "input.x", "New \x1b[2J."), change("breaking", "input.y", "Gone."),
        ]},
        {"tool": "b", "before": None, "version": "1.0.0", "kept": [], "changes": [
            change("safe", "operation", "A new tool.", "operation.added"),
        ]},
        {"tool": "c", "before": "1.0.0", "version": "1.0.0", "kept": [], "changes": [
            change("breaking", "operation", "Vanished."),
        ]},
    ],
}  # fmt: skip


def test_changes_are_in_groups_the_worst_first(capsys: pytest.CaptureFixture[str]) -> None:
    print_diff(DIFF)
    assert capsys.readouterr().out.splitlines() == [
        "breaking (2)",
        "  a 1.0.0->2.0.0 input.y: Gone.",
        "  c operation: Vanished.",
        "risky (1)",
        "  API base_url: Moved.",
        "safe (2)",
        "  a 1.0.0->2.0.0 input.x: New \\x1b[2J.",
        "  a 1.0.0->2.0.0: kept as edited by hand: owner.",
    ]


def test_a_terminal_shows_colours_and_a_pipe_none(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: dict[bool, str] = {}
    for terminal in (True, False):
        stream = Stream(terminal=terminal)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr("sys.stdout", stream)
        print_changes([("a", change("breaking", "", "Gone."))])
        shown[terminal] = stream.getvalue()
    assert "\x1b[1;31mbreaking" in shown[True]
    assert shown[False] == "breaking (1)\n  a: Gone.\n"


def test_nothing_is_said_where_nothing_changed(capsys: pytest.CaptureFixture[str]) -> None:
    print_diff({"api": [], "tools": []})
    assert capsys.readouterr().out == ""
