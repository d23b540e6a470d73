import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from bascule.gateway.state import StateUnavailable
from bascule.state.redis import open_redis

Answer = Callable[[bytes], bytes]


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[str]:
    """The URL of a server on loopback that gives `answer` to whatever arrives."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while asked := await reader.read(65_536):
            writer.write(answer(asked))
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}/0"


def redis_that(answer: bytes) -> Answer:
    """A server that answers `answer` to everything but the greetings of a connection."""

    def answering(asked: bytes) -> bytes:
        greetings = asked.count(b"CLIENT\r\n") + asked.count(b"SELECT\r\n")
        return b"+OK\r\n" * greetings if greetings else _pong(asked) or answer

    return answering


def _pong(asked: bytes) -> bytes:
    return b"+PONG\r\n" if b"PING\r\n" in asked else b""


async def test_a_server_that_is_not_there_is_named_to_the_operator_alone():
    with pytest.raises(StateUnavailable, match=r"redis\.url does not answer") as caught:
        async with asyncio.timeout(5), open_redis("redis://u:hunter2@127.0.0.1:1/0", "x"):
            pytest.fail("opened")

    assert "127.0.0.1" not in caught.value.public
    assert "127.0.0.1:1" in caught.value.private
    assert "hunter2" not in caught.value.private


@pytest.mark.parametrize(
    "url", ["redis://u:pa/hunter2@h:6379", "redis://h:port", "redis://h:99999999"]
)
async def test_a_url_that_cannot_be_read_is_refused_without_repeating_it(url: str):
    with pytest.raises(StateUnavailable) as caught:
        async with asyncio.timeout(5), open_redis(url, "x", command_seconds=0.05):
            pytest.fail("opened")

    assert "hunter2" not in caught.value.public + caught.value.private


async def test_a_server_that_never_answers_is_given_up_in_time():
    async with server(lambda _: b"") as url, asyncio.timeout(5):
        with pytest.raises(StateUnavailable):
            async with open_redis(url, "x", command_seconds=0.05):
                pytest.fail("opened")


@pytest.mark.parametrize(
    "answer",
    [
        b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
        b"-READONLY You can't write against a read only replica.\r\n",
        b"-LOADING Redis is loading the dataset in memory\r\n",
        b"-NOAUTH Authentication required.\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"$5\r\nab",
        b"",
    ],
)
async def test_whatever_goes_wrong_the_call_is_refused(answer: bytes):
    async with (
        server(redis_that(answer)) as url,
        asyncio.timeout(5),
        open_redis(url, "x", command_seconds=0.05) as state,
    ):
        for asked in (
            state.get("a"),
            state.put("a", b"", 1),
            state.put_new("a", b"", 1),
            state.take("a"),
            state.delete("a"),
            state.append("a", b"", most=1, ttl_seconds=1),
            state.count("a", 1),
            state.read("a", 0),
            state.publish("a", b""),
        ):
            with pytest.raises(StateUnavailable):
                await asked


async def test_a_command_that_was_not_answered_is_never_sent_again():
    sent: list[bytes] = []

    def silent(asked: bytes) -> bytes:
        sent.append(asked)
        return redis_that(b"")(asked)

    async with (
        server(silent) as url,
        asyncio.timeout(5),
        open_redis(url, "x", command_seconds=0.05) as state,
    ):
        with pytest.raises(StateUnavailable):
            await state.take("nonce")
        with pytest.raises(StateUnavailable):
            await state.append("log", b"event", most=9, ttl_seconds=60)
        with pytest.raises(StateUnavailable):
            await state.count("count", 60)

    assert b"".join(sent).count(b"GETDEL\r\n") == 1
    assert b"".join(sent).count(b"XADD\r\n") == 1
    assert b"".join(sent).count(b"INCR\r\n") == 1


async def test_it_is_not_local():
    async with server(redis_that(b"")) as url, asyncio.timeout(5), open_redis(url, "x") as state:
        assert not state.local


@pytest.mark.parametrize("answer", [b"", b"-NOPERM No permissions to access a channel\r\n"])
async def test_a_subscription_nobody_confirmed_is_none(answer: bytes):
    async with (
        server(redis_that(answer)) as url,
        asyncio.timeout(5),
        open_redis(url, "x", command_seconds=0.05) as state,
    ):
        with pytest.raises(StateUnavailable):
            async with state.subscribe("a"):
                pytest.fail("subscribed")
