"""Turns under way: one for each message, and a place for each."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bascule.chat.desk import Numbered
from bascule.chat.drafts import Draft
from bascule.chat.equipment import Equipment
from bascule.chat.events import Ended
from bascule.chat.limits import ChatLimits
from bascule.chat.parts import Message, MessageStatus, Role
from bascule.chat.places import TooManyTurns
from bascule.chat.runs import Closing, Hold, Runs
from bascule.chat.streams import Numbers
from bascule.gateway.errors import NotFound
from bascule.gateway.state import StateStore, StateUnavailable
from bascule.state.memory import MemoryState
from fakes.chatting import ADA, BOB, PSEUDONYM, Scene


def runs_of(scene: Scene, state: StateStore | None = None, **more: float) -> tuple[Runs, Draft]:
    limits = ChatLimits(turns_per_person=1, **more)
    equipment = Equipment(
        scene.model, scene.toolbox, limits, "", scene.clock, lambda: "id", asyncio.sleep, PSEUDONYM
    )
    message = Message("m", "c1", Role.ASSISTANT, [], MessageStatus.RUNNING, 0.0)
    draft = Draft(scene.store, message, scene.clock, 0.25)
    return Runs(equipment, Numbers(scene.clock), state or MemoryState()), draft


async def held(runs: Runs) -> Hold:
    hold = await runs.hold(ADA, "m")
    assert hold is not None
    return hold


async def test_a_run_has_a_place_until_it_ends() -> None:
    scene = Scene()
    runs, draft = runs_of(scene)
    run = runs.begin(scene.person, ADA, draft, await held(runs))
    assert runs.of("m", ADA) is run
    with pytest.raises(NotFound):
        runs.of("m", BOB)
    with pytest.raises(TooManyTurns):
        await runs.hold(ADA, "other")
    _ = [one async for one in run.stream.follow(None)]
    assert "m" not in runs
    hold = await held(runs)
    assert await runs.hold(ADA, "m") is None
    await hold.release()
    await held(runs)


async def test_a_run_that_is_stopped_before_its_first_step_gives_its_place_back() -> None:
    scene = Scene()
    runs, draft = runs_of(scene)
    run = runs.begin(scene.person, ADA, draft, await held(runs))
    await run.stop()
    await asyncio.sleep(0)
    assert "m" not in runs
    await held(runs)


async def test_nothing_begins_when_the_process_is_ending() -> None:
    runs, _ = runs_of(Scene())
    await runs.aclose()
    with pytest.raises(Closing):
        await runs.hold(ADA, "m")


async def test_a_run_whose_lease_is_lost_ends_without_an_end() -> None:
    scene, state = Scene(), MemoryState()
    runs, draft = runs_of(scene, state, lease_seconds=0.05)
    scene.model.answers = [[asyncio.Event()]]
    run = runs.begin(scene.person, ADA, draft, await held(runs))
    told = asyncio.ensure_future(_all(run.stream.follow(None)))
    await runs.seize(ADA, "m")
    async with asyncio.timeout(5):
        events = await told
    assert not any(isinstance(one.event, Ended) for one in events)
    assert "m" not in runs
    await runs.aclose()


async def test_a_run_whose_store_fails_for_a_moment_goes_on() -> None:
    scene, state = Scene(), Fickle()
    runs, draft = runs_of(scene, state, lease_seconds=0.3)
    scene.model.answers = [[asyncio.Event()]]
    runs.begin(scene.person, ADA, draft, await held(runs))
    state.failures = 1
    async with asyncio.timeout(5):
        await state.asked_again.wait()
    assert "m" in runs
    await runs.aclose()


async def test_a_run_whose_store_is_gone_for_as_long_as_a_lease_lives_ends() -> None:
    scene, state = Scene(), Fickle()
    runs, draft = runs_of(scene, state, lease_seconds=0.05)
    scene.model.answers = [[asyncio.Event()]]
    run = runs.begin(scene.person, ADA, draft, await held(runs))
    state.failures = 1_000_000
    async with asyncio.timeout(5):
        assert not any(isinstance(one.event, Ended) for one in await _all(run.stream.follow(None)))
    await runs.aclose()


async def test_nobody_knows_whether_a_turn_runs_where_the_store_does_not_answer() -> None:
    state = Fickle()
    runs, _ = runs_of(Scene(), state)
    state.failures = 1
    with pytest.raises(StateUnavailable):
        await runs.hold(ADA, "m")


async def _all(events: AsyncIterator[Numbered]) -> list[Numbered]:
    return [one async for one in events]


class Fickle(MemoryState):
    """A store that fails as often as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 0
        self.asked_again = asyncio.Event()
        self._has_failed = False

    async def get(self, key: str) -> bytes | None:
        self._fail()
        if self._has_failed:
            self.asked_again.set()
        return await super().get(key)

    async def put_new(self, key: str, value: bytes, ttl_seconds: float) -> bool:
        self._fail()
        return await super().put_new(key, value, ttl_seconds)

    def _fail(self) -> None:
        if self.failures > 0:
            self.failures -= 1
            self._has_failed = True
            raise StateUnavailable("The store is away.")
