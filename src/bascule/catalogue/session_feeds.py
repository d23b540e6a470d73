"""What a legacy session hears of: its standing stream, and the resources it subscribed to.

Source: specification 2025-11-25, server/resources "Subscriptions", basic/transports "Listening".
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Final
from weakref import WeakValueDictionary

import msgspec

from bascule.catalogue.feeds import Feeds
from bascule.catalogue.subscriptions import Found
from bascule.gateway.call import Call, Method, Result
from bascule.gateway.errors import ErrorCode, GatewayError, ResourceNotFound
from bascule.gateway.feed import ListenFilter
from bascule.gateway.hub import OpenFeed
from bascule.gateway.inventory import Target
from bascule.gateway.session import Session
from bascule.gateway.sessions import Standings

_LISTS: Final = ListenFilter(
    tools_list_changed=True, prompts_list_changed=True, resources_list_changed=True
)


class SessionRequired(GatewayError):
    """The method means nothing outside a session."""

    error = ErrorCode.SESSION_REQUIRED


class SessionFeeds:
    """Executes STREAM, SUBSCRIBE and UNSUBSCRIBE.

    What a session subscribed to is part of its standing, so that it holds for whichever stream
    the client opens, here or at another process.
    """

    def __init__(self, feeds: Feeds, standings: Standings) -> None:
        self._feeds = feeds
        self._standings = standings
        self._streams: dict[str, OpenFeed] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._streams)

    async def execute(self, call: Call) -> Result:
        """Open the session's stream, or change what it hears of.

        Raises:
            SessionRequired: the call belongs to no session.
            ResourceNotFound: the resource does not exist for this caller.
            InvalidRequest: the session has as many subscriptions as it may, or has ended.
        """
        session = call.more.session
        if session is None:
            raise SessionRequired(
                "This needs a session: send initialize first, and its Mcp-Session-Id with this."
            )
        async with self._lock(session):
            if call.method is Method.STREAM:
                return Result({}, feed=await self._stream(call, session))
            if call.method is Method.SUBSCRIBE:
                await self._subscribe(call, session)
            else:
                await self._unsubscribe(call.more.uri, session)
            return Result({})

    def end(self, session_id: str) -> None:
        """The session is over: end its stream, if it has one here."""
        stream = self._streams.pop(session_id, None)
        if stream is not None:
            stream.end()

    async def _stream(self, call: Call, session: Session) -> OpenFeed:
        # Each message goes to one stream, and the client reads the newest.
        self.end(session.session_id)
        standing = await self._standings.find(session)
        uris = () if standing is None else standing.subscriptions
        wanted = msgspec.structs.replace(_LISTS, resource_subscriptions=uris)
        forget = partial(self._forget, session.session_id)
        feed = await self._feeds.open(call, wanted, forget)
        if not feed.is_ended:
            self._streams[session.session_id] = feed
        return feed

    async def _subscribe(self, call: Call, session: Session) -> None:
        target = await self._target(call)
        await self._standings.subscribe(session, call.more.uri)
        stream = self._streams.get(session.session_id)
        if stream is not None:
            await self._feeds.widen(stream, Found(call.more.uri, target))

    async def _unsubscribe(self, uri: str, session: Session) -> None:
        await self._standings.unsubscribe(session, uri)
        stream = self._streams.get(session.session_id)
        if stream is not None:
            self._feeds.narrow(stream, uri)

    async def _target(self, call: Call) -> Target:
        target = call.target or await self._feeds.rights.readable(call, call.more.uri)
        if target is None:
            raise ResourceNotFound(
                "No such resource for you. resources/list names those you may read.",
                private="subscription to a resource out of reach",
                details={"uri": call.more.uri},
            )
        return target

    def _forget(self, session_id: str, feed: OpenFeed) -> None:
        if self._streams.get(session_id) is feed:
            del self._streams[session_id]

    def _lock(self, session: Session) -> AbstractAsyncContextManager[None]:
        """One change of a session at a time; the lock lives as long as somebody holds it."""
        return self._locks.setdefault(session.session_id, asyncio.Lock())
