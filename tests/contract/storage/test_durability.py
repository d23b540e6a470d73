"""A committed change survives the death of its process; an unfinished one leaves no trace."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from bascule.storage.counter import current_version
from bascule.storage.database import Database, open_database
from bascule.storage.errors import StorageExhausted
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.schema import differences, migrate

_WRITER = """
import asyncio, sys
from bascule.storage.database import open_database
from bascule.storage.repositories.tenants import Tenants

async def main():
    async with open_database(sys.argv[1]) as database:
        async with database.change(author="victim") as session:
            await Tenants(session).create("kept")
        async with database.change(author="victim") as session:
            await Tenants(session).create("lost")
            print("ready", flush=True)
            await asyncio.Event().wait()

asyncio.run(main())
"""
_MIGRATOR = """
import asyncio, sys
from bascule.storage.database import open_database
from bascule.storage.schema import migrate

async def main():
    async with open_database(sys.argv[1]) as database:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await migrate(database)

asyncio.run(main())
"""


async def _start(program: str, url: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, url, stdin=PIPE, stdout=PIPE
    )


async def _ready(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"


async def test_a_killed_process_leaves_what_it_committed_and_nothing_else(
    database: Database, migrated_url: str
) -> None:
    async with asyncio.timeout(20):
        process = await _start(_WRITER, migrated_url)
        try:
            await _ready(process)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            await process.communicate()
    async with asyncio.timeout(10), database.change(author="t") as session:
        assert [tenant.name for tenant in await Tenants(session).list()] == ["kept"]
        assert await current_version(session) == 2
    async with open_database(migrated_url) as reopened:
        await reopened.ping()


async def test_processes_that_start_together_migrate_once(
    empty_database: Database, database_url: str
) -> None:
    async with asyncio.timeout(20):
        processes = [await _start(_MIGRATOR, database_url) for _ in range(2)]
        try:
            for process in processes:
                await _ready(process)
            await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
        finally:
            for process in processes:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
    assert [process.returncode for process in processes] == [0, 0]
    assert await differences(empty_database) == []


async def test_a_full_disk_is_named_and_leaves_the_database_whole(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/b.db"

    async def fill(database: Database) -> None:
        async with database.change(author="t") as session:
            connection = await session.connection()
            pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
            await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            await Tenants(session).create("big", "x" * 1_000_000)

    async with open_database(url) as database:
        await migrate(database)
        with pytest.raises(StorageExhausted, match="Free some space"):
            await fill(database)
    async with open_database(url) as database, database.read() as session:
        assert await current_version(session) == 0
