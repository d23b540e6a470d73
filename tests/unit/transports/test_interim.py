import time

import msgspec
import pytest

from bascule.gateway.backchannel import CallerGone, Notification, Question
from bascule.gateway.call import Call, Method, More
from bascule.protocol.versions import Era
from bascule.transports.interim import Interim
from bascule.transports.open_questions import OpenQuestions
from bascule.transports.outbox import Outbox
from bascule.transports.room import Room

PROGRESS = Notification("notifications/progress", b'{"progressToken":1,"progress":1}')
LOG = Notification("notifications/message", b'{"level":"warning","data":1}')
OTHER = Notification("notifications/elicitation/complete", b"{}")


def call_of(era: Era = Era.MODERN, **more: object) -> Call:
    return Call(Method.TOOLS_CALL, "c-1", era=era, more=msgspec.convert(more, More))


def interim(call: Call, outbox: Outbox | None = None) -> Interim:
    return Interim(call, outbox or Outbox(), None, Room(1))


@pytest.mark.parametrize(
    ("call", "note", "sent"),
    [
        (call_of(), PROGRESS, False),
        (call_of(progress_token=1), PROGRESS, True),
        (call_of(), LOG, False),
        (call_of(log_level="warning"), LOG, True),
        (call_of(log_level="error"), LOG, False),
        (call_of(progress_token=1, log_level="debug"), OTHER, False),
        (call_of(Era.LEGACY), OTHER, True),
        (call_of(Era.LEGACY), PROGRESS, False),
    ],
)
async def test_a_caller_is_told_what_it_asked_to_be_told(call, note, sent) -> None:
    outbox = Outbox()

    assert interim(call, outbox).notify(note) is sent
    assert (outbox.unsent > 0) is sent


async def test_nothing_follows_the_result() -> None:
    outbox = Outbox()
    back = interim(call_of(progress_token=1), outbox)
    back.end()

    assert not back.notify(PROGRESS)
    assert outbox.unsent == 0


async def test_what_a_slow_reader_cannot_take_is_dropped() -> None:
    outbox = Outbox()
    outbox.put(b"x" * 300_000)

    assert not interim(call_of(progress_token=1), outbox).notify(PROGRESS)


async def test_without_questions_nobody_is_asked() -> None:
    back = interim(call_of())

    assert not back.interactive
    with pytest.raises(CallerGone):
        await back.ask(Question("roots/list", b""), time.monotonic() + 5)


async def test_nobody_is_asked_after_the_result() -> None:
    outbox = Outbox()
    back = Interim(call_of(Era.LEGACY), outbox, OpenQuestions(outbox.put), Room(1))
    back.end()

    assert back.interactive
    with pytest.raises(CallerGone):
        await back.ask(Question("roots/list", b""), time.monotonic() + 5)


async def test_drained_is_the_channels() -> None:
    await interim(call_of()).drained()
