"""A password is asked for without showing it, or read where nobody is there to ask."""

import io
import sys

import pytest
import typer

from bascule.cli.asking import ask_password, is_asked
from bascule.cli.failures import CommandFailed
from unit.cli.shell import Stream


def give(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


@pytest.mark.parametrize("content", [b"four horses", b"four horses\n", b"four horses\r\n"])
def test_it_is_read_without_its_line_break(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    give(monkeypatch, content)
    assert not is_asked()
    assert ask_password("Password") == "four horses"


@pytest.mark.parametrize("content", [b"", b"\n", b"x" * 1025, b"\xff"])
def test_what_is_no_password_is_refused(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    give(monkeypatch, content)
    with pytest.raises(CommandFailed, match=r"standard input|UTF-8"):
        ask_password("Password")


def test_on_a_terminal_it_is_asked_for_twice_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, dict[str, object]]] = []

    def prompt(text: str, **options: object) -> str:
        asked.append((text, options))
        return "four horses"

    monkeypatch.setattr(typer, "prompt", prompt)
    monkeypatch.setattr(sys, "stdin", Stream(terminal=True))
    assert ask_password("Password") == "four horses"
    assert asked == [("Password", {"hide_input": True, "confirmation_prompt": True, "err": True})]
