import io
import sys

import pytest
from hypothesis import given
from hypothesis.strategies import text

from bascule.cli.terminal import console_on, harmless, progress
from unit.cli.shell import Stream


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain ü 予約", "plain ü 予約"),
        ("two\nlines\tand tab", "two\nlines\tand tab"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("back\rward", "back\\x0dward"),
        ("\x9b31m", "\\x9b31m"),
        ("\x7f\0", "\\x7f\\x00"),
        ("\ud800", "\\ud800"),
    ],
)
def test_control_characters_are_written_out(raw: str, shown: str) -> None:
    assert harmless(raw) == shown


@given(text())
def test_what_is_harmless_can_be_encoded_and_commands_nothing(raw: str) -> None:
    shown = harmless(raw)
    shown.encode()
    assert not [one for one in shown if ord(one) < 32 and one not in "\n\t"]


def printed(*, terminal: bool) -> str:
    stream = Stream(terminal=terminal)
    console_on(stream).print(":smile: 42 [link] text", style="bold red", markup=False)
    return stream.getvalue()


def test_colour_is_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert printed(terminal=True).startswith("\x1b[1;31m")
    assert printed(terminal=False) == ":smile: 42 [link] text\n"


def test_nobody_gets_colour_who_does_not_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert printed(terminal=True) == ":smile: 42 [link] text\n"


class FakeTerminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_is_drawn_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = FakeTerminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with progress("Fetching [b]it[/b]", 10) as advance:
        advance(10)
    assert "Fetching [b]it[/b]" in screen.getvalue()
    assert "10/10 bytes" in screen.getvalue()


def test_progress_prints_nothing_where_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    with progress("Fetching", None) as advance:
        advance(10)
    assert pipe.getvalue() == ""
