"""The state of several processes, in Redis 7 or Valkey.

A command that fails is not sent again: nobody knows whether the first was carried out. The next
one connects anew, so that a server that comes back is used at once.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, cast

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from bascule.gateway.state import StateUnavailable, check_life, check_value

_COMMAND_SECONDS: Final = 2.0
_MOST_CONNECTIONS: Final = 64
_MOST_SUBSCRIPTIONS: Final = 256
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 5.0

_logger = structlog.get_logger(__name__)


@asynccontextmanager
async def open_redis(
    url: str, namespace: str, *, command_seconds: float = _COMMAND_SECONDS
) -> AsyncGenerator["RedisState"]:
    """Connect to the server of `url`; `namespace` begins every name this store uses there.

    `command_seconds` is the longest wait for a connection, for it to open, and for an answer.

    Raises:
        StateUnavailable: the URL cannot be read, or the server does not answer as it should.
    """
    try:
        commands = _client(url, _MOST_CONNECTIONS, command_seconds)
        # Their connections are taken for as long as somebody listens.
        subscriptions = _client(url, _MOST_SUBSCRIPTIONS, command_seconds)
    except ValueError:
        # The error would quote a password that is not escaped.
        raise StateUnavailable(
            "redis.url cannot be read. Write redis://HOST:6379/0, with special characters of "
            "user and password percent-encoded."
        ) from None
    async with commands, subscriptions:
        with _failing_closed(
            "The Redis of redis.url does not answer. Start it, correct redis.url, or remove it "
            "to keep state in memory."
        ):
            await commands.ping()
        yield RedisState(commands, subscriptions, namespace, command_seconds)


class RedisState:
    """A `StateStore` that every process with the same server and namespace shares."""

    def __init__(
        self, commands: Any, subscriptions: Any, namespace: str, command_seconds: float
    ) -> None:
        self._commands = commands
        self._subscriptions = subscriptions
        self._namespace = namespace
        self._command_seconds = command_seconds

    @property
    def local(self) -> bool:
        """As `StateStore.local`."""
        return False

    async def get(self, key: str) -> bytes | None:
        """As `StateStore.get`."""
        return await self._asked("GET", self._name("value", key))

    async def put(self, key: str, value: bytes, ttl_seconds: float) -> None:
        """As `StateStore.put`."""
        check_value(value, ttl_seconds)
        await self._asked("SET", self._name("value", key), value, "PX", _milliseconds(ttl_seconds))

    async def put_new(self, key: str, value: bytes, ttl_seconds: float) -> bool:
        """As `StateStore.put_new`."""
        check_value(value, ttl_seconds)
        name = self._name("value", key)
        done = await self._asked("SET", name, value, "NX", "PX", _milliseconds(ttl_seconds))
        return done is not None

    async def take(self, key: str) -> bytes | None:
        """As `StateStore.take`."""
        return await self._asked("GETDEL", self._name("value", key))

    async def delete(self, key: str) -> None:
        """As `StateStore.delete`."""
        await self._asked("DEL", self._name("value", key))

    async def count(self, key: str, ttl_seconds: float) -> int:
        """As `StateStore.count`."""
        check_life(ttl_seconds)
        name = self._name("count", key)
        with _heeding_cancellation(), _failing_closed():
            async with self._commands.pipeline(transaction=True) as transaction:
                transaction.execute_command("INCR", name)
                transaction.execute_command("PEXPIRE", name, _milliseconds(ttl_seconds), "NX")
                reached, _ = await transaction.execute()
        return reached

    async def append(self, log: str, value: bytes, *, most: int, ttl_seconds: float) -> int:
        """As `StateStore.append`."""
        check_value(value, ttl_seconds)
        name = self._name("log", log)
        with _failing_closed():
            async with self._commands.pipeline(transaction=True) as transaction:
                # `0-*`: the server numbers the entries 0-1, 0-2 and so on.
                transaction.execute_command("XADD", name, "MAXLEN", "=", most, "0-*", b"v", value)
                transaction.execute_command("PEXPIRE", name, _milliseconds(ttl_seconds))
                number, _ = await transaction.execute()
        return _number(number)

    async def read(self, log: str, after: int) -> list[tuple[int, bytes]]:
        """As `StateStore.read`."""
        entries = await self._asked("XRANGE", self._name("log", log), f"(0-{after}", "+")
        return [(_number(number), fields[b"v"]) for number, fields in entries]

    async def publish(self, channel: str, message: bytes) -> None:
        """As `StateStore.publish`."""
        check_value(message)
        await self._asked("PUBLISH", self._name("channel", channel), message)

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncGenerator[AsyncIterator[bytes]]:
        """As `StateStore.subscribe`; takes a connection, so channels belong to processes."""
        async with self._subscriptions.pubsub() as pubsub:
            with _failing_closed():
                await pubsub.subscribe(self._name("channel", channel))
                # The first to arrive is the server's word that the subscription is in force.
                async with asyncio.timeout(self._command_seconds):
                    await pubsub.get_message(timeout=None)
            yield _Messages(pubsub)

    def _name(self, kind: str, name: str) -> str:
        return f"{self._namespace}:{kind}:{name}"

    async def _asked(self, *command: str | bytes | int) -> Any:
        with _heeding_cancellation(), _failing_closed():
            return await self._commands.execute_command(*command)


@contextmanager
def _heeding_cancellation() -> Generator[None]:
    """Cancel the task where it was cancelled meanwhile and the client kept it to itself.

    redis 8.1 loses a cancellation that comes while it waits for a connection.
    """
    task = asyncio.current_task()
    before = 0 if task is None else task.cancelling()
    yield
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError


class _Messages:
    """What arrives on a subscription. Connects anew for as long as it takes."""

    def __init__(self, pubsub: Any) -> None:
        self._pubsub = pubsub

    def __aiter__(self) -> "_Messages":
        return self

    async def __anext__(self) -> bytes:
        pause_seconds = _FIRST_PAUSE_SECONDS
        while True:
            try:
                message = await self._pubsub.get_message(
                    ignore_subscribe_messages=True, timeout=None
                )
            except (RedisError, OSError) as error:
                _logger.warning("state.subscription_lost", error=type(error).__name__)
                await asyncio.sleep(pause_seconds)
                pause_seconds = min(pause_seconds * 2, _LONGEST_PAUSE_SECONDS)
                continue
            if message is not None:
                return message["data"]


def _client(url: str, most_connections: int, command_seconds: float) -> Any:
    # Any: half of redis-py's annotations are unknown to a strict type checker.
    pool = cast("Any", BlockingConnectionPool).from_url(
        url,
        max_connections=most_connections,
        timeout=command_seconds,
        socket_timeout=command_seconds,
        socket_connect_timeout=command_seconds,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )
    return Redis.from_pool(pool)


@contextmanager
def _failing_closed(
    public: str = "The gateway cannot reach the state its processes share; try again.",
) -> Generator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise StateUnavailable(public, private=f"{type(error).__name__}: {error}") from error


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _number(entry: bytes) -> int:
    return int(entry.partition(b"-")[2])
