"""`bascule proxy` before the reference server, both as processes, and what the gateway takes."""

import asyncio
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from fakes.instances import BASCULE, environment
from fakes.processes import Child, running
from fakes.subscribers import call, exchange

ROOT: Final = Path(__file__).parents[2]
GRACE_SECONDS: Final = 5.0
SETTINGS: Final = {
    "server.max_streams_per_principal": "4000",
    "server.shutdown_grace_seconds": str(GRACE_SECONDS),
}
CHANGES: Final = (
    "test_trigger_tool_change",
    "test_trigger_prompt_change",
    "test_trigger_resource_update",
)
LONG_URIS: Final = [f"test://template/{'x' * 8000}{number}/data" for number in range(8)]
"""Resources of which to tell takes 64 KiB for each listener."""


@dataclass(frozen=True)
class Footprint:
    """What the gateway takes at one moment. `upstream` are its connections to the server."""

    rss: int
    tasks: int
    descriptors: int
    upstream: int
    streams: dict[str, int]

    @property
    def own_descriptors(self) -> int:
        """Without those for the server, which are kept open for a while after a call."""
        return self.descriptors - self.upstream

    @property
    def cost(self) -> tuple[int, int]:
        """Tasks and descriptors."""
        return self.tasks, self.own_descriptors

    def __str__(self) -> str:
        return (
            f"rss {self.rss / 1e6:.1f} MB, tasks {self.tasks}, descriptors {self.descriptors}, "
            f"upstream {self.upstream}, {self.streams}"
        )


@dataclass(frozen=True)
class Site:
    """A gateway before the reference server."""

    child: Child
    port: int
    server_port: int

    async def footprint(self) -> Footprint:
        """Measure it."""
        async with exchange(self.port, "GET", {}, path="/metrics") as response:
            text = await response.text()
        process = psutil.Process(self.child.pid)
        connections = process.net_connections("tcp")
        found = re.findall(r'^bascule_streams\{kind="(\w+)"\} (\d+)', text, re.MULTILINE)
        tasks = re.search(r"^bascule_tasks (\d+)", text, re.MULTILINE)
        assert tasks is not None
        return Footprint(
            process.memory_info().rss,
            int(tasks[1]),
            process.num_fds(),
            sum(bool(one.raddr) and one.raddr.port == self.server_port for one in connections),
            {kind: int(count) for kind, count in found},
        )

    async def settles(
        self, is_right: Callable[[Footprint], bool], seconds: float = 20.0
    ) -> Footprint:
        """Measure until it `is_right`; fails with the last figures where it never is."""
        deadline = time.monotonic() + seconds
        while not is_right(found := await self.footprint()):
            assert time.monotonic() < deadline, f"still {found}"
            await asyncio.sleep(0.1)
        return found

    async def base_line(self) -> Footprint:
        """What it takes with nobody there, once a call has had it make what it keeps."""
        await call(self.port, "test_simple_text")
        before = await self.settles(lambda now: now.streams["upstream"] == 1)
        # Twice the same: connections may have come or gone while they were counted.
        while (now := await self.footprint()).cost != before.cost:
            before = now
        return now

    async def change(self, number: int = 0) -> None:
        """Have the server tell of a change: of a list, or of the resource."""
        answer = await call(self.server_port, CHANGES[number % len(CHANGES)])
        assert "result" in answer

    async def change_at_length(self) -> None:
        """Have the server tell of every resource with a long name."""
        async with asyncio.TaskGroup() as callers:
            for uri in LONG_URIS:
                callers.create_task(call(self.server_port, CHANGES[2], uri=uri))


@contextmanager
def reference(port: int) -> Iterator[Child]:
    command = (sys.executable, "-m", "conformance.reference", "--port", str(port))
    with running(*command, cwd=ROOT) as child:
        yield child


@contextmanager
def gateway(data: Path, server_port: int) -> Iterator[Site]:
    """`bascule proxy` before the server at `server_port`."""
    target = f"http://127.0.0.1:{server_port}/mcp"
    command = [*BASCULE, "proxy", "--port", "0", "--data", str(data), target]
    with running(*command, environment=environment(SETTINGS), cwd=ROOT) as child:
        child.wait_for("/mcp relays ")
        said = re.search(r"http://127\.0\.0\.1:(\d+)/mcp relays", child.said)
        assert said is not None
        yield Site(child, int(said[1]), server_port)


@contextmanager
def site(data: Path, server_port: int) -> Iterator[Site]:
    with reference(server_port), gateway(data, server_port) as found:
        yield found
