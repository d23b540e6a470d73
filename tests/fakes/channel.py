"""A conversation on a shared channel in memory, between a test and executors it writes."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Self

from bascule.gateway.backchannel import Notification
from bascule.gateway.call import EVERYTHING, Call, Endpoint, Method, Result
from bascule.gateway.dispatch import Wellformed
from bascule.gateway.feed import ListenFilter
from bascule.gateway.kernel import Edition, Gateway
from bascule.gateway.pipeline import Pipeline
from bascule.gateway.principal import KeyRecord
from bascule.identity.api_keys import ApiKeys, RevokedKeys, digest_of
from bascule.identity.authenticate import Authenticate
from bascule.protocol.results import Identity
from bascule.transports.access import Door, DoorConfig
from bascule.transports.channel import Caller, DuplexConfig
from bascule.transports.duplex import Duplex
from bascule.transports.entrance import Entrance
from fakes.catalogue import KEY, make_principal, make_snapshot
from fakes.recorder import FakeRecorder

IDENTITY = Identity("bascule", "1.0")
Execute = Callable[[Call], Awaitable[Result]]


class FakeFeed:
    """A feed that a test fills by hand; `end` is the gateway ending it."""

    def __init__(self, granted: ListenFilter | None = None) -> None:
        self.granted = granted or ListenFilter(tools_list_changed=True)
        self.closed = False
        self._notes: asyncio.Queue[Notification | None] = asyncio.Queue()

    def tell(self, method: str, params: bytes = b"{}") -> None:
        """Something changed."""
        self._notes.put_nowait(Notification(method, params))

    def end(self) -> None:
        """No more will come."""
        self._notes.put_nowait(None)

    async def next(self) -> Notification | None:
        """As `Feed.next`."""
        return await self._notes.get()

    async def close(self) -> None:
        """As `Feed.close`."""
        self.closed = True


class FakeGateway:
    """A real gateway and pipeline, whose executors are functions; what has none answers {}."""

    def __init__(self, executors: Mapping[Method, Execute] | None = None) -> None:
        self.calls: list[Call] = []
        self.recorder = FakeRecorder()
        self.revoked = RevokedKeys()
        self._executors = dict(executors or {})
        stages = [Authenticate(ApiKeys(self.revoked)), Wellformed()]
        self.gateway = Gateway(Edition(make_snapshot(), Pipeline(stages, self)), self.recorder)

    def admit(self, key: str, subject: str) -> None:
        """Let somebody else in, with a key of their own."""
        edition = self.gateway._edition
        keys = {
            **edition.snapshot.keys,
            digest_of(key): KeyRecord(f"key of {subject}", make_principal(subject)),
        }
        self.gateway.replace(Edition(replace(edition.snapshot, keys=keys), edition.pipeline))

    async def execute(self, call: Call) -> Result:
        """Run the function of the call's method."""
        self.calls.append(call)
        function = self._executors.get(call.method)
        return Result({}) if function is None else await function(call)

    def called(self, method: Method) -> list[Call]:
        """The calls of this method that came through, in order."""
        return [call for call in self.calls if call.method is method]

    def entrance(self, config: DuplexConfig | None = None) -> Entrance:
        """The entrance to this gateway, with the usual door."""
        return Entrance(self.gateway, Door(DoorConfig()), IDENTITY, config or DuplexConfig())

    def converse(
        self,
        config: DuplexConfig | None = None,
        *,
        key: str | None = KEY,
        endpoint: Endpoint = EVERYTHING,
    ) -> "FakeChannel":
        """Begin a conversation as the owner of `key`."""
        caller = Caller(endpoint, "127.0.0.1", key)
        return FakeChannel(Duplex(self.gateway, IDENTITY, caller, config or DuplexConfig()))


class FakeChannel:
    """The client's end of a conversation."""

    def __init__(self, duplex: Duplex) -> None:
        self.duplex = duplex

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        async with asyncio.timeout(5):
            await self.duplex.close()

    async def send(self, message: Mapping[str, Any] | bytes) -> None:
        """Send one message, and wait until it is taken in."""
        raw = message if isinstance(message, bytes) else json.dumps(message).encode()
        async with asyncio.timeout(5):
            await self.duplex.take(raw)

    async def receive(self) -> dict[str, Any]:
        """The next message from the gateway; fails where the conversation is over."""
        async with asyncio.timeout(5):
            message = await self.duplex.outbox.next()
        assert message is not None, "the conversation is over"
        return json.loads(message)

    async def ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Send one request, and give what comes next."""
        await self.send(message)
        return await self.receive()

    async def is_over(self) -> bool:
        """Whether nothing more comes."""
        async with asyncio.timeout(5):
            return await self.duplex.outbox.next() is None

    async def initialize(self, **capabilities: object) -> dict[str, Any]:
        """Shake hands as a client of revision 2025-11-25 does."""
        answer = await self.ask(initialize(**capabilities))
        await self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return answer


def initialize(version: str = "2025-11-25", **capabilities: object) -> dict[str, Any]:
    """The first request of a client of the handshake era."""
    params = {
        "protocolVersion": version,
        "capabilities": capabilities,
        "clientInfo": {"name": "test", "version": "1"},
    }
    return {"jsonrpc": "2.0", "id": "init", "method": "initialize", "params": params}


def answer_to(question: Mapping[str, Any], **members: object) -> dict[str, Any]:
    """A client's answer to `question`: `result=` or `error=`."""
    return {"jsonrpc": "2.0", "id": question["id"], **members}
