"""`/api/chat`: the assistant, and the conversations of whoever asks."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from starlette.responses import JSONResponse, StreamingResponse

from bascule.api.access import ControlPlane, permitted
from bascule.api.assistant import Reading, note_peer
from bascule.api.caller import Caller
from bascule.api.chat_wire import SSE_HEADERS, streamed
from bascule.api.chatting import TALKING, assistant_of, owner_of
from bascule.api.resources.conversations import exporting, offering, schemas, service
from bascule.api.resources.conversations.messages import ChatEvent, ChatMessage
from bascule.api.resources.conversations.service import Seat
from bascule.chat.desk import Numbered
from bascule.chat.events import Accepted
from bascule.chat.parts import Choice
from bascule.chat.showing import shown
from bascule.gateway.errors import InvalidValue

router = APIRouter(prefix="/api/chat", tags=["chat"])


class EventStream(JSONResponse):
    """How a stream is described: events whose `data` is JSON. What is sent is no such thing."""

    media_type = "text/event-stream"


# As for all routes, but said again: a model alone would be described as events, too.
_ERROR: Final = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}
_EVENTS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Events as they happen, up to `end`: `event` is the type, `data` the JSON "
        "below, `id` a number that rises. A comment comes where there is nothing to say.",
    },
    "4XX": {"description": "The request was refused; says why.", "content": _ERROR},
    "5XX": {"description": "The server failed; says what to do.", "content": _ERROR},
}
_FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The file.",
        "content": {"application/json": {"schema": {}}, "text/markdown": {"schema": {}}},
    }
}


async def _seat(
    request: Request,
    control: ControlPlane,
    caller: Annotated[Caller, Depends(permitted(TALKING))],
    x_time_zone: Annotated[
        str, Header(max_length=64, description="The time zone of the person (IANA).")
    ] = "UTC",
) -> Seat:
    """Who asks; from where is noted."""
    assistant = assistant_of(control)
    owner_of(caller)  # refuses who acts elsewhere
    note_peer(request.client.host if request.client else "")
    try:
        ZoneInfo(x_time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidValue(
            "X-Time-Zone is no time zone. Send one such as Europe/Berlin, or none.",
            details={"field": "X-Time-Zone"},
        ) from None
    return Seat(control, assistant, caller, x_time_zone)


Seated = Annotated[Seat, Depends(_seat)]


async def _reading(seat: Seated) -> Reading:
    """A place to read an answer, before anything is done; refused to who has too many."""
    return seat.assistant.readers.enter(owner_of(seat.caller))


Place = Annotated[Reading, Depends(_reading)]
_LastSeen = Annotated[int | None, Query(ge=0, le=2**53, description="The last event you have.")]
_Key = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        description="The same for each attempt to send one message, which is then kept once.",
    ),
]


@router.get("/config")
async def show_chat_config(seat: Seated) -> schemas.ChatConfig:
    """Show what a chat page needs before the first message."""
    return service.config(seat)


@router.get("/tools")
async def list_chat_tools(seat: Seated) -> schemas.ChatToolList:
    """List the tools that the assistant can use for you, and those it could."""
    return await offering.offered(seat)


@router.get("/conversations")
async def list_conversations(
    seat: Seated,
    search: Annotated[str, Query(max_length=200)] = "",
    page: int = 1,
    limit: int = 50,
) -> schemas.ConversationList:
    """List your conversations; of a `search`, those with all its words in title or messages."""
    return await service.listed(seat, search, page, limit)


@router.post("/conversations", status_code=201)
async def begin_conversation(seat: Seated, wanted: schemas.ConversationNew) -> schemas.Conversation:
    """Begin a conversation."""
    return await service.begin(seat, wanted.title)


@router.get("/conversations/{conversation_id}")
async def show_conversation(seat: Seated, conversation_id: UUID) -> schemas.ConversationDetail:
    """Show a conversation with all of its messages."""
    return await service.detail(seat, conversation_id)


@router.patch("/conversations/{conversation_id}")
async def change_conversation(
    seat: Seated, conversation_id: UUID, wanted: schemas.ConversationChange
) -> schemas.Conversation:
    """Give a title, pin, or show another branch."""
    return await service.change(seat, conversation_id, wanted)


@router.delete("/conversations/{conversation_id}", status_code=204)
async def delete_conversation(seat: Seated, conversation_id: UUID) -> None:
    """Put a conversation away. For some time (30 days as a rule) it can be restored."""
    await service.delete(seat, conversation_id)


@router.post("/conversations/{conversation_id}/restore")
async def restore_conversation(seat: Seated, conversation_id: UUID) -> schemas.Conversation:
    """Bring back a conversation that was deleted."""
    return await service.restore(seat, conversation_id)


@router.get("/conversations/{conversation_id}/export", response_class=Response, responses=_FILES)
async def export_conversation(
    seat: Seated,
    conversation_id: UUID,
    format: Literal["json", "markdown"] = "json",  # noqa: A002 - its name in the query
) -> Response:
    """Give a conversation as a file: all of it as JSON, or the branch shown as Markdown."""
    conversation = await seat.store.conversation(str(conversation_id))
    if format == "json":
        _, messages = await service.whole(seat, conversation_id)
        content, kind, ending = (
            exporting.as_json(conversation, messages),
            "application/json",
            "json",
        )
    else:
        messages = await service.branch(seat, conversation_id)
        content = exporting.as_markdown(conversation, messages).encode()
        kind, ending = "text/markdown; charset=utf-8", "md"
    name = f"conversation-{conversation_id}.{ending}"
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "no-store",
    }
    return Response(content, media_type=kind, headers=headers)


@router.get("/conversations/{conversation_id}/messages")
async def list_messages(seat: Seated, conversation_id: UUID) -> schemas.MessageList:
    """List the messages of the branch that is shown."""
    messages = await service.branch(seat, conversation_id)
    return schemas.MessageList(messages=[service.shown_message(one) for one in messages])


@router.post(
    "/conversations/{conversation_id}/messages",
    response_model=ChatEvent,
    response_class=EventStream,
    responses=_EVENTS,
)
async def send_message(
    seat: Seated,
    reading: Place,
    conversation_id: UUID,
    wanted: schemas.MessageNew,
    idempotency_key: _Key = None,
) -> Response:
    """Say something, and read the answer while it is made: `accepted`, then its events.

    Sent again with the same `Idempotency-Key` it is the same message, and its stream goes on.
    """
    sent, is_known = await service.send(seat, conversation_id, wanted, idempotency_key)
    accepted = Accepted(shown(sent.message), shown(sent.answer))
    events = service.listen(seat, sent.answer.id, None if is_known else 0)
    return _stream(seat, reading, events, accepted)


@router.post(
    "/conversations/{conversation_id}/messages/{message_id}/retry",
    response_model=ChatEvent,
    response_class=EventStream,
    responses=_EVENTS,
)
async def retry_message(
    seat: Seated, reading: Place, conversation_id: UUID, message_id: str
) -> Response:
    """Have another answer made beside this one; a `snapshot` of it comes first."""
    await service.message_in(seat, conversation_id, message_id)
    answer = await seat.assistant.desk.retry(seat.person(), message_id)
    return _stream(seat, reading, service.listen(seat, answer.id, None))


@router.get(
    "/conversations/{conversation_id}/messages/{message_id}/stream",
    response_model=ChatEvent,
    response_class=EventStream,
    responses=_EVENTS,
)
async def stream_message(
    seat: Seated,
    reading: Place,
    conversation_id: UUID,
    message_id: str,
    since: _LastSeen = None,
    last_event_id: Annotated[str, Header(max_length=32)] = "",
) -> Response:
    """Read the events of an answer after the last one you have; it goes on if it was interrupted.

    Where they are gone, and without a number, a `snapshot` comes first.
    """
    await service.message_in(seat, conversation_id, message_id)
    if since is None and last_event_id.isascii() and last_event_id.isdigit():
        since = int(last_event_id)
    return _stream(seat, reading, service.listen(seat, message_id, since))


@router.post("/conversations/{conversation_id}/messages/{message_id}/stop")
async def stop_message(seat: Seated, conversation_id: UUID, message_id: str) -> ChatMessage:
    """End an answer, and cancel its calls."""
    await service.message_in(seat, conversation_id, message_id)
    return service.shown_message(await seat.assistant.desk.stop(seat.person(), message_id))


@router.post("/conversations/{conversation_id}/messages/{message_id}/calls/{call_id}/decision")
async def decide_call(
    seat: Seated,
    conversation_id: UUID,
    message_id: str,
    call_id: str,
    decision: schemas.CallDecision,
) -> ChatMessage:
    """Say whether a call is made that waits for your approval. Software that acts for you can
    only refuse.
    """
    if decision.decision is not Choice.DENY:
        service.must_be_the_person(seat)
    await service.message_in(seat, conversation_id, message_id)
    message = await seat.assistant.desk.decide(
        seat.person(),
        message_id,
        call_id,
        decision.decision,
        arguments=service.sound(decision.arguments),
        reason=decision.reason,
    )
    return service.shown_message(message)


@router.post("/conversations/{conversation_id}/messages/{message_id}/calls/{call_id}/answer")
async def answer_call(
    seat: Seated,
    conversation_id: UUID,
    message_id: str,
    call_id: str,
    answers: schemas.QuestionAnswers,
) -> ChatMessage:
    """Answer the questions of a call."""
    await service.message_in(seat, conversation_id, message_id)
    given = service.answers_of(answers)
    message = await seat.assistant.desk.answer(seat.person(), message_id, call_id, given)
    return service.shown_message(message)


@router.post("/conversations/{conversation_id}/messages/{message_id}/calls/{call_id}/proceed")
async def proceed_with_call(
    seat: Seated, conversation_id: UUID, message_id: str, call_id: str
) -> ChatMessage:
    """Make a call again that waited for an elevation, or for an account to be connected."""
    await service.message_in(seat, conversation_id, message_id)
    message = await seat.assistant.desk.proceed(seat.person(), message_id, call_id)
    return service.shown_message(message)


def _stream(
    seat: Seat,
    reading: Reading,
    events: AsyncIterator[Numbered],
    accepted: Accepted | None = None,
) -> Response:
    told = streamed(seat.assistant, events, accepted, seat.person().standing, reading)
    return StreamingResponse(told, media_type=EventStream.media_type, headers=SSE_HEADERS)
