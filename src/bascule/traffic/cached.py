"""An upstream whose reads may be answered from what it said a moment ago."""

import asyncio
import copy
import hashlib
import time
from collections.abc import Awaitable, Callable
from typing import Final, cast

import msgspec

from bascule.gateway.call import Call, JsonObject, Result, ResultKind
from bascule.gateway.errors import GatewayError, UpstreamTimeout, UpstreamUnreachable
from bascule.gateway.stage import Executor
from bascule.gateway.tool import RiskLevel, Tool, Upstream
from bascule.traffic.answers import Aged, Answers, Key, Space

CACHED_META: Final = "io.bascule/cached"
"""In `_meta` of a result that was kept: `{"age_seconds": n}`."""
CACHED_NOTE: Final = "cached_age_seconds"
"""In the audit record of a call that was answered so."""

_canonical = msgspec.json.Encoder(order="deterministic").encode


def _for_anybody(call: Call) -> str:
    del call
    return ""


def _for_its_caller(call: Call) -> str:
    owner = "" if call.principal is None else call.principal.owner
    if call.bearer is None:
        return owner
    # Another token of the same person may let them see less.
    return f"{owner} {hashlib.sha256(call.bearer.for_exchange().encode()).hexdigest()}"


def scope_for(upstream: Upstream) -> Callable[[Call], str]:
    """Whose the answers of `upstream` are: its caller's alone where it is called in their name."""
    connector = upstream.connector
    own = connector.exchange is not None or connector.user_grants is not None
    return _for_its_caller if own else _for_anybody


class _Flight:
    """A read under way, and what came of it: None where it says nothing to who waits."""

    __slots__ = ("landed", "outcome")

    def __init__(self) -> None:
        self.landed = asyncio.Event()
        self.outcome: Result | GatewayError | None = None


class Cached:
    """Executes calls on `executor`, of the reads that may be kept only those nobody asked yet.

    A tool's answers are kept where it reads and has `cache_seconds`; a success only, and not where
    the upstream says no-store. Equal reads at a time are sent once. A write ends what was kept.
    """

    def __init__(
        self,
        executor: Executor,
        space: Space,
        answers: Answers,
        scope: Callable[[Call], str] = _for_anybody,
    ) -> None:
        """`scope` names whose answer it is, where the upstream's may hang on its caller."""
        self._run = executor.execute
        self._space = space
        self._answers = answers
        self._scope = scope
        self._flights: dict[tuple[Key, int], _Flight] = {}

    def execute(self, call: Call) -> Awaitable[Result]:
        """Run the call, or give a kept answer to it.

        Raises:
            GatewayError: as the executor; UpstreamTimeout where an equal read took too long.
        """
        tool = call.tool
        if tool is not None:
            if tool.risk is not RiskLevel.READ:
                return self._write(call)
            if tool.cache_seconds > 0:
                return self._read(call, tool)
        return self._run(call)

    async def _write(self, call: Call) -> Result:
        sent = True
        try:
            return await self._run(call)
        except UpstreamUnreachable:
            sent = False
            raise
        finally:
            if sent:  # it may have acted, whatever came of it
                self._space.forget()

    async def _read(self, call: Call, tool: Tool) -> Result:
        key = self._key(call, tool)
        # Tools that were compiled anew are not told apart by their names.
        flight_key = key, id(tool)
        while True:
            kept = self._answers.find(key, tool)
            if kept is not None:
                return self._again(call, kept)
            flight = self._flights.get(flight_key)
            if flight is None:
                return await self._fetch(call, tool, key)
            await _wait(flight, call.deadline)
            if isinstance(flight.outcome, GatewayError):
                raise copy.copy(flight.outcome)
            if flight.outcome is not None:
                return self._again(call, Aged(flight.outcome, 0.0))

    async def _fetch(self, call: Call, tool: Tool, key: Key) -> Result:
        flight = self._flights[key, id(tool)] = _Flight()
        self._answers.tally.misses += 1
        try:
            result = flight.outcome = await self._run(call)
        except UpstreamTimeout:
            raise  # its time was up; those who wait have their own
        except GatewayError as failure:
            flight.outcome = failure
            raise
        finally:
            del self._flights[key, id(tool)]
            flight.landed.set()
        if _may_keep(result) and key.epoch == self._space.epoch:
            self._answers.keep(key, tool, result)
        return result

    def _again(self, call: Call, kept: Aged) -> Result:
        self._answers.tally.hits += 1
        result, age = kept.result, round(kept.age_seconds, 1)
        call.notes = {**(call.notes or {}), CACHED_NOTE: age}
        if result.is_error:
            return result
        meta = cast("JsonObject", result.body.get("_meta") or {})
        body = {**result.body, "_meta": {**meta, CACHED_META: {"age_seconds": age}}}
        return msgspec.structs.replace(result, body=body)  # not its own: it is shared

    def _key(self, call: Call, tool: Tool) -> Key:
        given = {**call.arguments, **tool.defaults} if tool.defaults else call.arguments
        space = self._space
        return Key(
            space,
            space.epoch,
            tool.bundle,
            tool.name,
            tool.version,
            self._scope(call),
            _canonical(given),
        )


def _may_keep(result: Result) -> bool:
    return not result.is_error and result.kind is ResultKind.COMPLETE and result.storable


async def _wait(flight: _Flight, deadline: float) -> None:
    left = max(0.0, deadline - time.monotonic()) if deadline else None
    try:
        async with asyncio.timeout(left):
            await flight.landed.wait()
    except TimeoutError:
        raise UpstreamTimeout(
            "The service behind this tool did not answer in time; try again later.",
            private="the deadline passed while an equal read was under way",
        ) from None
