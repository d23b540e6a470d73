"""Whose turn it is: tenants take turns by the time that their work takes, not by its pieces."""

from collections import deque
from collections.abc import Mapping
from typing import Final, Generic, TypeVar

Work = TypeVar("Work")

_MOST_REMEMBERED: Final = 4096


class Turns(Generic[Work]):
    """Work that waits, by tenant. Next is the tenant that has used the least time so far.

    Who comes anew, or again, begins where the last one served stands: idleness saves up nothing.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Work]] = {}
        self._used: dict[str, float] = {}
        self._floor = 0.0

    def __len__(self) -> int:
        return sum(len(one) for one in self._waiting.values())

    def add(self, tenant: str, work: Work) -> None:
        """Let `work` wait for its turn, behind what `tenant` has waiting."""
        if tenant not in self._waiting:
            self._waiting[tenant] = deque()
            self._used[tenant] = max(self._used.get(tenant, 0.0), self._floor)
        self._waiting[tenant].append(work)

    def add_first(self, tenant: str, work: Work) -> None:
        """As `add`, but before what `tenant` has waiting."""
        self.add(tenant, work)
        self._waiting[tenant].rotate(1)

    def withdraw(self, tenant: str, work: Work) -> None:
        """Take back what nobody waits for any more; without effect where its turn has come."""
        queue = self._waiting.get(tenant)
        if queue is not None and work in queue:
            queue.remove(work)
            self._tidy(tenant)

    def take(self, busy: Mapping[str, int], most: int) -> tuple[str, Work] | None:
        """What is to be done next; of no tenant that is `busy` with `most` pieces of work."""
        tenants = [one for one in self._waiting if busy.get(one, 0) < most]
        if not tenants:
            return None
        tenant = min(tenants, key=self._used.__getitem__)
        self._floor = max(self._floor, self._used[tenant])
        work = self._waiting[tenant].popleft()
        self._tidy(tenant)
        return tenant, work

    def charge(self, tenant: str, seconds: float) -> None:
        """Note that work of `tenant` took so long."""
        self._used[tenant] = max(self._used.get(tenant, 0.0), self._floor) + seconds
        if len(self._used) > _MOST_REMEMBERED:
            self._forget()

    def drain(self) -> list[Work]:
        """All that waits, which is then no longer kept."""
        waiting = [work for queue in self._waiting.values() for work in queue]
        self._waiting.clear()
        return waiting

    def _tidy(self, tenant: str) -> None:
        if not self._waiting[tenant]:
            del self._waiting[tenant]

    def _forget(self) -> None:
        """Keep account of who is owed something only, and of the heavier half of the rest."""
        idle = sorted((used, one) for one, used in self._used.items() if one not in self._waiting)
        for _, tenant in idle[: len(idle) // 2]:
            del self._used[tenant]
