"""The legacy sessions at one HTTP server: one for each caller, so that callers share no state."""

import asyncio
import time
from collections import OrderedDict

import msgspec

from bascule.upstreams.mcp.failures import failed, timed_out
from bascule.upstreams.mcp.legacy import LegacyHttp, Session, SessionLost
from bascule.upstreams.mcp.messages import Outgoing


class _Slot:
    """The session of one caller, while it is opened and used."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self.opening = asyncio.Lock()
        self.users = 0


class LegacySessions:
    """Keeps at most `max_sessions`, less those in use; the one used longest ago goes first."""

    def __init__(self, http: LegacyHttp, name: str, max_sessions: int) -> None:
        self._http = http
        self._name = name
        self._max_sessions = max_sessions
        self._slots: OrderedDict[str, _Slot] = OrderedDict()

    def __len__(self) -> int:
        return len(self._slots)

    async def exchange(self, request: Outgoing, deadline: float) -> msgspec.Raw | bytes:
        """Send `request` in the session of its caller; opens one, and anew where it was lost.

        Raises:
            EraMismatch, GatewayError: as `LegacyHttp.initialize` and `LegacyHttp.exchange`.
        """
        slot = await self._slot(request.caller)
        slot.users += 1
        try:
            session = await self._session(slot, deadline)
            try:
                return await self._http.exchange(session, request, deadline)
            except SessionLost:
                if slot.session is session:
                    slot.session = None
            session = await self._session(slot, deadline)
            try:
                return await self._http.exchange(session, request, deadline)
            except SessionLost:
                slot.session = None
                raise failed(self._name, "it forgets each session it just opened") from None
        finally:
            slot.users -= 1

    async def close(self) -> None:
        """End every session."""
        slots, self._slots = self._slots, OrderedDict()
        for slot in slots.values():
            if slot.session is not None:
                await self._http.end(slot.session)

    async def _slot(self, caller: str) -> _Slot:
        slot = self._slots.get(caller)
        if slot is not None:
            self._slots.move_to_end(caller)
            return slot
        slot = self._slots[caller] = _Slot()
        await self._evict(slot)
        return slot

    async def _evict(self, newest: _Slot) -> None:
        if len(self._slots) <= self._max_sessions:
            return
        for caller, slot in self._slots.items():
            if slot.users == 0 and slot is not newest:
                del self._slots[caller]
                if slot.session is not None:
                    await self._http.end(slot.session)
                return

    async def _session(self, slot: _Slot, deadline: float) -> Session:
        if slot.session is not None:
            return slot.session
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                await slot.opening.acquire()
        except TimeoutError:
            raise timed_out(self._name, "waiting for its handshake", sent=False) from None
        try:
            if slot.session is None:
                slot.session = await self._http.initialize(deadline)
            return slot.session
        finally:
            slot.opening.release()
