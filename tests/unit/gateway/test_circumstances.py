import time

import pytest

from bascule.gateway import circumstances as room
from bascule.gateway.call import Call, Method
from bascule.gateway.circumstances import circumstances_now, circumstances_of


def call_of(method: Method = Method.TOOLS_CALL, **members: object) -> Call:
    return Call(method, "c-1", arguments={"x": 1}, peer="10.0.0.1", **members)  # type: ignore[arg-type]


def test_a_call_has_one_moment_from_start_to_end() -> None:
    call = call_of(arrived=time.monotonic() - 5)
    first = circumstances_of(call)
    assert first == circumstances_of(call)
    assert first.moment == pytest.approx(time.time() - 5, abs=1)
    assert first.peer == "10.0.0.1"


def test_a_call_without_a_time_of_arrival_is_made_now() -> None:
    assert circumstances_of(call_of()).moment == pytest.approx(time.time(), abs=1)
    assert circumstances_now("::1").moment == pytest.approx(time.time(), abs=1)
    assert circumstances_now("::1").peer == "::1"
    assert circumstances_now().arguments is None


def test_a_calendar_that_is_set_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    call = call_of(arrived=time.monotonic())
    before = circumstances_of(call).moment
    ahead = time.time() + 3600
    monkeypatch.setattr(room.time, "time", lambda: ahead)
    try:
        assert circumstances_of(call).moment == pytest.approx(before + 3600, abs=5)
    finally:
        monkeypatch.undo()
        circumstances_of(call)


@pytest.mark.parametrize(
    ("method", "known"),
    [
        (Method.TOOLS_CALL, {"x": 1}),
        (Method.PROMPTS_GET, {"x": 1}),
        (Method.RESOURCES_READ, {}),
        (Method.SUBSCRIBE, {}),
        (Method.TOOLS_LIST, None),
        (Method.COMPLETE, None),
        (Method.TASKS_GET, None),
    ],
)
def test_arguments_are_known_where_something_is_used(method: Method, known: object) -> None:
    assert circumstances_of(call_of(method)).arguments == known
