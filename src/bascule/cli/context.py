"""The options every command shares, and how a command runs."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from bascule.cli.connection import Api, Target, connect
from bascule.settings.loading import Loaded, find_file, load

_Result = TypeVar("_Result")

DEFAULT_DATA = Path(".bascule")

DataOption = Annotated[
    Path,
    typer.Option("--data", help="Data directory of the instance.", envvar="BASCULE_DATA"),
]
UrlOption = Annotated[
    str | None,
    typer.Option("--url", help="Address of a running instance.", envvar="BASCULE_URL"),
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key",
        help="API key; better given in the environment.",
        envvar="BASCULE_KEY",
        show_envvar=True,
    ),
]


def load_settings(data: Path, flags: Mapping[str, object] | None = None) -> Loaded:
    """Settings from files, environment and `flags` (dotted names; None means not given)."""
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    return load(find_file((data, Path())), os.environ, given)


def with_api(target: Target, work: Callable[[Api], Awaitable[_Result]]) -> _Result:
    """Connect to the instance `target` means, and run `work` on it."""

    async def run() -> _Result:
        async with connect(target, lambda: load_settings(target.data)) as api:
            return await work(api)

    return asyncio.run(run())
