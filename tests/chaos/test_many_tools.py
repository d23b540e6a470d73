"""A registry of very many tools: started, listed, searched, changed and served without a stall.

A few thousand as a rule; `make siege` takes a hundred thousand.
"""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import psutil
import pytest

from bascule.app.instance import Instance, open_instance
from bascule.gateway.principal import Principal
from bascule.gateway.rule import Action
from bascule.gateway.tool import ToolStatus
from bascule.policy.access import Access
from bascule.settings.loading import load
from bascule.storage.compiler import compile_snapshot
from bascule.storage.database import open_database
from bascule.storage.repositories.finding import ToolFilter
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.repositories.tools import Tools
from bascule.storage.schema import migrate
from bench.registry import fill
from fakes.decisions import decide

pytestmark = pytest.mark.chaos

PATIENCE: Final = 10 if sys.gettrace() else 1
"""Times mean little while every line is traced for coverage; `make siege` runs without."""

TOOLS = int(os.environ.get("BASCULE_MANY_TOOLS", "3000"))
CALLER = Principal("default", "ann", frozenset({"admin"}), frozenset({"tools:list"}))


async def median_seconds(work: Callable[[], Awaitable[object]], times: int = 9) -> float:
    """How long `work` takes as a rule; the first time is left out."""
    await work()
    taken: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        await work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


class Pulse:
    """How long the loop was kept from anything else, in CPU time of its thread."""

    def __init__(self) -> None:
        self.longest_seconds = 0.0

    async def beat(self) -> None:
        """Runs until cancelled."""
        last = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            self.longest_seconds = max(self.longest_seconds, now - last)
            last = now


@asynccontextmanager
async def opened(data: Path) -> AsyncIterator[tuple[Instance, TenantId, float]]:
    """An instance on a full registry, its tenant, and how long it took to open."""
    async with open_database(f"sqlite+aiosqlite:///{data / 'bascule.db'}") as database:
        await migrate(database)
        await fill(database, TOOLS)
    began = time.perf_counter()
    async with open_instance(load(None, {}), data) as instance:
        seconds = time.perf_counter() - began
        async with instance.database.read() as session:
            yield instance, (await Tenants(session).get("default")).id, seconds


async def test_very_many_tools_are_started_found_and_changed_without_a_stall(
    tmp_path: Path,
) -> None:
    before = psutil.Process().memory_info().rss
    async with opened(tmp_path) as (instance, tenant, seconds):
        assert seconds < 10 * PATIENCE
        await find(instance, tenant)
        await change(instance, tenant)
        assert psutil.Process().memory_info().rss - before < 800_000_000
        async with instance.database.read() as session:
            whole = await compile_snapshot(session)
        tools = instance.live.gateway.snapshot.tenants["default"].tools
        assert tools == whole.tenants["default"].tools
        everything = Access(instance.live.gateway.snapshot).reach(CALLER).visible
        assert len(everything) == len(tools) >= TOOLS - 1
        name = next(iter(tools))
        assert decide((), CALLER, everything[name], Action.DISCOVER).allowed


async def find(instance: Instance, tenant: TenantId) -> None:
    """Every list and search takes less than 50 ms."""
    last = TOOLS // 20
    asked = [
        *((ToolFilter(), page) for page in (1, last)),
        *((ToolFilter(search=text), 1) for text in ("customer", "the", "e", "zz", "nowhere", "%")),
        (ToolFilter(search="the"), min(last, 400)),
        *((one, 1) for one in (ToolFilter(tag="pii"), ToolFilter(domain="sales"))),
        (ToolFilter(status=ToolStatus.DRAFT), 1),
    ]
    for filters, page in asked:

        async def look(filters: ToolFilter = filters, page: int = page) -> None:
            async with instance.database.read() as session:
                await Tools(session, tenant).list(filters, page=page)

        assert await median_seconds(look) < 0.05 * PATIENCE, (filters, page)


async def change(instance: Instance, tenant: TenantId) -> None:
    """A change of one tool is in force soon, and keeps nobody waiting."""
    name = list(instance.live.gateway.snapshot.tenants["default"].tools)[TOOLS // 2]
    pulse = Pulse()
    beating = asyncio.ensure_future(pulse.beat())
    for status in (ToolStatus.INACTIVE, ToolStatus.ACTIVE, ToolStatus.INACTIVE):
        async with instance.database.change(author="test") as session:
            await Tools(session, tenant).set_status(name, status)
        began = time.perf_counter()
        await instance.live.refresh()
        assert time.perf_counter() - began < PATIENCE
        tools = instance.live.gateway.snapshot.tenants["default"].tools
        assert (name in tools) == (status is ToolStatus.ACTIVE)
    beating.cancel()
    assert pulse.longest_seconds < 0.1 * PATIENCE
