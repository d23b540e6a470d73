"""How messages and events leave."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, get_args

import msgspec
import pytest
from starlette.responses import StreamingResponse

from bascule.api.chat_wire import MOST_LEVELS, encoded, is_deep, plain, streamed
from bascule.api.resources.conversations import messages as shown
from bascule.chat import events, parts
from bascule.chat.desk import Numbered
from bascule.gateway.errors import NotFound
from fakes.talks import events_of
from unit.api.conversing import an_assistant, message

CALL = parts.CallPart(
    "c",
    "book",
    {},
    parts.CallState.NEEDS_INPUT,
    inputs=[parts.InputRequest("q", "How many?", {"type": "object"})],
    secret_state="sealed",
)
SAID = message("t", parts.Role.ASSISTANT, parts.TextPart("Hello"), CALL)
DELTA = Numbered(1, events.TextDelta(0, "a\nb"))
END = Numbered(2, events.Ended(parts.MessageStatus.COMPLETE))

PAIRS: dict[type[msgspec.Struct], type[Any]] = {
    parts.TextPart: shown.TextPart,
    parts.InputRequest: shown.InputRequest,
    parts.CallPart: shown.CallPart,
    parts.NoticePart: shown.NoticePart,
    parts.Message: shown.ChatMessage,
    events.Accepted: shown.AcceptedEvent,
    events.Snapshot: shown.SnapshotEvent,
    events.TextDelta: shown.TextDeltaEvent,
    events.CallChanged: shown.CallEvent,
    events.Noticed: shown.NoticeEvent,
    events.Titled: shown.TitleEvent,
    events.Ended: shown.EndEvent,
}


@pytest.mark.parametrize("kind", PAIRS, ids=lambda one: one.__name__)
def test_every_member_is_described_and_no_other(kind: type[msgspec.Struct]) -> None:
    described = {one.alias or name for name, one in PAIRS[kind].model_fields.items()} - {"type"}
    assert described == set(kind.__struct_fields__) - {"secret_state", "version"}
    assert all(one.is_required() for one in PAIRS[kind].model_fields.values())


def test_every_event_and_part_is_described() -> None:
    assert {*get_args(events.Event), *get_args(parts.Part)} <= PAIRS.keys()


def test_what_is_sealed_stays_and_all_else_is_there() -> None:
    told = plain(events.Snapshot(SAID))
    assert "secret_state" not in json.dumps(told)
    assert told["type"] == "snapshot"
    assert told["message"]["parts"][1]["error"] == ""
    assert shown.ChatEvent.model_validate(told).model_dump(by_alias=True, mode="json") == told


def test_an_event_is_one_block_whatever_its_text() -> None:
    assert encoded(DELTA.event, 7) == (
        b'id: 7\nevent: text_delta\ndata: {"type":"text_delta","part":0,"text":"a\\nb"}\n\n'
    )
    assert encoded(events.Titled("x")).startswith(b"event: title\n")


async def told_by(*numbered: Numbered | Exception | asyncio.Event) -> AsyncIterator[Numbered]:
    for one in numbered:
        if isinstance(one, Exception):
            raise one
        if isinstance(one, asyncio.Event):
            await one.wait()
        else:
            yield one


async def read(*numbered: Any, accepted: events.Accepted | None = None) -> str:
    assistant = an_assistant()
    async with asyncio.timeout(5):
        pieces = [one async for one in streamed(assistant, told_by(*numbered), accepted)]
    return b"".join(pieces).decode()


async def test_a_stream_ends_with_its_events() -> None:
    text = await read(DELTA, END, accepted=events.Accepted(SAID, SAID))
    assert [(one.number, one.kind) for one in events_of(text)] == [
        (None, "accepted"),
        (1, "text_delta"),
        (2, "end"),
    ]


async def test_a_stream_that_fails_ends_without_a_word() -> None:
    assert [one.kind for one in events_of(await read(DELTA, NotFound("gone")))] == ["text_delta"]


async def test_comments_are_sent_where_there_is_nothing_to_say_until_the_process_ends() -> None:
    assistant = replace(an_assistant(), heartbeat_seconds=0.001)
    seen: list[bytes] = []
    async with asyncio.timeout(5):
        async for piece in streamed(assistant, told_by(DELTA, asyncio.Event())):
            seen.append(piece)
            if len(seen) == 3:
                assistant.is_closing.set()
    assert seen[1:3] == [b": \n\n", b": \n\n"]
    assert len(seen) <= 4


async def test_who_is_not_let_in_any_more_is_told_nothing_more() -> None:
    def out() -> None:
        raise NotFound("Out.")

    stream = streamed(an_assistant(), told_by(DELTA, END), None, out)
    async with asyncio.timeout(5):
        assert [piece async for piece in stream] == []
    silent = replace(an_assistant(), heartbeat_seconds=0.001)
    stream = streamed(silent, told_by(asyncio.Event()), None, out)
    async with asyncio.timeout(5):
        assert [piece async for piece in stream] == []


async def test_a_connection_that_breaks_leaves_nobody_listening() -> None:
    ended, sent = asyncio.Event(), asyncio.Event()

    async def endless() -> AsyncIterator[Numbered]:
        try:
            yield DELTA
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def receive() -> dict[str, Any]:
        await sent.wait()
        return {"type": "http.disconnect"}

    async def send(told: Any) -> None:
        if told.get("body"):
            sent.set()

    response = StreamingResponse(streamed(an_assistant(), endless()))
    async with asyncio.timeout(5):
        await response({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, send)
        await ended.wait()


def nested(levels: int, *, in_lists: bool = False) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value] if in_lists else {"a": value}
    return value


@pytest.mark.parametrize("in_lists", [False, True])
def test_what_is_too_deep_is_cut_so_that_the_rest_can_be_shown(in_lists: bool) -> None:
    assert not is_deep(nested(MOST_LEVELS, in_lists=in_lists))
    assert is_deep(nested(MOST_LEVELS + 1, in_lists=in_lists))
    call = msgspec.structs.replace(CALL, arguments={"a": nested(900, in_lists=in_lists)})
    told = plain(message("t", parts.Role.ASSISTANT, call))
    assert b"nested too deep" in shown.ChatMessage.model_validate(told).model_dump_json().encode()
    whole = plain(msgspec.structs.replace(CALL, structured={"a": [1, {"b": None}]}))
    assert whole["structured"] == {"a": [1, {"b": None}]}


async def test_who_goes_away_ends_the_listening() -> None:
    ended = asyncio.Event()

    async def endless() -> AsyncIterator[Numbered]:
        try:
            yield DELTA
            await asyncio.Event().wait()
        finally:
            ended.set()

    stream = streamed(an_assistant(), endless())
    async with asyncio.timeout(5):
        await anext(stream)
        await stream.aclose()
        await ended.wait()
