import json
from collections.abc import Callable

import msgspec
import pytest

from bascule.gateway.backchannel import Notification, Question
from bascule.gateway.call import Call, More
from bascule.upstreams.mcp.interim import notes_to
from bascule.upstreams.mcp.messages import Incoming


class FakeBack:
    """Remembers what it is told."""

    interactive = False

    def __init__(self) -> None:
        self.notes: list[Notification] = []

    def notify(self, note: Notification) -> bool:
        self.notes.append(note)
        return True

    async def drained(self) -> None:
        pass

    async def ask(self, question: Question, deadline: float) -> bytes:
        raise AssertionError(question, deadline)


def note(method: str, params: object) -> Incoming:
    return Incoming(method=method, params=msgspec.Raw(json.dumps(params).encode()))


def progress(**members: object) -> Incoming:
    return note("notifications/progress", {"progressToken": "ours", **members})


@pytest.fixture
def told(make_call: Callable[..., Call]) -> Callable[..., list[Notification]]:
    def tell(incoming: Incoming, **more: object) -> list[Notification]:
        back = FakeBack()
        notes_to(make_call(back=back, more=More(**more)))(incoming)  # type: ignore[arg-type]
        return back.notes

    return tell


@pytest.mark.parametrize("token", [7, "mine", ""])
def test_progress_gets_the_callers_own_token(told, token) -> None:
    [one] = told(progress(progress=0.5, message="half"), progress_token=token)
    assert one.method == "notifications/progress"
    assert json.loads(one.params) == {"progressToken": token, "progress": 0.5, "message": "half"}


def test_other_members_of_progress_pass_byte_for_byte(told) -> None:
    odd = Incoming(
        method="notifications/progress",
        params=msgspec.Raw(b'{"progressToken":"ours","progress": 1.50e1}'),
    )
    assert b"1.50e1" in told(odd, progress_token=1)[0].params


def test_progress_nobody_asked_for_is_dropped(told) -> None:
    assert told(progress(progress=1)) == []


def test_log_messages_below_the_wanted_level_are_dropped(told) -> None:
    def log(level: str) -> list[Notification]:
        return told(note("notifications/message", {"level": level, "data": 1}), log_level="warning")

    assert log("info") == []
    assert json.loads(log("error")[0].params) == {"level": "error", "data": 1}
    assert told(note("notifications/message", {"level": "error"})) == []


@pytest.mark.parametrize("params", [[], "x", None, {"level": 7}])
def test_nonsense_is_dropped(told, params: object) -> None:
    for method in ("notifications/progress", "notifications/message"):
        notes = told(note(method, params), progress_token=1, log_level="debug")
        assert notes == [] or (method == "notifications/progress" and params == {"level": 7})


def test_what_belongs_to_no_request_is_dropped(told) -> None:
    changed = note("notifications/tools/list_changed", {})
    assert told(changed, progress_token=1, log_level="debug") == []


def test_caller_without_a_way_back_hears_nothing(make_call) -> None:
    notes_to(make_call(more=More(progress_token=1)))(progress(progress=1))
