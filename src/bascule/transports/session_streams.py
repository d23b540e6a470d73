"""What a legacy client opens with GET: its session's own stream, or a broken one taken up again.

Source: specification 2025-11-25, basic/transports "Listening for Messages from the Server".
"""

from contextlib import aclosing

from bascule.gateway.call import Call
from bascule.gateway.errors import ErrorCode
from bascule.gateway.feed import Feed
from bascule.gateway.session import Session
from bascule.gateway.verdict import Refuse
from bascule.transports.backchannels import EventStream, is_primed
from bascule.transports.event_log import EventLog, Place, follow, kept_after, read_place
from bascule.transports.listening import Listening, send_feed
from bascule.transports.outlet import Outlet
from bascule.transports.sessions import Sessions
from bascule.transports.sse import KeepAlive


class SessionStreams:
    """Serves the streams of sessions that no POST of their clients waits for."""

    def __init__(self, sessions: Sessions, keep_alive: KeepAlive, listening: Listening) -> None:
        self._sessions = sessions
        self._keep_alive = keep_alive
        self._listening = listening

    async def serve(
        self,
        call: Call,
        session: Session,
        last_event_id: bytes | None,
        feed: Feed | None,
        outlet: Outlet,
    ) -> Refuse | None:
        """Serve until the stream ends; or give the reason why it cannot be opened.

        `feed` is closed in any case.
        """
        try:
            place = None
            if last_event_id is not None:
                place = await self._find(session, last_event_id)
                if place is None:
                    return _CANNOT_RESUME
            if place is not None and not place.is_standalone:
                await self._resume(call, session, place, outlet)
                return None
            if not self._sessions.has_room:
                return _NO_ROOM
            await self._standalone(call, session, place, feed, outlet)
            return None
        finally:
            if feed is not None:
                await feed.close()

    async def _find(self, session: Session, last_event_id: bytes) -> Place | None:
        place = read_place(last_event_id.decode("latin-1"))
        if place is None:
            return None
        kept = await kept_after(self._sessions.store, session.session_id, place)
        return None if kept is None else place

    async def _resume(self, call: Call, session: Session, place: Place, outlet: Outlet) -> None:
        """Send what the stream of a call has had since, and what it will have."""
        stream = EventStream(outlet, self._keep_alive, call.correlation_id)
        try:
            stream.open()
            missed = follow(self._sessions.store, session.session_id, place)
            async with self._listening.endable(), aclosing(missed) as events:
                async for event in events:
                    stream.replay(event)
                    await stream.drained()
        finally:
            stream.end()

    async def _standalone(
        self, call: Call, session: Session, place: Place | None, feed: Feed | None, outlet: Outlet
    ) -> None:
        """Send what concerns the session; first, what got lost where the stream broke before."""
        stream = new_stream(
            self._sessions, session, call, outlet, self._keep_alive, standalone=True
        )
        try:
            stream.open()
            if place is not None:
                kept = await kept_after(self._sessions.store, session.session_id, place)
                for event in kept or []:
                    stream.replay(event)
            async with self._listening.endable() as end:
                await self._sessions.take_stream(session, end)
                try:
                    await send_feed(feed, stream)
                finally:
                    self._sessions.leave_stream(session, end)
        finally:
            stream.end()


def new_stream(
    sessions: Sessions,
    session: Session,
    call: Call,
    outlet: Outlet,
    keep_alive: KeepAlive,
    *,
    standalone: bool = False,
) -> EventStream:
    """A stream that its client can take up again."""

    def new_log() -> EventLog:
        return EventLog(sessions.store, session.session_id, standalone=standalone)

    primed = is_primed(session.version)
    return EventStream(outlet, keep_alive, call.correlation_id, new_log=new_log, primed=primed)


_CANNOT_RESUME = Refuse(
    ErrorCode.INVALID_REQUEST,
    "This Last-Event-ID cannot be resumed after. Open a new stream without it.",
    "no such event in this session, or not any longer",
)
_NO_ROOM = Refuse(
    ErrorCode.UNAVAILABLE,
    "As many streams are open here as there may be. Try again later.",
    "the bound of open streams is reached",
)
