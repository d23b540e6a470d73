import asyncio

import pytest

from bascule.transports import disconnect
from bascule.transports.disconnect import DisconnectWatch, Sweep
from fakes.asgi import FakeExchange


class Work:
    """A call under watch: what happened to it, and whether its task survived."""

    def __init__(self, exchange: FakeExchange) -> None:
        self.exchange = exchange
        self.sweep = Sweep()
        self.watch = DisconnectWatch(exchange.receive, self.sweep)
        self.started = asyncio.Event()
        self.finish = asyncio.Event()
        self.cancelled = False
        self.survived = False

    async def run(self) -> None:
        with self.watch:
            self.started.set()
            try:
                await self.finish.wait()
            except asyncio.CancelledError:
                self.cancelled = True
                raise
        self.survived = True


@pytest.fixture(autouse=True)
def _watch_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disconnect, "_SWEEP_SECONDS", 0.0)


async def test_a_disconnect_cancels_the_call_and_not_the_task_around_it() -> None:
    work = Work(FakeExchange())
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work.run())
        await work.started.wait()
        work.exchange.hang_up()
    assert work.cancelled
    assert work.watch.gone
    assert work.survived, "the server's task goes on: to the next request of the connection"
    assert task.cancelling() == 0


async def test_what_is_left_of_the_body_is_no_disconnect() -> None:
    work = Work(FakeExchange(b"a", b"b", complete=False))
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(work.run())
        await work.started.wait()
        work.exchange.hang_up()
    assert work.cancelled
    assert work.exchange.receives == 3


async def test_a_call_that_ends_first_is_not_cancelled_and_the_watcher_ends_with_it() -> None:
    work = Work(FakeExchange())
    watched = asyncio.Event()
    receive = work.exchange.receive

    async def receive_and_tell() -> object:
        watched.set()
        return await receive()

    work.watch = DisconnectWatch(receive_and_tell, Sweep())
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work.run())
        await watched.wait()
        work.finish.set()
    assert (work.cancelled, work.watch.gone, work.survived) == (False, False, True)
    assert task.cancelling() == 0
    assert work.watch._watcher is not None
    async with asyncio.timeout(5):
        await asyncio.wait([work.watch._watcher])
    assert work.watch._watcher.cancelled()


async def test_a_quick_call_is_never_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disconnect, "_SWEEP_SECONDS", 60.0)
    work = Work(FakeExchange())
    work.finish.set()
    await work.run()
    assert work.exchange.receives == 0
    assert work.watch._watcher is None
    assert not work.sweep._fresh
    assert not work.sweep._met


async def test_a_cancellation_from_elsewhere_is_passed_on() -> None:
    """A server that shuts down cancels too, and must not be swallowed as a disconnect."""
    work = Work(FakeExchange())
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work.run())
        await work.started.wait()
        task.cancel()
    assert task.cancelled()
    assert not work.watch.gone
    assert not work.survived


async def test_a_shutdown_during_a_disconnect_is_passed_on() -> None:
    work = Work(FakeExchange())
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work.run())
        await work.started.wait()
        task.cancel()
        work.watch.gone = True  # as if the client had left in the same turn of the loop
        task.cancel()
    assert task.cancelled()
    assert not work.survived


@pytest.mark.parametrize("gone", [False, True])
async def test_a_failure_of_the_call_is_passed_on_whether_the_client_left_or_not(
    gone: bool,
) -> None:
    watch = DisconnectWatch(FakeExchange().receive, Sweep())
    watch.gone = gone
    with pytest.raises(ZeroDivisionError), watch:
        raise ZeroDivisionError


async def test_entered_outside_a_task_there_is_nothing_to_cancel() -> None:
    exchange = FakeExchange()
    watch = DisconnectWatch(exchange.receive, Sweep())
    entered = asyncio.Event()

    def enter() -> None:
        watch.__enter__()
        entered.set()

    asyncio.get_running_loop().call_soon(enter)
    exchange.hang_up()
    async with asyncio.timeout(5):
        await entered.wait()
        await watching(watch)
    assert watch.gone
    assert watch._watcher is not None
    assert watch._watcher.exception() is None
    assert watch.__exit__(asyncio.CancelledError, asyncio.CancelledError(), None) is False


async def watching(watch: DisconnectWatch) -> None:
    """Wait until the watcher was started and is done."""
    started = asyncio.Event()
    asyncio.get_running_loop().call_later(0, started.set)
    await started.wait()
    assert watch._watcher is not None
    await asyncio.wait([watch._watcher])
