"""What calls and lists will need, made ready a little at a time: calls go on meanwhile."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

from bascule.app.background import Background
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.tool import Tool
from bascule.guards.schemas import InputSchemas

_STEP_SECONDS: Final = 0.001
_PATIENCE_SECONDS: Final = 1.0
"""How long a change may wait until the schemas that came with it are compiled."""
_TOOLS_PER_STEP: Final = 2000
_MANY_TOOLS: Final = 5000
"""With fewer, the first list that wants them sorted is not held up by that."""


class Warming:
    """Sees to it that the validators of new tools are there, as far as there is room for them.

    What it does not get to in time is compiled by the first call that needs it.
    """

    def __init__(self, schemas: InputSchemas, background: Background) -> None:
        self._schemas = schemas
        self._background = background
        self._known: dict[str, Mapping[str, Tool]] = {}
        self._newest: tuple[Snapshot, Callable[[], None]] | None = None
        self._is_running = False

    async def prepare(self, snapshot: Snapshot) -> None:
        """Compile what is new in `snapshot`, which is about to be in force; not for long.

        The first one is not waited for.
        """
        if self._known:
            until = time.monotonic() + _PATIENCE_SECONDS
            await self._compile(snapshot, until)

    def follow(self, snapshot: Snapshot, sort: Callable[[], None]) -> None:
        """`snapshot` is in force: compile what is missing, in the background.

        `sort` makes ready what lists of very many tools need, in whatever thread.
        """
        self._newest = snapshot, sort
        if not self._is_running:
            self._is_running = True
            self._background.start(self._run())

    async def _run(self) -> None:
        try:
            while self._newest is not None:
                (snapshot, sort), self._newest = self._newest, None
                if sum(len(view.tools) for view in snapshot.tenants.values()) >= _MANY_TOOLS:
                    await asyncio.to_thread(sort)
                await self._compile(snapshot, None)
                self._known = {name: view.tools for name, view in snapshot.tenants.items()}
        finally:
            self._is_running = False

    async def _compile(self, snapshot: Snapshot, until: float | None) -> None:
        pause = time.monotonic() + _STEP_SECONDS
        async for tool in self._new(snapshot):
            now = time.monotonic()
            if self._schemas.is_full if until is None else now >= until:
                return
            if now >= pause:
                # In the background, half of the time is for others; a change has somebody waiting.
                await asyncio.sleep(_STEP_SECONDS if until is None else 0)
                pause = time.monotonic() + _STEP_SECONDS
            self._schemas.prepare(tool)

    async def _new(self, snapshot: Snapshot) -> AsyncIterator[Tool]:
        """The tools that the last snapshot did not have as they are."""
        for name, view in snapshot.tenants.items():
            known = self._known.get(name, {})
            if view.tools is known:
                continue
            for number, (tool_name, tool) in enumerate(view.tools.items()):
                if known.get(tool_name) is not tool:
                    yield tool
                if number % _TOOLS_PER_STEP == 0:
                    await asyncio.sleep(0)
