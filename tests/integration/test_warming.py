"""Validators are there before calls need them, and calls are served while they are made."""

import asyncio
import threading

import pytest

from bascule.app import warming as room
from bascule.app.background import Background
from bascule.app.known import KnownTools
from bascule.app.warming import Warming
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import Tool
from bascule.guards.schemas import InputSchemas
from fakes.catalogue import TENANT, make_snapshot, make_tool
from fakes.relayed import make_relayed


class Noted(InputSchemas):
    """Notes for which tools it was asked."""

    def __init__(self, most_bytes: int = 1_000_000) -> None:
        super().__init__(most_bytes)
        self.prepared: list[str] = []
        self.came = asyncio.Event()

    def prepare(self, tool: Tool) -> None:
        super().prepare(tool)
        self.prepared.append(tool.name)
        self.came.set()


def tools_of(*names: str, least: int = 0) -> list[Tool]:
    return [make_tool(name, input_schema={"title": name, "minProperties": least}) for name in names]


def nothing() -> None:
    """Sort nothing."""


async def settle(warming: Warming) -> None:
    async with asyncio.timeout(5):
        while warming._is_running:
            await asyncio.sleep(0)


async def test_everything_is_compiled_in_the_background_once_it_is_in_force() -> None:
    schemas = Noted()
    async with Background() as background:
        warming = Warming(schemas, background)
        first = make_snapshot(tools_of("a", "b"))
        await warming.prepare(first)
        assert schemas.prepared == [], "the first start is not held up"
        warming.follow(first, nothing)
        assert schemas.prepared == [], "nothing is compiled while a snapshot is swapped in"
        await settle(warming)
    assert schemas.prepared == ["a", "b"]


async def test_only_what_changed_is_compiled_and_before_it_is_in_force() -> None:
    schemas = Noted()
    async with Background() as background:
        warming = Warming(schemas, background)
        kept, old = tools_of("kept", "old")
        warming.follow(make_snapshot([kept, old]), nothing)
        await settle(warming)
        schemas.prepared.clear()
        (changed,) = tools_of("old", least=1)
        second = make_snapshot([kept, changed])
        await warming.prepare(second)
        assert schemas.prepared == ["old"]
        schemas.prepared.clear()
        warming.follow(second, nothing)
        warming.follow(second, nothing)
        await settle(warming)
        await warming.prepare(second)
    assert schemas.prepared == ["old"], "once more to make sure, from what is kept"


async def test_a_change_does_not_wait_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    schemas = Noted()
    async with Background() as background:
        warming = Warming(schemas, background)
        warming.follow(make_snapshot(tools_of("a")), nothing)
        await settle(warming)
        schemas.prepared.clear()
        monkeypatch.setattr(room, "_PATIENCE_SECONDS", 0.0)
        await warming.prepare(make_snapshot(tools_of("b", "c")))
    assert schemas.prepared == []


async def test_what_does_not_fit_is_left_to_the_calls() -> None:
    schemas = Noted(most_bytes=512 * 10)
    async with Background() as background:
        warming = Warming(schemas, background)
        warming.follow(make_snapshot(tools_of(*(f"t{number}" for number in range(50)))), nothing)
        await settle(warming)
    assert len(schemas.prepared) == 9
    assert schemas.losses == 0


async def test_others_are_served_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_STEP_SECONDS", 0.0)
    schemas = Noted()
    async with Background() as background:
        warming = Warming(schemas, background)
        warming.follow(make_snapshot(tools_of(*(f"t{number}" for number in range(200)))), nothing)
        async with asyncio.timeout(5):
            await schemas.came.wait()
        assert len(schemas.prepared) < 200
        await settle(warming)
    assert len(schemas.prepared) == 200


def view_of(*tools: Tool) -> TenantView:
    return Snapshot(1, {TENANT: TenantView(TENANT, {one.name: one for one in tools})}).tenants[
        TENANT
    ]


def test_a_tool_is_known_where_it_is_called() -> None:
    own = make_tool("get_slots", bundle="booking")
    front = make_relayed("search", front="alpha_search")
    known = KnownTools(view_of(own, front))
    assert known.has("", "get_slots")
    assert known.has("booking", "get_slots")
    assert not known.has("alpha", "get_slots")
    assert known.has("", "alpha_search")
    assert known.has("alpha", "alpha_search")
    assert known.has("alpha", "search")
    assert not known.has("", "search")
    assert not known.has("beta", "search")
    assert known.lists("alpha", "search")
    assert not known.lists("alpha", "alpha_search")
    assert not known.lists("dealers", "get_slots")
    assert known.is_of(known_view := view_of(own)) is False
    assert KnownTools(known_view).is_of(known_view)


async def test_lists_of_very_many_tools_are_sorted_beside_the_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "_MANY_TOOLS", 2)
    threads: list[int] = []
    async with Background() as background:
        warming = Warming(Noted(), background)
        for names in ("a", "ab"):
            snapshot = make_snapshot(tools_of(*names))
            warming.follow(snapshot, lambda: threads.append(threading.get_ident()))
            await settle(warming)
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()
