"""Whom a message on a shared channel concerns: the exchanges under way, and the subscribers.

A notification or request of a server names no request of ours; only progress has a token.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, NamedTuple

import msgspec

from bascule.protocol.messages import SUBSCRIPTION_KEY
from bascule.upstreams.mcp.asking import Questions
from bascule.upstreams.mcp.hooks import Hooks, OnNote
from bascule.upstreams.mcp.messages import Incoming

_PROGRESS: Final = "notifications/progress"
_LOG: Final = "notifications/message"


class _Meta(msgspec.Struct):
    subscription: int | float | str | None = msgspec.field(default=None, name=SUBSCRIPTION_KEY)


class _Params(msgspec.Struct):
    token: int | float | str | None = msgspec.field(default=None, name="progressToken")
    meta: _Meta | None = msgspec.field(default=None, name="_meta")


_NOTHING: Final = _Params()
_decode_params = msgspec.json.Decoder(_Params).decode


class Party(NamedTuple):
    """An exchange under way, as far as messages besides its response concern it."""

    token: str | None
    hooks: Hooks | None
    questions: Questions | None = None


class Routing:
    """The parties of one channel. A private one carries the exchanges of a single caller."""

    def __init__(self, *, is_private: bool) -> None:
        self._is_private = is_private
        self._parties: list[Party] = []
        self._subscribers: list[OnNote] = []
        self._subscriptions: dict[str, OnNote] = {}

    @contextmanager
    def join(self, party: Party) -> Generator[None]:
        """Route to `party` for as long as the block lasts."""
        self._parties.append(party)
        try:
            yield
        finally:
            self._parties.remove(party)

    @contextmanager
    def subscribe(self, on_note: OnNote, subscription: str | None = None) -> Generator[None]:
        """Give `on_note` the changes a server tells: those of one `subscription`, or all."""
        if subscription is not None:
            self._subscriptions[subscription] = on_note
        else:
            self._subscribers.append(on_note)
        try:
            yield
        finally:
            if subscription is not None:
                del self._subscriptions[subscription]
            else:
                self._subscribers.remove(on_note)

    def take_note(self, note: Incoming) -> None:
        """Pass a notification to those it concerns; one that concerns nobody is dropped."""
        if note.method == _PROGRESS:
            self._take_progress(note)
        elif note.method == _LOG:
            self._take_log(note)
        else:
            self._take_change(note)

    def take_request(self, request: Incoming) -> bool:
        """Put a request to the one exchange it can be about; False where that is not clear.

        An exchange that waits for an answer is not the one that asks anew, unless it asked just
        now: several questions of one call come together.
        """
        asking = [party.questions for party in self._parties]
        if len(asking) > 1:
            quiet = [one for one in asking if one is None or not one.is_open]
            asking = quiet or [one for one in asking if one is not None and one.asked_just_now]
        if len(asking) != 1 or asking[0] is None:
            return False
        asking[0].take(request)
        return True

    def _take_progress(self, note: Incoming) -> None:
        token = _read(note).token
        for party in self._parties:
            if party.hooks is not None and token is not None and party.token == token:
                party.hooks.on_note(note)
                return

    def _take_log(self, note: Incoming) -> None:
        # Between callers, a message whose origin is not certain would tell one about the other.
        if not self._is_private and len(self._parties) != 1:
            return
        for party in self._parties:
            if party.hooks is not None:
                party.hooks.on_note(note)
                return

    def _take_change(self, note: Incoming) -> None:
        for subscriber in tuple(self._subscribers):
            subscriber(note)
        if self._subscriptions:
            meta = _read(note).meta
            key = None if meta is None else meta.subscription
            subscriber = self._subscriptions.get(key) if isinstance(key, str) else None
            if subscriber is not None:
                subscriber(note)


def _read(note: Incoming) -> _Params:
    if not isinstance(note.params, msgspec.Raw):
        return _NOTHING
    try:
        return _decode_params(note.params)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _NOTHING
