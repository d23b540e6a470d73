"""The assistant as the REST API has it: the desk, and how it looks to whoever sits before it."""

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import ClassVar, Final
from weakref import WeakKeyDictionary, WeakValueDictionary

from bascule.chat.desk import Desk
from bascule.chat.models import ModelCard
from bascule.chat.toolbox import Toolbox
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.gateway.principal import Principal

_peer: Final[ContextVar[str]] = ContextVar("bascule.chat.peer", default="")


@dataclass(frozen=True, slots=True)
class QuickAction:
    """Something to begin with: `prompt` is written for the person, who may change it."""

    id: str
    label: str
    prompt: str


@dataclass(frozen=True, slots=True)
class Look:
    """How the chat looks, and how it greets. `colours` are CSS colours by what they are for."""

    name: str = "Assistant"
    greeting: str = ""
    quick_actions: Sequence[QuickAction] = ()
    theme: str = ""
    colours: dict[str, str] = field(default_factory=dict[str, str])


def note_peer(address: str) -> None:
    """Keep from where the request under way came: rules may ask it of the calls it leads to.

    It holds for the task of the request, and for the tasks begun in it, such as a turn. Where
    else the person looks in from meanwhile changes nothing: with a stolen key one could wait for
    its owner to be where the rules want them.
    """
    _peer.set(address)


def peer() -> str:
    """From where the request came that this is done for; "" for nowhere."""
    return _peer.get()


class TooManyReaders(GatewayError):
    """Somebody reads as many answers at the same time as anybody may."""

    error: ClassVar[ErrorCode] = ErrorCode.RATE_LIMITED


class Reading:
    """A stream that somebody reads; over once nothing holds it any more."""

    __slots__ = ("__weakref__",)


class Readers:
    """Counts the streams that are open, by who reads them: each holds a connection."""

    def __init__(self, most: int = 32) -> None:
        """`most` streams of one owner, in this process."""
        self._most = most
        self._open: WeakKeyDictionary[Reading, tuple[str, str]] = WeakKeyDictionary()

    def enter(self, principal: Principal) -> Reading:
        """Begin to read; to be held as long as the stream is open.

        Raises:
            TooManyReaders: the owner has too many streams open.
        """
        who = principal.tenant, principal.owner
        if sum(1 for one in self._open.values() if one == who) >= self._most:
            raise TooManyReaders(
                f"You read {self._most} answers at the same time already. Close some of them."
            )
        reading = Reading()
        self._open[reading] = who
        return reading


@dataclass(frozen=True, slots=True)
class Assistant:
    """What conversations need. `is_closing` is set when streams must end, so that a process can.

    Without a word for `heartbeat_seconds`, a stream sends a comment.
    """

    desk: Desk
    toolbox: Toolbox
    card: ModelCard
    look: Look = field(default_factory=Look)
    text_characters: int = 16_000
    approval_seconds: float = 900.0
    heartbeat_seconds: float = 15.0
    readers: Readers = field(default_factory=Readers)
    is_closing: asyncio.Event = field(default_factory=asyncio.Event)
    _locks: WeakValueDictionary[str, asyncio.Lock] = field(
        default_factory=WeakValueDictionary[str, asyncio.Lock]
    )

    def lock(self, what: str) -> asyncio.Lock:
        """One for all who want to do `what` at the same time."""
        return self._locks.setdefault(what, asyncio.Lock())
