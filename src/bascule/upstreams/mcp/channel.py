"""The port every way of speaking to an upstream implements: HTTP of any kind, or a child."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from bascule.gateway.feed import ListenFilter
from bascule.protocol.versions import Era
from bascule.upstreams.mcp.described import Described
from bascule.upstreams.mcp.hooks import Hooks, OnNote
from bascule.upstreams.mcp.messages import Outgoing


class Channel(Protocol):
    """How one upstream is spoken to, whatever its era and its transport."""

    @property
    def era(self) -> Era | None:
        """The server's era, where it is known."""
        ...

    async def exchange(
        self, request: Outgoing, deadline: float, hooks: Hooks | None = None
    ) -> msgspec.Raw | bytes:
        """Send `request` and give the `result` of its response.

        Without `hooks`, what comes before the response is dropped, and requests are refused.
        Cancelling tells the server that nobody waits any more.

        Raises:
            UpstreamRpcError: the server answered with an error.
            GatewayError: it could not be reached, did not answer in time or not usably.
        """
        ...

    def listen(
        self, wanted: ListenFilter, on_note: OnNote, deadline: float
    ) -> AbstractAsyncContextManager["Listening"]:
        """Hear of changes for as long as the block lasts; entering waits for the server's word.

        `deadline` bounds the entering alone.

        Raises:
            GatewayError: as `exchange`, on entering.
        """
        ...

    async def describe(self, deadline: float) -> Described:
        """What the server said about itself when its era was found, asking it where need be.

        Raises:
            GatewayError: as `exchange`.
        """
        ...

    async def close(self) -> None:
        """Let go of the server."""
        ...


class Listening(Protocol):
    """A subscription that is open at a server."""

    @property
    def granted(self) -> ListenFilter:
        """What the server agreed to tell."""
        ...

    async def ended(self) -> str:
        """Wait until the server, or what happened to it, ends the subscription; says why."""
        ...
