"""One caller's subscription: what it was found to be about, and what it may hear at the moment."""

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from bascule.catalogue.rights import Lease, Rights
from bascule.gateway.backchannel import Notification
from bascule.gateway.call import Endpoint
from bascule.gateway.feed import Change, ChangeKind
from bascule.gateway.filters import LISTS, Topic
from bascule.gateway.inventory import ItemKind, Target
from bascule.gateway.principal import Principal
from bascule.gateway.tasks import renamed

_encode = msgspec.json.encode
_NO_PARAMS: Final = b"{}"


class Found(NamedTuple):
    """A resource or task that a caller calls `name`."""

    name: str
    target: Target

    @property
    def topic(self) -> Topic:
        """What its changes are published under."""
        is_task = self.target.kind is ItemKind.TASK
        return (ChangeKind.TASK if is_task else ChangeKind.RESOURCE, self.target.inner)


class Subscription:
    """Judges each change by the rights in force when it happens, not by those of the beginning."""

    def __init__(
        self, rights: Callable[[], Rights], principal: Principal, endpoint: Endpoint
    ) -> None:
        self._rights = rights
        self.endpoint = endpoint
        self.principal = principal
        self._found: dict[tuple[str, Topic], Found] = {}
        self._leases: dict[tuple[str, str], Lease] = {}
        self._seen = {kind: rights().visible(principal, endpoint, kind) for kind in LISTS}

    def find(self, found: Found) -> None:
        """Be about this as well."""
        self._found[found.target.upstream, found.topic] = found

    def lose(self, name: str) -> list[Topic]:
        """Be about what the caller calls `name` no more; gives the topics nobody here wants now."""
        lost = [key for key, found in self._found.items() if found.name == name]
        for upstream, topic in lost:
            del self._found[upstream, topic]
            self._release((upstream, name))
        left = {topic for _, topic in self._found}
        return [topic for _, topic in lost if topic not in left]

    def hold(self, upstream: str, name: str, lease: Lease) -> None:
        """Keep `lease` at `upstream` until `name` is lost, or everything is released.

        An empty `name` is for what was agreed on at the beginning.
        """
        self._release((upstream, name))
        self._leases[upstream, name] = lease

    def release_all(self) -> None:
        """Let go of everything that is held at upstreams."""
        for key in tuple(self._leases):
            self._release(key)

    def _release(self, key: tuple[str, str]) -> None:
        lease = self._leases.pop(key, None)
        if lease is not None:
            lease.release()

    def stands(self) -> bool:
        """Whether the caller and the slice still exist; takes in what the caller's rights are."""
        rights = self._rights()
        principal = rights.current(self.principal)
        if principal is None or not rights.serves(principal, self.endpoint):
            return False
        self.principal = principal
        return True

    def accepts(self, change: Change) -> Notification | None:
        """The change in the caller's terms; None where it is not the caller's to hear of."""
        if change.key:
            return self._of_one(change)
        rights = self._rights()
        if change.upstream:
            if change.upstream in rights.upstreams(self.principal, self.endpoint):
                return Notification(change.kind, _NO_PARAMS)
            return None
        seen = rights.visible(self.principal, self.endpoint, change.kind)
        if seen == self._seen[change.kind]:
            return None
        self._seen[change.kind] = seen
        return Notification(change.kind, _NO_PARAMS)

    def _of_one(self, change: Change) -> Notification | None:
        found = self._found.get((change.upstream, (change.kind, change.key)))
        if found is None or not self._rights().may(self.principal, found.target):
            return None
        if change.kind is ChangeKind.RESOURCE:
            return Notification(change.kind, _encode({"uri": found.name}))
        params = renamed(change.params, found.name)
        return None if params is None else Notification(change.kind, params)
