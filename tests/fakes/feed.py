"""A feed that gives out what it is given."""

import asyncio

from bascule.gateway.backchannel import Notification
from bascule.gateway.feed import ListenFilter


class FakeFeed:
    """Gives `notes`, then what is put in; `closed` counts how often it was closed."""

    def __init__(self, *notes: Notification, granted: ListenFilter | None = None) -> None:
        self.granted = granted or ListenFilter(tools_list_changed=True)
        self.closed = 0
        self._notes: asyncio.Queue[Notification | None] = asyncio.Queue()
        for note in notes:
            self._notes.put_nowait(note)

    def put(self, note: Notification | None) -> None:
        """Tell something; None ends the feed."""
        self._notes.put_nowait(note)

    async def next(self) -> Notification | None:
        """What comes next."""
        return await self._notes.get()

    async def close(self) -> None:
        """Count."""
        self.closed += 1
