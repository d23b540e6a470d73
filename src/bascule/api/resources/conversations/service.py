"""Between the desk of the assistant and the REST API."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeVar
from uuid import UUID, uuid4

import msgspec

from bascule.api.assistant import Assistant
from bascule.api.caller import Caller
from bascule.api.chat_store import ConversationStore, said, told, words_of
from bascule.api.chat_wire import MOST_LEVELS, is_deep, plain
from bascule.api.chatting import owner_of, person_of
from bascule.api.control import Control
from bascule.api.resources.conversations import schemas
from bascule.api.resources.conversations.messages import ChatMessage
from bascule.chat.desk import Numbered, Person, Sent
from bascule.chat.parts import JsonObject, Message, MessageStatus, Role, text_of
from bascule.chat.showing import as_of
from bascule.chat.store import Conversation
from bascule.gateway.errors import Conflict, Forbidden, GatewayError, InvalidValue
from bascule.storage.repositories.chat_messages import no_message
from bascule.storage.repositories.conversations import ConversationChanges

_Sent = TypeVar("_Sent", bound=JsonObject | None)
_SNIPPET_BEFORE: Final = 40
_SNIPPET_CHARACTERS: Final = 160


@dataclass(frozen=True, slots=True)
class Seat:
    """Who makes a request of this resource, and from which time zone (IANA)."""

    control: Control
    assistant: Assistant
    caller: Caller
    zone: str = "UTC"

    @property
    def store(self) -> ConversationStore:
        """The conversations of who sits here."""
        principal = owner_of(self.caller)
        return ConversationStore(self.control.database, principal.tenant, principal.owner)

    def person(self, idempotency_key: str | None = None) -> Person:
        """Who sits here, as the desk knows them."""
        return person_of(self.control, self.caller, zone=self.zone, idempotency_key=idempotency_key)


def config(seat: Seat) -> schemas.ChatConfig:
    """What a page needs before the first message."""
    assistant = seat.assistant
    look, card = assistant.look, assistant.card
    theme = schemas.ChatTheme(name=look.theme, colors=look.colours)
    return schemas.ChatConfig(
        name=look.name,
        model=schemas.ChatModel(
            id=card.id,
            provider=card.provider,
            label=card.label,
            is_language_model=card.is_language_model,
            note=card.note,
            limits=card.limits,
        ),
        greeting=look.greeting,
        quick_actions=[
            schemas.QuickAction(id=one.id, label=one.label, prompt=one.prompt)
            for one in look.quick_actions
        ],
        theme=theme if look.theme or look.colours else None,
        person=schemas.ChatPerson(name=_name_of(seat.caller)),
        limits=schemas.ChatBounds(
            text_characters=assistant.text_characters,
            approval_seconds=assistant.approval_seconds,
        ),
    )


async def listed(seat: Seat, search: str, page: int, limit: int) -> schemas.ConversationList:
    """A page of the conversations that a search finds."""
    async with seat.store.read() as (conversations, _):
        found = await conversations.list(search, page, limit)
    return schemas.ConversationList(
        conversations=[
            shown(told(one.conversation), _snippet(one.parts, search)) for one in found.items
        ],
        total=found.total,
        page=found.page,
        limit=found.limit,
    )


async def begin(seat: Seat, title: str) -> schemas.Conversation:
    """A conversation without messages."""
    async with seat.store.write() as (conversations, _):
        made = await conversations.create(uuid4(), title.strip(), datetime.now(UTC))
    return shown(told(made))


async def detail(seat: Seat, conversation_id: UUID) -> schemas.ConversationDetail:
    """A conversation with all that was said in it."""
    conversation, messages = await whole(seat, conversation_id)
    return schemas.ConversationDetail(
        conversation=shown(conversation),
        messages=[shown_message(one) for one in messages],
        head_id=conversation.head_id,
    )


async def branch(seat: Seat, conversation_id: UUID) -> list[Message]:
    """What is shown of a conversation."""
    async with seat.store.read() as (conversations, messages):
        head = (await conversations.get(conversation_id)).head_id
        found = () if head is None else await messages.branch(conversation_id, head)
    return [as_of(said(one), time.time()) for one in found]


async def change(
    seat: Seat, conversation_id: UUID, wanted: schemas.ConversationChange
) -> schemas.Conversation:
    """A conversation as it is changed."""
    title = None if wanted.title is None else wanted.title.strip()
    changes = ConversationChanges(title, wanted.is_pinned, wanted.head_id)
    async with seat.store.write() as (conversations, _):
        return shown(told(await conversations.change(conversation_id, changes)))


async def delete(seat: Seat, conversation_id: UUID) -> None:
    """Put a conversation away; what is being answered in it is stopped first."""
    conversation, messages = await whole(seat, conversation_id)
    for one in messages:
        if one.status is MessageStatus.RUNNING:
            await _stop_quietly(seat, one)
    async with seat.store.write() as (conversations, _):
        await conversations.delete(UUID(conversation.id), datetime.now(UTC))


async def restore(seat: Seat, conversation_id: UUID) -> schemas.Conversation:
    """A conversation, there again."""
    async with seat.store.write() as (conversations, _):
        return shown(told(await conversations.restore(conversation_id)))


async def send(
    seat: Seat, conversation_id: UUID, wanted: schemas.MessageNew, key: str | None
) -> tuple[Sent, bool]:
    """Keep a message and have it answered; True where it was sent before with that key.

    Raises:
        Conflict: the key was used for another message; or as `Desk.send`.
        GatewayError: as `Desk.send`.
    """
    principal = owner_of(seat.caller)
    place = f"{principal.tenant}|{principal.owner}|{conversation_id}|{key or uuid4()}"
    async with seat.assistant.lock(place):
        before = None if key is None else await _sent(seat, conversation_id, wanted, key)
        if before is not None:
            return before, True
        person = seat.person(key)
        desk, conversation = seat.assistant.desk, str(conversation_id)
        try:
            made = await desk.send(person, conversation, wanted.text, after=wanted.after)
        except Conflict:  # another process may have been quicker
            before = None if key is None else await _sent(seat, conversation_id, wanted, key)
            if before is None:
                raise
            return before, True
    return made, False


def must_be_the_person(seat: Seat) -> None:
    """Raise `Forbidden` where software acts for the person: it does not agree to its own calls."""
    agent = seat.caller.principal.agent
    if agent is not None:
        raise Forbidden(
            f"The software {agent[:100]} acts for you here, and cannot agree in your place. "
            "Sign in, and agree yourself."
        )


async def message_in(seat: Seat, conversation_id: UUID, message_id: str) -> Message:
    """A message, if it is in that conversation.

    Raises:
        NotFound: it is not.
    """
    found = await seat.store.message(message_id)
    if found.conversation_id != str(conversation_id):
        raise no_message()
    return found


def listen(seat: Seat, message_id: str, since: int | None) -> AsyncIterator[Numbered]:
    """The events of an answer."""
    return seat.assistant.desk.listen(seat.person(), message_id, since=since)


def answers_of(answers: schemas.QuestionAnswers) -> JsonObject:
    """Answers as the desk takes them: `ElicitResult` by question."""
    return sound({one: said.model_dump(exclude_none=True) for one, said in answers.answers.items()})


def sound(value: _Sent) -> _Sent:
    """`value`, which can be stored, sent on and shown, and is then what it is now.

    Raises:
        InvalidValue: it holds half a character or a number that JSON has not, or is too deep.
    """
    if is_deep(value):
        raise InvalidValue(f"The body is nested too deep. Use at most {MOST_LEVELS} levels.")
    try:
        encoded = msgspec.json.encode(value)
    except UnicodeEncodeError:
        raise InvalidValue("The body holds text that is not valid Unicode.") from None
    # The numbers of Python's reader that JSON has not would be checked as such, and sent as null.
    if msgspec.json.decode(encoded) != value:
        raise InvalidValue("The body holds a number that JSON does not have, such as NaN or 1e999.")
    return value


async def whole(seat: Seat, conversation_id: UUID) -> tuple[Conversation, list[Message]]:
    """A conversation, and its messages in all branches."""
    async with seat.store.read() as (conversations, messages):
        conversation = told(await conversations.get(conversation_id))
        found = await messages.messages(conversation_id)
    return conversation, [as_of(said(one), time.time()) for one in found]


async def _stop_quietly(seat: Seat, message: Message) -> None:
    """Stop an answer, unless it has just ended."""
    try:
        await seat.assistant.desk.stop(seat.person(), message.id)
    except GatewayError:
        return


async def _sent(
    seat: Seat, conversation_id: UUID, wanted: schemas.MessageNew, key: str
) -> Sent | None:
    """What was sent before with `key`, and its latest answer."""
    async with seat.store.read() as (_, messages):
        found = await messages.sent(conversation_id, key)
        if found is None:
            return None
        everything = [said(one) for one in await messages.messages(conversation_id)]
    message = said(found)
    is_elsewhere = wanted.after is not None and wanted.after != (message.parent_id or "")
    if is_elsewhere or text_of(message) != wanted.text.strip():
        raise Conflict(
            "This Idempotency-Key came with another message before. Use a new one for each.",
            details={"field": "Idempotency-Key"},
        )
    answers = [
        one for one in everything if one.parent_id == found.id and one.role is Role.ASSISTANT
    ]
    if answers:
        return Sent(message, answers[-1])
    # The process ended between the two.
    return Sent(message, await seat.assistant.desk.retry(seat.person(), message.id))


def shown(conversation: Conversation, snippet: str | None = None) -> schemas.Conversation:
    """A conversation as the API shows it."""
    return schemas.Conversation(
        id=conversation.id,
        title=conversation.title,
        created_at=conversation.created_at,
        updated_at=conversation.updated_at,
        is_pinned=conversation.is_pinned,
        head_id=conversation.head_id,
        allowed=conversation.allowed,
        snippet=snippet,
    )


def shown_message(message: Message) -> ChatMessage:
    """A message as the API shows it."""
    return ChatMessage.model_validate(plain(message))


def _name_of(caller: Caller) -> str:
    evidence = caller.principal.evidence
    return (evidence.display if evidence else "") or caller.subject


def _snippet(parts: str | None, search: str) -> str | None:
    """Some text around the first word that was looked for."""
    if parts is None:
        return None
    text = " ".join(words_of(parts).split())
    lowered = text.casefold()
    places = [at for word in search.casefold().split() if (at := lowered.find(word)) >= 0]
    start = max(0, min(places, default=0) - _SNIPPET_BEFORE)
    end = start + _SNIPPET_CHARACTERS
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
