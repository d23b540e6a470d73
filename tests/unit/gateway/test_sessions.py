import pytest

from bascule.gateway import sessions
from bascule.gateway.call import Call, Method, More, Result
from bascule.gateway.errors import InvalidRequest
from bascule.gateway.session import Session, SessionOwner
from bascule.gateway.sessions import SetLevel, Standing, Standings
from bascule.state.memory import MemoryState
from fakes.catalogue import make_principal

SESSION = Session("s-1", SessionOwner.of(make_principal()), "2025-11-25")
OTHER = Session("s-2", SessionOwner.of(make_principal()), "2025-11-25")


async def test_a_session_just_begun_stands_at_the_start() -> None:
    standings = Standings(MemoryState(), 60)
    assert await standings.find(SESSION) == Standing("info", ())


async def test_every_worker_sees_how_a_session_stands() -> None:
    store = MemoryState()
    here, there = Standings(store, 60), Standings(store, 60)
    await here.set_level(SESSION, "error")
    await here.subscribe(SESSION, "a:1")
    await there.subscribe(SESSION, "a:2")
    await there.subscribe(SESSION, "a:1")
    assert await here.find(SESSION) == Standing("error", ("a:1", "a:2"))
    await here.unsubscribe(SESSION, "a:1")
    await here.unsubscribe(SESSION, "a:1")
    assert await there.find(SESSION) == Standing("error", ("a:2",))
    assert await there.find(OTHER) == Standing()


async def test_a_session_that_has_ended_stays_so() -> None:
    standings = Standings(MemoryState(), 60)
    assert await standings.end(SESSION)
    assert not await standings.end(SESSION)
    assert await standings.find(SESSION) is None
    for change in (standings.subscribe, standings.unsubscribe, standings.set_level):
        with pytest.raises(InvalidRequest):
            await change(SESSION, "debug")
    assert await standings.find(SESSION) is None


async def test_a_session_subscribes_to_only_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MOST_SUBSCRIPTIONS", 1)
    standings = Standings(MemoryState(), 60)
    await standings.subscribe(SESSION, "a:1")
    with pytest.raises(InvalidRequest, match="unsubscribe"):
        await standings.subscribe(SESSION, "a:2")


async def test_a_level_is_set_for_the_session_of_the_call() -> None:
    standings = Standings(MemoryState(), 60)
    executor = SetLevel(standings)
    call = Call(Method.SET_LEVEL, "c-1", more=More(level="debug", session=SESSION))
    assert await executor.execute(call) == Result({})
    standing = await standings.find(SESSION)
    assert standing is not None
    assert standing.level == "debug"
    with pytest.raises(InvalidRequest):
        await executor.execute(Call(Method.SET_LEVEL, "c-1", more=More(level="debug")))


async def test_the_uris_of_a_session_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MOST_URI_CHARACTERS", 10)
    standings = Standings(MemoryState(), 60.0)
    await standings.subscribe(SESSION, "a" * 10)
    with pytest.raises(InvalidRequest, match="at most 10 characters"):
        await standings.subscribe(SESSION, "b")
