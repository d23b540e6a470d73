"""However a reader comes and goes, in the end it has the message as it is."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from bascule.chat.drafts import Draft
from bascule.chat.events import Ended, Snapshot, TextDelta
from bascule.chat.parts import CallPart, CallState, Message, MessageStatus, NoticeCode, Role
from bascule.chat.showing import shown
from bascule.chat.streams import Numbers, Stream
from fakes.chatting import Database, MemoryStore, Process, Reader

deeds = st.lists(
    st.one_of(
        st.text("ab ", min_size=1, max_size=30).map(lambda text: ("write", text)),
        st.just(("step", "")),
        st.just(("change", "")),
        st.just(("notice", "")),
        st.just(("rewrite", "")),
        st.just(("read", "")),
    ),
    max_size=60,
)


def blank() -> Message:
    return Message("m1", "c1", Role.ASSISTANT, [], MessageStatus.RUNNING, 0.0)


def drafted(most_events: int, most_bytes: int, base: int = 0) -> tuple[Draft, Stream]:
    draft = Draft(MemoryStore(Database(), Process()), blank(), lambda: 0.0, 1.0)
    stream = Stream(draft.shown, base=base, most_events=most_events, most_bytes=most_bytes)
    draft.stream = stream
    return draft, stream


def act(draft: Draft, deed: str, text: str) -> None:
    match deed:
        case "write":
            draft.write(text)
        case "step":
            call = CallPart("c", "find", {}, CallState.QUEUED, secret_state="sealed")
            draft.end_step([call])
        case "change":
            for index, call in draft.calls(CallState.QUEUED):
                draft.put(index, CallPart(call.id, call.tool, {"n": index}, CallState.DONE))
        case "notice":
            draft.end_step([])
            draft.notice(NoticeCode.FAILED, "Something.")
        case _:
            draft.rewrite(draft.message.parts[:-1])


async def some(stream: Stream, reader: Reader, since: int | None, most: int) -> None:
    """Read what there is, but no more than `most` events, and go away again."""
    listening = stream.follow(since)
    for _ in range(most):
        upcoming = asyncio.ensure_future(anext(listening))  # pyright: ignore[reportArgumentType]
        for _ in range(3):
            await asyncio.sleep(0)
        if not upcoming.done():
            upcoming.cancel()
            return
        reader.take(upcoming.result())


async def follow(
    plan: list[tuple[str, str]], ring: tuple[int, int], portions: list[int], joins: bool
) -> None:
    draft, stream = drafted(*ring)
    reader = Reader(None if joins else blank())
    reader.last = None if joins else 0
    for deed, text in plan:
        if deed == "read":
            await some(stream, reader, reader.last, portions.pop() if portions else 3)
        else:
            act(draft, deed, text)
    draft.message.tokens_in = 5
    draft.end(MessageStatus.COMPLETE)
    async for numbered in stream.follow(reader.last):
        reader.take(numbered)
    assert reader.message == shown(draft.message)
    assert "sealed" not in repr(reader.message)


@given(
    deeds,
    st.tuples(st.integers(1, 20), st.integers(100, 5_000)),
    st.lists(st.integers(1, 5), max_size=8),
    st.booleans(),
)
def test_any_reader_has_the_message_in_the_end(
    plan: list[tuple[str, str]], ring: tuple[int, int], portions: list[int], joins: bool
) -> None:
    asyncio.run(follow(plan, ring, portions, joins))


async def test_a_slow_reader_costs_a_ring_and_no_queue() -> None:
    draft, stream = drafted(10, 10_000)
    listening = stream.follow(0)
    draft.write("a")
    assert (await anext(listening)).event == TextDelta(0, "a")
    for _ in range(10_000):
        draft.write("b")
    assert len(stream._ring) == 10
    numbered = await anext(listening)
    assert isinstance(numbered.event, Snapshot)
    assert numbered.number == 10_001


async def test_a_large_event_is_not_kept_beyond_the_bytes_of_the_ring() -> None:
    draft, stream = drafted(10, 1_000)
    draft.write("x" * 100_000)
    assert not stream._ring
    assert isinstance((await anext(stream.follow(0))).event, Snapshot)


async def test_a_closed_stream_ends_without_an_end() -> None:
    draft, stream = drafted(10, 1_000)
    draft.write("a")
    stream.close()
    assert [one.event async for one in stream.follow(0)] == [TextDelta(0, "a")]


async def test_whoever_comes_after_the_end_has_two_numbers_that_differ() -> None:
    draft, stream = drafted(10, 1_000)
    draft.end(MessageStatus.COMPLETE)
    numbers = [(one.number, type(one.event)) async for one in stream.follow(None)]
    assert numbers == [(0, Snapshot), (1, Ended)]


async def test_numbers_of_another_run_are_not_taken_for_those_of_this_one() -> None:
    numbers = Numbers(lambda: 1_700_000_000.0)
    draft, stream = drafted(10, 1_000, base=numbers.base())
    draft.write("a")
    for since in (0, 1, 5, stream.last + 1):
        assert isinstance((await anext(stream.follow(since))).event, Snapshot)
    numbers.use(stream.last)
    assert numbers.base() > stream.last
