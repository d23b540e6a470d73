"""Calls to legacy upstreams that wait, without a connection of their caller, for its answers.

A legacy upstream asks while it works; a modern caller is asked by a result and answers by another
request. In between, the exchange with the upstream goes on here, owned by nobody else.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NamedTuple, Protocol, TypeAlias

import msgspec
import structlog

from bascule.gateway.errors import GatewayError
from bascule.upstreams.mcp.parked_call import (
    Caller,
    ParkedCall,
    ParkedTooMany,
    ParkingLimits,
    Work,
    closing,
)
from bascule.upstreams.mcp.questions import InputRequest
from bascule.upstreams.mcp.wrapping import stale

_log = structlog.get_logger(__name__)

Start: TypeAlias = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]
"""Runs a coroutine whose end nobody has to wait for."""


class Ticket(NamedTuple):
    """Where a parked call waits: the process, and a number that is used once."""

    worker: str
    number: str


class Waiting(NamedTuple):
    """A parked call's open questions by their keys; `ticket` is for who brings the answers."""

    ticket: Ticket
    requests: Mapping[str, InputRequest]


Step: TypeAlias = Waiting | msgspec.Raw | bytes
"""How far a call has come: it waits for answers, or its `result`."""


class Elsewhere(Protocol):
    """The parked calls of the other processes."""

    async def resume(self, ticket: Ticket, caller: Caller, answers: Mapping[str, bytes]) -> Step:
        """As `Parked.resume`, in the process that `ticket` names."""
        ...


class Parked:
    """The calls of this process that wait, or once waited, for their callers' answers."""

    def __init__(self, worker: str, start: Start, *, limits: ParkingLimits | None = None) -> None:
        """`worker` names this process among all; `start` runs what outlives a request."""
        self.worker = worker
        self.elsewhere: Elsewhere | None = None
        """Set where other processes share the sealing keys."""
        self._start = start
        self._limits = limits or ParkingLimits()
        self._tasks: dict[ParkedCall, asyncio.Task[None]] = {}
        self._admitted: dict[ParkedCall, str] = {}
        self._waiting: dict[str, tuple[ParkedCall, asyncio.TimerHandle]] = {}
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._admitted)

    @property
    def seconds(self) -> float:
        """How long a call waits for each retry."""
        return self._limits.seconds

    async def begin(self, caller: Caller, work: Work) -> Step:
        """Begin an exchange, and wait for its first questions or its result.

        Cancelling ends the exchange.

        Raises:
            ParkedTooMany: it asked something, and too many calls wait already.
            GatewayError: as `work`.
        """
        if self._is_closed:
            raise closing()
        one: ParkedCall
        one = ParkedCall(caller, self._limits, lambda: self._admit(one))
        task = self._start(one.run(work))
        self._tasks[one] = task
        task.add_done_callback(lambda _: self._forget(one))
        return await self._attend(one)

    async def resume(self, ticket: Ticket, caller: Caller, answers: Mapping[str, bytes]) -> Step:
        """Answer a call that waits, and wait for what comes next.

        `answers` are JSON objects by key; others than those asked for are ignored, missing ones
        are asked for again. Cancelling ends the exchange.

        Raises:
            StaleHandle: nothing waits under this ticket, or no longer.
            GatewayError: as the exchange.
        """
        if ticket.worker != self.worker:
            if self.elsewhere is None:
                raise stale("the process that held the call is not this one")
            return await self.elsewhere.resume(ticket, caller, answers)
        found = self._waiting.get(ticket.number)
        if found is None:
            raise stale("its call waits no longer, or was taken up already")
        one, expiry = found
        if one.caller.owner != caller.owner:
            raise stale("its call is another caller's")
        del self._waiting[ticket.number]
        expiry.cancel()
        one.caller = caller
        one.is_attended = True
        one.answer(answers)
        return await self._attend(one)

    async def close(self) -> None:
        """End every exchange, and wait for its end; none begins after."""
        self._is_closed = True
        tasks = list(self._tasks.values())
        for number in list(self._waiting):
            _, expiry = self._waiting.pop(number)
            expiry.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._admitted.clear()

    async def _attend(self, one: ParkedCall) -> Step:
        try:
            come = await one.next()
        except BaseException:
            # The caller went away, or is told of a failure: nobody wants the exchange any more.
            self._end(one)
            raise
        if not isinstance(come, dict):
            self._admitted.pop(one, None)
            return come
        number = secrets.token_urlsafe(16)
        loop = asyncio.get_running_loop()
        expiry = loop.call_later(self._limits.seconds, self._expire, number)
        self._waiting[number] = (one, expiry)
        one.is_attended = False
        return Waiting(Ticket(self.worker, number), come)

    def _admit(self, one: ParkedCall) -> None:
        if one in self._admitted:
            return
        owner = one.caller.owner
        own = sum(1 for other in self._admitted.values() if other == owner)
        if own >= self._limits.most_per_owner or len(self._admitted) >= self._limits.most:
            raise ParkedTooMany(
                "Too many calls wait for answers already. Answer or drop some, then call again.",
                private=f"{own} calls of this caller are parked, {len(self._admitted)} in all",
            )
        self._admitted[one] = owner

    def _expire(self, number: str) -> None:
        one, _ = self._waiting.pop(number)
        _log.info("parked.expired", seconds=self._limits.seconds, owner=one.caller.owner)
        one.fail(_expired())
        self._end(one)

    def _end(self, one: ParkedCall) -> None:
        self._admitted.pop(one, None)
        task = self._tasks.get(one)
        if task is not None:
            task.cancel()

    def _forget(self, one: ParkedCall) -> None:
        self._tasks.pop(one, None)
        # What ended while its caller is away is held until that comes back, and counts.
        if one.is_attended:
            self._admitted.pop(one, None)


def _expired() -> GatewayError:
    return stale("its call waited too long")
