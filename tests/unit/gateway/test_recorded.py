import pytest

from bascule.gateway.backchannel import Notification, Question
from bascule.gateway.errors import RecordingFailed
from bascule.gateway.feed import ListenFilter
from bascule.gateway.recorded import RecordedBackchannel, RecordedFeed
from fakes.feed import FakeFeed

NOTE = Notification("notifications/x", b"{}")
QUESTION = Question("roots/list", b"")


class FakeBack:
    """Notes what happens, in order."""

    interactive = True

    def __init__(self) -> None:
        self.events: list[object] = []

    def notify(self, note: Notification) -> bool:
        self.events.append(note)
        return True

    async def drained(self) -> None:
        self.events.append("drained")

    async def ask(self, question: Question, deadline: float) -> bytes:
        self.events.append((question, deadline))
        return b"{}"

    async def record(self, question: Question) -> None:
        self.events.append("recorded")


async def test_a_question_is_recorded_before_it_is_put() -> None:
    back = FakeBack()
    recorded = RecordedBackchannel(back, back.record)
    assert recorded.interactive
    assert await recorded.ask(QUESTION, 5.0) == b"{}"
    assert back.events == ["recorded", (QUESTION, 5.0)]
    assert recorded.questions == 1


async def test_what_is_told_needs_no_record() -> None:
    back = FakeBack()
    recorded = RecordedBackchannel(back, back.record)
    assert recorded.notify(NOTE)
    await recorded.drained()
    assert back.events == [NOTE, "drained"]
    assert recorded.questions == 0


async def test_a_question_that_cannot_be_recorded_is_not_put() -> None:
    back = FakeBack()

    async def fail(question: Question) -> None:
        raise RecordingFailed("Full.")

    recorded = RecordedBackchannel(back, fail)
    with pytest.raises(RecordingFailed):
        await recorded.ask(QUESTION, 5.0)
    assert back.events == []
    assert recorded.questions == 0


async def test_the_end_of_a_feed_is_recorded_once_with_what_it_told() -> None:
    ends: list[int] = []
    feed = FakeFeed(NOTE, NOTE, granted=ListenFilter(prompts_list_changed=True))
    recorded = RecordedFeed(feed, ends.append)
    assert recorded.granted.prompts_list_changed
    assert await recorded.next() == NOTE
    assert await recorded.next() == NOTE
    feed.put(None)
    assert await recorded.next() is None
    await recorded.close()
    await recorded.close()
    assert ends == [2]
    assert feed.closed == 2
