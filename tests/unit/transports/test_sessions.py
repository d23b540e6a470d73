import asyncio

import pytest

from bascule.gateway.call import Call, Endpoint, EndpointKind, Method
from bascule.gateway.capabilities import read_capabilities
from bascule.gateway.sealing import Purpose
from bascule.gateway.session import Session, SessionOwner
from bascule.state.memory import MemoryState
from bascule.transports import sessions as module
from bascule.transports.sessions import SessionConfig, Sessions
from fakes.catalogue import make_principal
from fakes.streams import SEALS, until

BUNDLE = Endpoint(EndpointKind.BUNDLE, "booking")


class Shared(MemoryState):
    """A store that other workers see, too."""

    local = False  # pyright: ignore[reportAssignmentType, reportIncompatibleVariableOverride]


def initialize(endpoint: Endpoint = BUNDLE) -> Call:
    capabilities = read_capabilities(b'{"sampling":{},"other":1}')
    return Call(
        Method.INITIALIZE, "c-1", version="2025-06-18", endpoint=endpoint, agent="client",
        capabilities=capabilities,
    )  # fmt: skip


def begun(sessions: Sessions) -> Session:
    session = sessions.find(sessions.begin(initialize(), make_principal()), BUNDLE)
    assert session is not None
    return session


def test_a_session_is_found_by_its_id_on_any_worker() -> None:
    store = MemoryState()
    token = Sessions(SEALS, store).begin(initialize(), make_principal())
    other = Sessions(SEALS, store)
    session = other.find(token, BUNDLE)
    assert session is not None
    assert session.owner == SessionOwner.of(make_principal())
    assert (session.version, session.agent, session.endpoint) == (
        "2025-06-18", "client", "bundle:booking",
    )  # fmt: skip
    assert session.capabilities == initialize().capabilities
    assert other.find(token, BUNDLE) is session, "opened once"


def test_a_session_is_valid_at_its_endpoint_for_its_life() -> None:
    now = 1000.0
    sessions = Sessions(SEALS, MemoryState(), SessionConfig(life_seconds=10), lambda: now)
    token = sessions.begin(initialize(), make_principal())
    assert sessions.find(token, Endpoint()) is None
    assert sessions.find(token, BUNDLE) is not None
    now = 1010.0
    assert sessions.find(token, BUNDLE) is None


@pytest.mark.parametrize("purpose", [Purpose.TASK, Purpose.SESSION])
def test_a_handle_of_another_kind_is_no_session(purpose: Purpose) -> None:
    sessions = Sessions(SEALS, MemoryState())
    assert sessions.find(SEALS.seal(purpose, "", b"\x91\xa1x"), BUNDLE) is None
    assert sessions.find("", BUNDLE) is None


def test_what_was_opened_is_forgotten_before_it_is_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_MOST_REMEMBERED", 2)
    sessions = Sessions(SEALS, MemoryState())
    for _ in range(5):
        begun(sessions)
    assert len(sessions._opened) <= 2


async def run(sessions: Sessions, session: Session, message_id: int | str) -> str:
    with sessions.running(session, message_id):
        await asyncio.Event().wait()
    return "cancelled"


async def test_a_call_is_cancelled_by_its_id_in_its_session() -> None:
    sessions = Sessions(SEALS, MemoryState())
    session, other = begun(sessions), begun(sessions)
    call = asyncio.ensure_future(run(sessions, session, 1))
    await until(lambda: sessions._live)
    for wrong in ((other, 1), (session, 2), (session, "1")):
        await sessions.cancel(*wrong)
    assert not call.done()
    await sessions.cancel(session, 1)
    await sessions.cancel(session, 1)
    assert await call == "cancelled"
    assert not sessions._live, "nothing is kept of it"


async def test_another_cancellation_is_not_swallowed() -> None:
    sessions = Sessions(SEALS, MemoryState())
    call = asyncio.ensure_future(run(sessions, begun(sessions), 1))
    await until(lambda: sessions._live)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert not sessions._live


async def test_of_two_calls_with_one_id_the_first_is_meant() -> None:
    sessions = Sessions(SEALS, MemoryState())
    session = begun(sessions)
    first = asyncio.ensure_future(run(sessions, session, 1))
    await until(lambda: sessions._live)
    second = asyncio.ensure_future(run(sessions, session, 1))
    await asyncio.sleep(0)
    await sessions.cancel(session, 1)
    assert await first == "cancelled"
    second.cancel()
    await asyncio.wait([second])


async def test_the_end_of_a_session_ends_what_is_under_way() -> None:
    sessions = Sessions(SEALS, MemoryState())
    session, ended = begun(sessions), list[str]()
    call = asyncio.ensure_future(run(sessions, session, 1))
    await sessions.take_stream(session, lambda: ended.append("stream"))
    await until(lambda: sessions._live[session.session_id].calls)
    assert await sessions.end(session)
    assert await call == "cancelled"
    assert ended == ["stream"]
    assert await sessions.standings.find(session) is None
    assert not await sessions.end(session)


async def test_the_newest_stream_of_a_session_is_its_only_one() -> None:
    sessions = Sessions(SEALS, MemoryState(), SessionConfig(max_streams=1))
    session, ended = begun(sessions), list[int]()

    def first() -> None:
        ended.append(1)

    def second() -> None:
        ended.append(2)

    assert sessions.has_room
    await sessions.take_stream(session, first)
    assert not sessions.has_room
    await sessions.take_stream(session, second)
    assert ended == [1]
    sessions.leave_stream(session, first)
    assert not sessions.has_room
    sessions.leave_stream(session, second)
    assert sessions.has_room
    assert not sessions._live


async def test_workers_tell_each_other() -> None:
    store = Shared()
    here, there = Sessions(SEALS, store), Sessions(SEALS, store)
    session, ended = begun(here), list[int]()
    listening = [asyncio.ensure_future(one.run()) for one in (here, there)]
    await until(lambda: len(store._readers.get("sessions", ())) == 2)
    await store.publish("sessions", b"rubbish")
    call = asyncio.ensure_future(run(here, session, 1))
    await until(lambda: here._live)
    await here.take_stream(session, lambda: ended.append(1))
    await there.cancel(session, 1)
    async with asyncio.timeout(5):
        assert await call == "cancelled"
    await there.take_stream(session, lambda: ended.append(2))
    await until(lambda: ended == [1])
    last = asyncio.ensure_future(run(here, session, 2))
    await until(lambda: here._live[session.session_id].calls)
    assert await there.end(session)
    async with asyncio.timeout(5):
        assert await last == "cancelled"
    for task in listening:
        task.cancel()
    await asyncio.wait(listening)
