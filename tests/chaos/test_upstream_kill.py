"""The service behind the tools under SIGKILL, while calls are on their way to it.

`BASCULE_KILL_RUNS=200 pytest tests/chaos/test_upstream_kill.py` for a longer siege.
"""

import asyncio
import itertools
import json
import os
import random
import re
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL
from typing import Self

import httpx2
import pytest

from fakes.instances import Instance, serving, tool_call
from fakes.processes import Child, running

pytestmark = pytest.mark.chaos

RUNS = int(os.environ.get("BASCULE_KILL_RUNS", "6"))
SEED = 20260728
SERVICE = Path(__file__).with_name("ledger_service.py")
CALLERS = 12
UPSTREAM = "ledger.ledger"
OPEN_SECONDS = 0.4
QUICK = {
    "retry": {"attempts": 3, "first_seconds": 0.02, "cap_seconds": 0.1},
    "breaker": {"failures": 5, "window_seconds": 10, "open_seconds": OPEN_SECONDS},
}
"""Opens at once, and soon looks again."""
STUBBORN = {
    "retry": {"attempts": 4, "first_seconds": 0.1, "cap_seconds": 0.3},
    "breaker": {"failures": 10_000, "window_seconds": 1},
}
"""Never opens, and tries for about as long as the service takes to start."""


@dataclass
class Ledger:
    """What callers were told, by the id of the order."""

    done: set[str] = field(default_factory=set)
    not_sent: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    refused_seconds: list[float] = field(default_factory=list)
    answers: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    def note(self, kind: str, name: str, said: str, seconds: float) -> None:
        """A call came to its end."""
        if said == "open":
            self.refused_seconds.append(seconds)
            said = "E4001"
        if kind != "get_order":
            ends = {"done": self.done, "E4001": self.not_sent, "E4004": self.unknown}
            ends[said].add(name)
        self.answers.release()

    async def wait_for(self, count: int) -> None:
        """Return once as many more calls have ended."""
        for _ in range(count):
            await self.answers.acquire()


def test_no_write_is_sent_twice_however_often_the_service_is_killed(tmp_path: Path) -> None:
    ledger, written = Ledger(), tmp_path / "written"
    with serving(tmp_path / "data") as instance, Service(written) as service:
        publish(instance, service.port, STUBBORN)
        asyncio.run(killed_again_and_again(instance, service, ledger))
        with instance.api() as admin:
            metrics = admin.get("/metrics").text

    orders = Counter(written.read_text().split())
    assert [one for one, times in orders.items() if times > 1] == []
    assert ledger.done - orders.keys() == set()
    assert ledger.not_sent & orders.keys() == set()
    # It was worth it: kills found orders on their way, and calls were tried again.
    assert len(ledger.done) >= RUNS
    assert ledger.unknown & orders.keys()
    retries = re.search(
        r'^bascule_retries_total{tenant="default",upstream="ledger.ledger"} (.*)$',
        metrics,
        re.MULTILINE,
    )
    assert retries is not None
    assert float(retries[1]) >= RUNS


def test_calls_of_a_dead_service_fail_at_once_and_work_again_when_it_is_back(
    tmp_path: Path,
) -> None:
    ledger = Ledger()
    with serving(tmp_path / "data") as instance, Service(tmp_path / "written") as service:
        publish(instance, service.port, QUICK)
        assert state_of(instance) == "closed"
        asyncio.run(killed_once(instance, service, ledger))
        seconds = sorted(ledger.refused_seconds)
        p99 = seconds[int(len(seconds) * 0.99)]
        assert p99 < 0.25, f"p99 of {len(seconds)} refused calls: {p99 * 1000:.1f} ms"
        service.start()
        began = time.monotonic()
        asyncio.run(wait_until_well(instance))
        assert time.monotonic() - began < OPEN_SECONDS + 5
        assert state_of(instance) == "closed"
        with instance.api() as admin:
            metrics = admin.get("/metrics").text
        assert 'bascule_breaker_state{tenant="default",upstream="ledger.ledger"} 0.0' in metrics
        changes = [one for one in instance.child.said.splitlines() if "breaker.changed" in one]
        assert [json.loads(changes[one])["state"] for one in (0, -1)] == ["open", "closed"]


class Service:
    """The service, on one port however often it is started."""

    def __init__(self, written: Path) -> None:
        self.port = free_port()
        self._written = written
        self._stack = ExitStack()
        self._child: Child | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self) -> None:
        """Start it; returns once it serves."""
        command = (sys.executable, SERVICE, str(self.port), self._written)
        self._child = self._stack.enter_context(running(*command))
        self._child.wait_for("ready")

    def orders(self) -> set[str]:
        """Those it has written down, some of them before it was killed."""
        return set(self._written.read_text().split())

    def kill(self) -> None:
        """SIGKILL: whatever is on its way stays there."""
        assert self._child is not None
        self._child.send(SIGKILL)


async def killed_again_and_again(instance: Instance, service: Service, ledger: Ledger) -> None:
    """Call from all sides, while the service is killed and started, in the middle of it."""
    chance = random.Random(SEED)
    async with calling(instance, ledger):
        for run in itertools.count(1):
            await ledger.wait_for(chance.randrange(20, 120))
            service.kill()
            await asyncio.to_thread(service.start)
            # On a busy machine the first kills may all come between two orders.
            if run >= RUNS and (ledger.unknown & service.orders() or run >= RUNS * 10):
                return


async def killed_once(instance: Instance, service: Service, ledger: Ledger) -> None:
    """Call from all sides, also after the service is gone, until many were refused."""
    async with calling(instance, ledger):
        await ledger.wait_for(50)
        service.kill()
        while len(ledger.refused_seconds) < 300:
            await ledger.wait_for(1)


@asynccontextmanager
async def calling(instance: Instance, ledger: Ledger) -> AsyncIterator[None]:
    """Callers that call for as long as the block runs, and finish the calls they began."""
    ended = asyncio.Event()

    async def call_again_and_again(caller: int) -> None:
        numbers = itertools.count(1)
        async with client_of(instance) as client:
            while not ended.is_set():
                number = next(numbers)
                name = f"c{caller}n{number}"
                kind = ("create_order", "put_order", "get_order")[number % 3]
                began = time.monotonic()
                said = await outcome(client, kind, name)
                ledger.note(kind, name, said, time.monotonic() - began)

    await wait_until_well(instance)
    async with asyncio.timeout(60 + RUNS * 3), asyncio.TaskGroup() as callers:
        for caller in range(CALLERS):
            callers.create_task(call_again_and_again(caller))
        yield
        ended.set()


async def outcome(client: httpx2.AsyncClient, kind: str, name: str) -> str:
    """`done`, the code of the error, or `open` where the circuit was."""
    response = await client.post("/mcp", **tool_call(kind, {"id": name}))
    result = response.json()["result"]
    if not result.get("isError"):
        return "done"
    error = result["_meta"]["io.bascule/error"]
    return "open" if error.get("details", {}).get("circuit") == "open" else error["code"]


async def wait_until_well(instance: Instance) -> None:
    """Return once a read succeeds; nobody resets anything."""
    async with asyncio.timeout(10), client_of(instance) as client:
        while await outcome(client, "get_order", "probe") != "done":
            await asyncio.sleep(0.02)  # the breaker opens by the clock, in another process


@asynccontextmanager
async def client_of(instance: Instance) -> AsyncIterator[httpx2.AsyncClient]:
    headers = {"authorization": f"Bearer {instance.admin_key}"}
    async with httpx2.AsyncClient(
        base_url=instance.url, headers=headers, timeout=20.0, trust_env=False
    ) as client:
        yield client


def state_of(instance: Instance) -> str:
    with instance.api() as admin:
        return admin.get(f"/api/admin/upstreams/{UPSTREAM}/breaker").json()["state"]


def free_port() -> int:
    """A port that nobody uses at the moment, nor while the service is down."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def publish(instance: Instance, port: int, connector: dict[str, object]) -> None:
    """Import the service, with waits short enough for a test."""
    instance.publish(document(), "ledger", f"http://127.0.0.1:{port}")
    instance.set_connector(UPSTREAM, **connector)


def document() -> bytes:
    name = {"name": "id", "schema": {"type": "string"}}
    body = {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"id": {"type": "string"}},
                    "required": ["id"],
                }
            }
        },
    }
    schema = {"type": "object", "properties": {"done": {"type": "string"}}}
    done = {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}
    paths = {
        "/orders": {
            "post": {"operationId": "create_order", "requestBody": body, "responses": done},
            "get": {
                "operationId": "get_order",
                "parameters": [{**name, "in": "query"}],
                "responses": done,
            },
        },
        "/orders/{id}": {
            "put": {
                "operationId": "put_order",
                "parameters": [{**name, "in": "path", "required": True}],
                "responses": done,
            }
        },
    }
    info = {"title": "Ledger", "version": "1"}
    return json.dumps({"openapi": "3.1.0", "info": info, "paths": paths}).encode()
