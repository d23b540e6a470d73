"""What a person can do in a conversation: the one way in, for REST and whatever else comes."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from bascule.chat.events import Event
from bascule.chat.parts import Choice, JsonObject, Message
from bascule.chat.store import Store
from bascule.gateway.principal import Principal


@dataclass(frozen=True, slots=True)
class Person:
    """Who talks. `standing` judges them anew, for each step of a turn that may last for minutes.

    It raises `GatewayError` where they are not let in any more. `zone` is an IANA name.
    """

    standing: Callable[[], Principal]
    store: Store
    zone: str = "UTC"


class Sent(NamedTuple):
    """What was kept of a message, and the answer that is being made."""

    message: Message
    answer: Message


class Numbered(NamedTuple):
    """An event and its number within its message."""

    number: int
    event: Event


class Desk(Protocol):
    """Takes messages and answers, and runs turns, each in a task of its own.

    A turn goes on when nobody listens. At most one runs in a branch of a conversation.

    Raises:
        NotFound: no such conversation, message or call of this person.
        Conflict: it does not fit how the message stands; says how it does.
        InvalidArgument: text too long, or an answer that its schema does not allow.
        GatewayError: `E2016` where too many turns of the person or the tenant run already.
    """

    async def send(
        self, person: Person, conversation_id: str, text: str, *, after: str | None = None
    ) -> Sent:
        """Take a message. `after`: the message it follows, "" for none; None: the head."""
        ...

    async def retry(self, person: Person, message_id: str) -> Message:
        """Make another answer beside `message_id`, to the same message."""
        ...

    async def stop(self, person: Person, message_id: str) -> Message:
        """End the turn, and cancel its calls."""
        ...

    async def decide(
        self,
        person: Person,
        message_id: str,
        call_id: str,
        choice: Choice,
        *,
        arguments: JsonObject | None = None,
        reason: str = "",
    ) -> Message:
        """Say whether a call is made; with `arguments`, with those instead of the model's."""
        ...

    async def answer(
        self, person: Person, message_id: str, call_id: str, answers: JsonObject
    ) -> Message:
        """Answer the questions of a call: `ElicitResult` by the id of the question."""
        ...

    async def proceed(self, person: Person, message_id: str, call_id: str) -> Message:
        """Make a call again that waited for an elevation or an account."""
        ...

    def listen(
        self, person: Person, message_id: str, *, since: int | None = None
    ) -> AsyncIterator[Numbered]:
        """The events of an answer, after number `since`, up to its `Ended`; then no more.

        Takes up a turn that was interrupted. Closing the iterator ends nothing but the listening.
        """
        ...

    async def aclose(self) -> None:
        """End all turns, so that whoever listens later takes them up again."""
        ...
