"""One database is prepared for the whole run; each test works on a copy."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from unit.api.lobby import Lobby, open_lobby
from unit.api.site import Site, make_database, open_site


@pytest.fixture(scope="session")
def prepared_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tenants, roles and keys that `site` describes."""
    file = tmp_path_factory.mktemp("prepared") / "bascule.db"
    asyncio.run(make_database(file))
    return file


@pytest.fixture
async def site(prepared_database: Path, tmp_path: Path) -> AsyncIterator[Site]:
    """The API on a database of its own."""
    file = Path(shutil.copy(prepared_database, tmp_path))
    async with open_site(file) as opened:
        yield opened


@pytest.fixture
async def lobby(site: Site) -> AsyncIterator[Lobby]:
    """The same, with everything that people sign in by."""
    async with open_lobby(site) as opened:
        yield opened
