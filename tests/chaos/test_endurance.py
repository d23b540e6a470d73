"""Many clients that listen for long: what they cost must not grow, and go when they go.

`BASCULE_KILL_RUNS=200 pytest -s tests/chaos/test_endurance.py` holds a thousand subscriptions and
two hundred sessions for five minutes, and prints what the gateway took meanwhile.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import Final

import pytest

from fakes.processes import Child, running
from fakes.relays import GRACE_SECONDS, LONG_URIS, Footprint, Site, gateway, reference, site
from fakes.subscribers import (
    PROMPTS,
    TOOLS,
    UPDATED,
    SessionClient,
    Subscription,
)

pytestmark = pytest.mark.chaos

ROOT: Final = Path(__file__).parents[2]
IS_LONG: Final = int(os.environ.get("BASCULE_KILL_RUNS", "8")) >= 100
SUBSCRIPTIONS, SESSIONS, ROUNDS = (1000, 200, 300) if IS_LONG else (100, 20, 5)
WARM_ROUNDS: Final = 30 if IS_LONG else 2
"""Rounds, of at least a second each, until what is needed once is there."""
CALLERS_PER_ROUND: Final = SESSIONS // 10
STREAMED_EVERY: Final = 10
"""Rounds; what a call's stream said is kept for minutes, which is no leak but looks like one."""
WANTED: Final = ((TOOLS, PROMPTS, UPDATED), (TOOLS,), (PROMPTS, UPDATED))
KEPT_EVENTS: Final = 256
"""A session's stream can be taken up again after any of its last events."""
MOST_DRIFT_BYTES: Final = 6 * 1024 * 1024
"""Between any two rounds, in which nothing was opened."""
MOST_GROWTH_BYTES: Final = 16 * 1024 * 1024
UNREAD: Final = SUBSCRIPTIONS // 2
WAVE: Final = 256
"""Streams that have to go at about one time for their memory to be given back to the system."""
MOST_HELD_BYTES: Final = 640 * 1024
"""For each client that does not read, until it is cut off: what is unread, and the long names."""


@asynccontextmanager
async def listening(
    port: int, subscriptions: Sequence[Subscription], sessions: Sequence[SessionClient]
) -> AsyncGenerator["Running"]:
    """All of them open, and read, while the block lasts; their clients leave at its end."""
    async with asyncio.TaskGroup() as group:
        open_now = Running(
            [group.create_task(one.run(port)) for one in subscriptions],
            await _begin(group, sessions),
        )
        async with asyncio.timeout(60):
            for one in subscriptions:
                await one.acknowledged.wait()
            for one in sessions:
                await one.is_open.wait()
        yield open_now
        open_now.leave()


@dataclass
class Running:
    """What reads the streams."""

    subscriptions: list[asyncio.Task[None]]
    sessions: list[asyncio.Task[None]]

    def leave(self) -> None:
        """Close all connections that are open yet."""
        for task in (*self.subscriptions, *self.sessions):
            task.cancel()

    async def ended(self, seconds: float) -> None:
        """Wait until the gateway has ended them all."""
        async with asyncio.timeout(seconds):
            await asyncio.wait([*self.subscriptions, *self.sessions])


async def _begin(
    group: asyncio.TaskGroup, sessions: Sequence[SessionClient]
) -> list[asyncio.Task[None]]:
    for one in sessions:
        await one.begin()
    return [group.create_task(one.listen()) for one in sessions]


def subscribers(count: int) -> list[Subscription]:
    return [Subscription(*WANTED[number % len(WANTED)]) for number in range(count)]


async def live(
    site: Site, subscriptions: Sequence[Subscription], sessions: Sequence[SessionClient]
) -> list[Footprint]:
    """Rounds of changes and calls; gives what the gateway took after each, with nothing going."""
    if IS_LONG:
        await fill_logs(site, sessions)
    taken: list[Footprint] = []
    begun = time.monotonic()
    for number in range(ROUNDS):
        async with asyncio.timeout(30):
            await site.change(number)
            first = number * CALLERS_PER_ROUND
            async with asyncio.TaskGroup() as callers:
                for place in range(first, first + CALLERS_PER_ROUND):
                    client = sessions[place % len(sessions)]
                    tool = (
                        "test_simple_text" if number % STREAMED_EVERY else "test_tool_with_progress"
                    )
                    callers.create_task(client.call_tool(tool))
        taken.append(await site.footprint())
        if IS_LONG and number % 15 == 0:
            print(f"{time.monotonic() - begun:6.1f} s: {taken[-1]}", flush=True)
        # The hold is what is tested; a round takes a second however fast the calls are.
        await asyncio.sleep(max(0.0, begun + number + 1 - time.monotonic()))
    assert [one.faults for one in subscriptions if one.faults] == []
    return taken


async def fill_logs(site: Site, sessions: Sequence[SessionClient]) -> None:
    """Tell of changes until as much is kept of each session's stream as ever will be."""
    async with asyncio.timeout(60):
        while any(one.told.total() < KEPT_EVENTS for one in sessions):
            await site.change(2)
            await asyncio.sleep(0.06)  # each is told by itself, not joined with the one before


async def test_what_listeners_cost_does_not_grow_and_goes_with_them(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    with site(tmp_path, unused_tcp_port) as here:
        base = await here.base_line()
        print(f"base: {base}", flush=True)
        subscriptions = subscribers(SUBSCRIPTIONS)
        sessions = [SessionClient(here.port) for _ in range(SESSIONS)]
        async with listening(here.port, subscriptions, sessions) as streams:
            taken = await live(here, subscriptions, sessions)
            for one in sessions:
                await one.end()
            async with asyncio.timeout(20):
                await asyncio.wait(streams.sessions)
        after = await here.settles(lambda now: is_back(now, base))

        print(f"base: {base}\nwarm: {taken[WARM_ROUNDS]}\nlast: {taken[-1]}\nafter: {after}")
        assert_flat(taken[WARM_ROUNDS:])
        assert all(one.is_whole and not one.told.total() < ROUNDS // 2 for one in sessions)
        assert [one.faults for one in subscriptions if one.faults] == []
        # Each change was told to everybody who wanted to hear of it.
        assert {
            len(one.wanted) for one in subscriptions if one.told.keys() < {*one.wanted}
        } == set()
        assert sum(one.calls for one in sessions) == ROUNDS * CALLERS_PER_ROUND


def is_back(now: Footprint, base: Footprint) -> bool:
    """Whether nothing is left of what came after `base`."""
    return (
        now.tasks <= base.tasks
        and now.own_descriptors <= base.own_descriptors
        and now.streams == base.streams
    )


def assert_flat(taken: Sequence[Footprint]) -> None:
    first = taken[0]
    for one in taken:
        assert one.streams == first.streams
        assert one.tasks <= first.tasks + 2, f"{first}\n{one}"
        assert one.own_descriptors <= first.own_descriptors + 2, f"{first}\n{one}"
        assert one.upstream <= CALLERS_PER_ROUND + 5, f"{first}\n{one}"
        assert one.rss <= first.rss + MOST_DRIFT_BYTES, f"{first}\n{one}"


@contextmanager
def unreading(port: int, count: int, *uris: str) -> Iterator[Child]:
    """A process of subscribers that read their acknowledgement, and nothing more."""
    script = ROOT / "tests" / "fakes" / "subscribers.py"
    with running(sys.executable, script, str(port), str(count), *uris) as child:
        child.wait_for("listening", 60)
        yield child


async def test_clients_that_vanish_leave_nothing_behind(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    with site(tmp_path, unused_tcp_port) as here:
        base = await here.base_line()
        for _ in range(3):
            with unreading(here.port, SUBSCRIPTIONS) as clients:
                held = await here.footprint()
                assert held.streams["subscription"] == SUBSCRIPTIONS
                for number in range(6):
                    await here.change(number)
                clients.send(SIGKILL)
                assert clients.exit_code() == -SIGKILL
            # While changes come, so that some are on their way to who is gone.
            await here.change()
            after = await here.settles(lambda now: is_back(now, base))
            print(f"base: {base}\nheld: {held}\nafter: {after}")


async def test_who_never_reads_is_cut_off_and_others_hear_everything(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    with site(tmp_path, unused_tcp_port) as here:
        base = await here.base_line()
        reader = Subscription(UPDATED)
        async with listening(here.port, [reader], []):
            most = [await told_until_cut(here, reader) for _ in range(3)]
        after = await here.settles(lambda now: is_back(now, base))
        if UNREAD >= WAVE:
            after = await here.settles(lambda now: now.rss <= base.rss + 2 * MOST_GROWTH_BYTES)
    print(f"base: {base}\nmost: {most[0]}\nmost: {most[-1]}\nafter: {after}")
    assert reader.faults == []
    # What was needed once is used again, or given back: it does not add up.
    assert all(one.rss <= base.rss + UNREAD * MOST_HELD_BYTES + MOST_GROWTH_BYTES for one in most)


async def told_until_cut(here: Site, reader: Subscription) -> Footprint:
    """Tell of changes until nobody is left that does not read; gives the most it took."""
    with unreading(here.port, UNREAD, *LONG_URIS):
        most = await here.footprint()
        assert most.streams["subscription"] == UNREAD + 1
        async with asyncio.timeout(60):
            while most.streams["subscription"] > 1:
                before = reader.told[UPDATED]
                await here.change_at_length()
                await here.change(2)
                while reader.told[UPDATED] == before:
                    await asyncio.sleep(0.01)
                now = await here.footprint()
                most = replace(now, rss=max(now.rss, most.rss))
        return most


async def test_a_server_that_starts_anew_is_heard_of_by_all_who_listen(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    subscriptions = subscribers(SUBSCRIPTIONS)
    with ExitStack() as last:
        with reference(unused_tcp_port) as first:
            here = last.enter_context(gateway(tmp_path, unused_tcp_port))
            base = await here.base_line()
            sessions = [SessionClient(here.port) for _ in range(SESSIONS)]
            async with listening(here.port, subscriptions, sessions):
                # One task each; a GET has its server's, and one that watches for its end, too.
                tasks = base.tasks + len(subscriptions) + 3 * len(sessions)
                first.send(SIGKILL)
                assert first.exit_code() == -SIGKILL
                last.enter_context(reference(unused_tcp_port))
                # Nobody knows what was missed: everything has changed.
                await everybody_heard([*subscriptions, *sessions], 1)
                await here.change(2)
                await everybody_heard([one for one in subscriptions if UPDATED in one.wanted], 2)
                await sessions[0].call_tool("test_tool_with_progress")
                await here.settles(lambda now: now.tasks <= tasks)
        assert [one.faults for one in subscriptions if one.faults] == []


async def everybody_heard(
    listeners: Sequence[Subscription | SessionClient], times: int, seconds: float = 30.0
) -> None:
    """Wait until each has been told of everything it wants so often."""

    def has_heard(one: Subscription | SessionClient) -> bool:
        wanted = one.wanted if isinstance(one, Subscription) else (TOOLS, PROMPTS, UPDATED)
        return all(one.told[method] >= (times if method == UPDATED else 1) for method in wanted)

    async with asyncio.timeout(seconds):
        while not all(has_heard(one) for one in listeners):
            await asyncio.sleep(0.05)


async def test_a_gateway_that_stops_ends_every_stream_as_it_should(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    with site(tmp_path, unused_tcp_port) as here:
        subscriptions = subscribers(SUBSCRIPTIONS)
        sessions = [SessionClient(here.port) for _ in range(SESSIONS)]
        async with listening(here.port, subscriptions, sessions) as streams:
            await here.change()
            async with asyncio.TaskGroup() as callers:
                for one in sessions[:10]:
                    callers.create_task(one.call_tool("test_slow", seconds=1))
                await here.settles(lambda now: now.streams["session_call"] > 0)
                begun = time.monotonic()
                here.child.send(SIGTERM)
            await streams.ended(20)
        assert await asyncio.to_thread(here.child.exit_code) == 0, here.child.said
        print(f"stopped in {time.monotonic() - begun:.2f} s")
        assert [one.id for one in subscriptions if not one.is_complete] == []
        assert [one.faults for one in subscriptions if one.faults] == []
        assert all(one.is_whole for one in sessions)
        assert sum(one.calls for one in sessions) == 10


async def test_a_gateway_stops_in_its_grace_whoever_does_not_read(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    with site(tmp_path, unused_tcp_port) as here, unreading(here.port, 20, *LONG_URIS):
        for _ in range(4):
            await here.change_at_length()
            await asyncio.sleep(0.06)  # each is told by itself, not joined with the one before
        assert (await here.footprint()).streams["subscription"] == 20, "cut off already"
        begun = time.monotonic()
        here.child.send(SIGTERM)
        assert await asyncio.to_thread(here.child.exit_code) == 0, here.child.said
        print(f"stopped in {time.monotonic() - begun:.2f} s")
        assert time.monotonic() - begun < GRACE_SECONDS + 3
