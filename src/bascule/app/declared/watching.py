"""Keeps what a folder declares in force while the process runs."""

import asyncio
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import httpx2
import structlog

from bascule.app.declared.applying import Ledger, Outcome, Refused, apply
from bascule.app.declared.reading import FolderUnusable, Problem, Reading, read_folder

_LEDGER: Final = "declared.json"
_LOOK_SECONDS: Final = 0.5

_log = structlog.get_logger(__name__)


class ApiSite:
    """The REST API over an HTTP client that has a key and a base URL."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    async def ask(self, verb: str, path: str, **body: Any) -> Any:
        """As `applying.Site`."""
        response = await self._client.request(verb, path, **body)
        answer = response.json()
        if response.is_success:
            return answer
        raise Refused(response.status_code, _sentence(answer["error"]))


def _sentence(error: dict[str, Any]) -> str:
    details: dict[str, Any] = error.get("details") or {}
    field = details.get("field")
    return f"{field}: {error['message']}" if field else str(error["message"])


class Folder:
    """A folder and what is in force because of it, which is remembered beside the data."""

    def __init__(self, folder: Path, data: Path, site: ApiSite) -> None:
        self._folder = folder
        self._ledger_file = data / _LEDGER
        self._site = site
        self._applied: frozenset[tuple[str, int, int, int]] = frozenset()

    async def follow(self) -> None:
        """Apply the folder whenever something in it changed; runs until cancelled.

        It is looked at rather than watched: mounted volumes and shared disks tell of no change.
        A change counts once nothing moves any more, as editors write in several steps.
        """
        last = self._applied
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            seen = await asyncio.to_thread(_seen, self._folder)
            if seen == last and seen != self._applied:
                await self.apply()
            last = seen

    async def apply(self) -> Outcome:
        """Apply the folder once. What is wrong with it is logged, and leaves the last state."""
        self._applied = await asyncio.to_thread(_seen, self._folder)
        try:
            reading: Reading = await asyncio.to_thread(read_folder, self._folder)
        except FolderUnusable as fault:
            outcome = Outcome(problems=[Problem(str(self._folder), str(fault))])
        else:
            ledger = await asyncio.to_thread(self._read_ledger)
            before = dict(ledger)
            outcome = await apply(self._site, reading, ledger)
            if ledger != before:
                await asyncio.to_thread(self._write_ledger, ledger)
        self._tell(outcome)
        return outcome

    def _tell(self, outcome: Outcome) -> None:
        for problem in outcome.problems:
            _log.error("folder.refused", place=problem.place, reason=problem.message)
        for one in outcome.left:
            _log.warning("folder.left", what=one.place, reason=one.message)
        if outcome:
            tell = _log.warning if outcome.problems else _log.info
            tell(
                "folder.applied",
                applied=outcome.applied,
                removed=outcome.removed,
                left=[one.place for one in outcome.left],
                refused=len(outcome.problems),
            )

    def _read_ledger(self) -> Ledger:
        try:
            found = json.loads(self._ledger_file.read_text())
        except (OSError, ValueError):
            return {}  # everything is put in force once more, which changes nothing
        return {str(key): str(value) for key, value in found.items()}

    def _write_ledger(self, ledger: Ledger) -> None:
        fresh = self._ledger_file.with_suffix(".new")
        fresh.write_text(json.dumps(ledger, indent=1, sort_keys=True))
        fresh.replace(self._ledger_file)


def _seen(folder: Path) -> frozenset[tuple[str, int, int, int]]:
    """Every file below `folder` with its size and when it was last written; nothing is read."""
    found: set[tuple[str, int, int, int]] = set()
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = os.path.join(place, name)  # noqa: PTH118 - thousands of them, twice a second
            with suppress(OSError):
                state = os.stat(path)  # noqa: PTH116
                found.add((path, state.st_ino, state.st_size, state.st_mtime_ns))
    return frozenset(found)
