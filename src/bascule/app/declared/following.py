"""A folder followed by a process that serves."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx2

from bascule.app.declared.watching import ApiSite, Folder
from bascule.gateway.principal import KeyRecord, Principal
from bascule.identity.api_keys import new_key
from bascule.settings.loading import Loaded
from bascule.transports.asgi import AsgiApp

_TENANT: Final = "default"
_SUBJECT: Final = "folder"
"""Who audit records name for what a file declares."""


@dataclass(frozen=True, slots=True)
class FolderKey:
    """What the folder's changes are made with; known in this process alone."""

    secret: str = ""
    records: Mapping[bytes, KeyRecord] = field(default_factory=dict[bytes, KeyRecord])


def folder_key(loaded: Loaded) -> FolderKey:
    """A key for the folder that the settings name; without one an empty one."""
    if not loaded.settings.catalogue.folder:
        return FolderKey()
    key = new_key()
    owner = Principal(_TENANT, _SUBJECT, frozenset({"admin"}), frozenset({"system_admin"}))
    return FolderKey(key.secret, {key.digest: KeyRecord(_SUBJECT, owner)})


@asynccontextmanager
async def following(
    front: AsgiApp, loaded: Loaded, data: Path, key: FolderKey
) -> AsyncGenerator[None]:
    """What the folder declares is in force when the block begins, and kept so while it lasts."""
    if not key.secret:
        yield
        return
    transport = httpx2.ASGITransport(front)  # pyright: ignore[reportArgumentType]
    async with httpx2.AsyncClient(
        base_url="http://127.0.0.1",
        transport=transport,
        headers={"authorization": f"Bearer {key.secret}"},
        timeout=None,
    ) as client:
        folder = Folder(Path(loaded.settings.catalogue.folder), data, ApiSite(client))
        await folder.apply()
        watch = asyncio.get_running_loop().create_task(folder.follow())
        try:
            yield
        finally:
            watch.cancel()
            await asyncio.wait([watch])
