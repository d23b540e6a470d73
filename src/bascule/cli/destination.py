"""Where an MCP server is, as given on the command line: a URL, or a command that starts it."""

import re
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import typer

from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.terminal import harmless

_SCHEMES: Final = ("http://", "https://")
_ADDRESS: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+):\d{1,5}(/.*)?")


class Destination(NamedTuple):
    """Either is empty."""

    url: str = ""
    command: tuple[str, ...] = ()


def read_destination(words: Sequence[str], *, is_here: bool) -> Destination:
    """What `words` mean; a command is looked for where the gateway runs on this machine.

    Raises:
        CommandFailed: usage; says what to write instead.
    """
    first, *rest = words
    if first.lower().startswith(_SCHEMES):
        if rest:
            raise _usage(f"{rest[0]} cannot follow a URL.")
        return Destination(url=first)
    if "://" in first:
        scheme = first.partition("://")[0]
        raise _usage(f"{first} cannot be used: MCP is spoken over http or https, not {scheme}.")
    if _ADDRESS.fullmatch(first) and not Path(first).exists():
        raise _usage(f"{first} looks like an address: write http://{first} or https://{first}.")
    if is_here and not _is_found(first):
        raise _usage(
            f"There is no command {first!r} on the PATH, and no such file. Give the whole path, or "
            "the address of a server with http:// or https:// before it."
        )
    return Destination(command=tuple(words))


def show_command(destination: Destination, *, is_here: bool) -> None:
    """Say on standard error what is going to be run, word for word, before it is."""
    if not destination.command:
        return
    program, *rest = destination.command
    where = (shutil.which(program) or program) if is_here else program
    place = "on this machine" if is_here else "on the gateway's machine"
    words = shlex.join(harmless(one) for one in (where, *rest))
    typer.echo(f"Runs {place}, without a shell: {words}", err=True)


def _is_found(command: str) -> bool:
    return bool(command) and (shutil.which(command) is not None or Path(command).is_file())


def _usage(message: str) -> CommandFailed:
    return CommandFailed(message, Exit.USAGE)
