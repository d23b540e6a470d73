"""Passwords, from a place that no list of processes and no history shows."""

import sys
from typing import Final

import typer

from bascule.cli.failures import CommandFailed, Exit

_MOST_BYTES: Final = 1024


def ask_password(label: str) -> str:
    """Ask for a password twice without showing it, or read one from standard input.

    One line break at the end of the input is no part of it.

    Raises:
        CommandFailed: usage; nothing, too much, or no text came in.
    """
    if is_asked():
        return typer.prompt(label, hide_input=True, confirmation_prompt=True, err=True)
    content = sys.stdin.buffer.read(_MOST_BYTES + 2)
    try:
        password = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise CommandFailed("The password is not UTF-8 text.", Exit.USAGE) from None
    if not password or len(content) > _MOST_BYTES:
        raise CommandFailed(
            "Give the password on standard input, or have one made up with --generate.",
            Exit.USAGE,
        )
    return password


def is_asked() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty()
