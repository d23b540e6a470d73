"""What changes during a legacy session: its log level, its subscriptions, and whether it has ended.

Who opened a session, and what was agreed on then, is in its sealed id. The rest is here, in the
state all workers share; a worker that forgets it falls back to a session just begun.
"""

from typing import Final

import msgspec

from bascule.gateway.call import Call, Result
from bascule.gateway.errors import InvalidRequest
from bascule.gateway.session import Session
from bascule.gateway.state import StateStore
from bascule.protocol.levels import USUAL_LEVEL

MOST_SUBSCRIPTIONS: Final = 1000
MOST_URI_CHARACTERS: Final = 128 * 1024
"""Of all subscriptions of a session together."""
_ENDED: Final = b"!"

_encode = msgspec.json.Encoder().encode


class Standing(msgspec.Struct, frozen=True):
    """Where a session stands. `subscriptions` are URIs."""

    level: str = USUAL_LEVEL
    subscriptions: tuple[str, ...] = ()


_decode = msgspec.json.Decoder(Standing).decode
_NEW: Final = Standing()


class Standings:
    """The standing of every session, kept for `life_seconds` from its last change."""

    def __init__(self, store: StateStore, life_seconds: float) -> None:
        self._store = store
        self._life_seconds = life_seconds

    async def find(self, session: Session) -> Standing | None:
        """Where `session` stands; None once it has ended."""
        kept = await self._store.get(_key(session))
        if kept is None:
            return _NEW
        return None if kept == _ENDED else _decode(kept)

    async def set_level(self, session: Session, level: str) -> None:
        """From now on, messages of `level` and above are wanted."""
        await self._keep(
            session, msgspec.structs.replace(await self._standing(session), level=level)
        )

    async def subscribe(self, session: Session, uri: str) -> None:
        """Add `uri` to what the session is told about.

        Raises:
            InvalidRequest: there are too many already.
        """
        standing = await self._standing(session)
        if uri in standing.subscriptions:
            return
        if len(standing.subscriptions) >= MOST_SUBSCRIPTIONS:
            raise InvalidRequest(
                f"A session subscribes to at most {MOST_SUBSCRIPTIONS} resources; "
                "unsubscribe from some first."
            )
        uris = (*standing.subscriptions, uri)
        if sum(map(len, uris)) > MOST_URI_CHARACTERS:
            raise InvalidRequest(
                f"The URIs a session subscribes to have at most {MOST_URI_CHARACTERS} characters; "
                "unsubscribe from some first."
            )
        await self._keep(session, msgspec.structs.replace(standing, subscriptions=uris))

    async def unsubscribe(self, session: Session, uri: str) -> None:
        """Take `uri` out again, if it is there."""
        standing = await self._standing(session)
        uris = tuple(one for one in standing.subscriptions if one != uri)
        await self._keep(session, msgspec.structs.replace(standing, subscriptions=uris))

    async def end(self, session: Session) -> bool:
        """End it for all workers; False where it had ended before."""
        if await self.find(session) is None:
            return False
        await self._store.put(_key(session), _ENDED, self._life_seconds)
        return True

    async def _standing(self, session: Session) -> Standing:
        standing = await self.find(session)
        if standing is None:
            raise InvalidRequest("The session has ended.")
        return standing

    async def _keep(self, session: Session, standing: Standing) -> None:
        await self._store.put(_key(session), _encode(standing), self._life_seconds)


class SetLevel:
    """Executes `logging/setLevel`."""

    def __init__(self, standings: Standings) -> None:
        self._standings = standings

    async def execute(self, call: Call) -> Result:
        """Keep the level for the session.

        Raises:
            InvalidRequest: there is no session to keep it for.
        """
        if call.more.session is None:
            raise InvalidRequest("A log level belongs to a session. Begin one with initialize.")
        await self._standings.set_level(call.more.session, call.more.level)
        return Result({})


def _key(session: Session) -> str:
    return f"session:{session.session_id}"
