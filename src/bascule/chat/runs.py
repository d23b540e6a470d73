"""The turns that are under way in this process, each in a task of its own.

Whoever runs a turn holds its lease, so that no other process takes it for one that was cut off.
Who has lost the lease stops; who does not know it yet is kept from saving by the version of the
message, and no call is made that was not saved before.
"""

import asyncio
import secrets
from collections.abc import Awaitable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import structlog

from bascule.chat.desk import Person
from bascule.chat.drafts import Draft
from bascule.chat.equipment import Equipment
from bascule.chat.finishing import to_the_end
from bascule.chat.leases import RENEWALS, Lease, key_of
from bascule.chat.parts import MessageStatus
from bascule.chat.places import Place, Places
from bascule.chat.streams import Numbers, Stream
from bascule.chat.turns import Turn
from bascule.gateway.errors import ErrorCode, GatewayError, NotFound
from bascule.gateway.principal import Principal
from bascule.gateway.state import StateStore

_log = structlog.get_logger(__name__)


class Closing(GatewayError):
    """This process is ending; nothing was begun."""

    error: ClassVar[ErrorCode] = ErrorCode.UNAVAILABLE


@dataclass(slots=True, eq=False)
class Hold:
    """The right to run a turn: nobody else does, and there is a place for it."""

    lease: Lease
    place: Place

    async def renew(self) -> bool:
        """Keep it; False where another has the turn now."""
        if not await self.lease.renew():
            return False
        await self.place.renew()
        return True

    async def release(self) -> None:
        """Give it back, as far as the store can be asked; the rest expires."""
        await _quietly(self.lease.release())
        await _quietly(self.place.release())


@dataclass(slots=True, eq=False)
class Run:
    """A turn under way, for `principal`, and what is told of it."""

    turn: Turn
    draft: Draft
    stream: Stream
    principal: Principal
    hold: Hold
    task: "asyncio.Task[None] | None" = None
    keeping: "asyncio.Task[None] | None" = None

    async def stop(self) -> None:
        """End it, and wait until it has."""
        self.turn.is_stopping = True
        await self.lose()

    async def lose(self) -> None:
        """Leave its turn to who has it now, and wait until nothing is done for it here."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait({self.task})


class Runs:
    """One for each message at most, in all processes that share `state`."""

    def __init__(self, equipment: Equipment, numbers: Numbers, state: StateStore) -> None:
        self._equipment = equipment
        self._numbers = numbers
        self._state = state
        self._places = Places(equipment.limits, state)
        self._runs: dict[str, Run] = {}
        self._releasing: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def __contains__(self, message_id: object) -> bool:
        return message_id in self._runs

    def of(self, message_id: str, principal: Principal) -> Run | None:
        """The run of a message; None where there is none in this process.

        Raises:
            NotFound: it is another's.
        """
        run = self._runs.get(message_id)
        if run is not None and _owner(run.principal) != _owner(principal):
            raise NotFound("There is no such message.")
        return run

    async def hold(self, principal: Principal, message_id: str) -> Hold | None:
        """The right to run the turn of a message, to be released or begun with.

        None where another process has it, or may have: one that was killed has it until its lease
        has expired.

        Raises:
            TooManyTurns: there is no place for it.
            Closing: the process is ending.
            StateUnavailable: nobody knows whether somebody has it.
        """
        if self._is_closed:
            raise Closing("The gateway is restarting. Try again in a moment.")
        if self._releasing:
            await asyncio.wait(set(self._releasing))
        lease = self._lease(principal, message_id)
        if not await lease.take():
            return None
        try:
            return Hold(lease, await self._places.take(principal))
        except BaseException:
            await to_the_end(_quietly(lease.release()))
            raise

    async def seize(self, principal: Principal, message_id: str) -> None:
        """Take the turn of a message from the process that runs it, which then stops."""
        await self._lease(principal, message_id).seize()

    def begin(
        self,
        person: Person,
        principal: Principal,
        draft: Draft,
        hold: Hold,
        *,
        base: int | None = None,
    ) -> Run:
        """Begin a run under `hold`; its numbers follow `base`."""
        limits = self._equipment.limits
        stream = Stream(
            draft.shown,
            base=self._numbers.base() if base is None else base,
            most_events=limits.ring_events,
            most_bytes=limits.ring_bytes,
        )
        draft.stream = stream
        draft.message.status = MessageStatus.RUNNING
        run = Run(Turn(self._equipment, person, draft), draft, stream, principal, hold)
        self._runs[draft.message.id] = run
        # Not a TaskGroup: it outlives the request that began it, and ends in `aclose`.
        loop = asyncio.get_running_loop()
        run.task = loop.create_task(self._work(run))
        run.keeping = loop.create_task(self._keep(run))
        # For one that is cancelled before its first step, so that its `finally` is never reached.
        run.task.add_done_callback(partial(self._end, run))
        return run

    async def _work(self, run: Run) -> None:
        try:
            await run.turn.run()
        finally:
            # With the last step, not after it: nobody finds a run that does nothing any more.
            self._end(run)

    async def _keep(self, run: Run) -> None:
        """Renew the lease of a run; end the run where that fails for as long as a lease lives."""
        lease, loop = run.hold.lease, asyncio.get_running_loop()
        renewed_at = loop.time()
        while True:
            await asyncio.sleep(lease.seconds / RENEWALS)
            asked_at = loop.time()
            try:
                is_held = await run.hold.renew()
            except GatewayError:
                is_held = loop.time() - renewed_at < lease.seconds
            else:
                renewed_at = asked_at
            if not is_held:
                _log.warning("chat.turn_lost", message_id=run.draft.message.id)
                if run.task is not None:
                    run.task.cancel()
                return

    def _end(self, run: Run, _: object = None) -> None:
        message_id = run.draft.message.id
        if self._runs.get(message_id) is run:
            del self._runs[message_id]
            if run.keeping is not None:
                run.keeping.cancel()
            releasing = asyncio.get_running_loop().create_task(run.hold.release())
            self._releasing.add(releasing)
            releasing.add_done_callback(self._releasing.discard)
            self._numbers.use(run.stream.last)
            run.stream.close()

    def _lease(self, principal: Principal, message_id: str) -> Lease:
        key = key_of("turn", principal.tenant, message_id)
        seconds = self._equipment.limits.lease_seconds
        return Lease(self._state, key, secrets.token_bytes(16), seconds)

    async def aclose(self) -> None:
        """End all, without ending their turns, which others may take up at once."""
        self._is_closed = True
        tasks = [run.task for run in self._runs.values() if run.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*self._releasing, return_exceptions=True)


async def _quietly(work: Awaitable[Any]) -> None:
    try:
        await work
    except GatewayError as failure:
        _log.warning("chat.not_released", reason=failure.private)


def _owner(principal: Principal) -> tuple[str, str]:
    return principal.tenant, principal.owner
