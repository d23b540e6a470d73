"""Wrong passwords are counted exactly, and wait no longer than a window."""

import asyncio

from bascule.api.signin.attempts import PER_ADDRESS, WINDOW_SECONDS, Attempts
from bascule.state.memory import MemoryState


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


def counting(most: int = 3) -> tuple[Attempts, Clock]:
    clock = Clock()
    return Attempts(MemoryState(clock=clock), most, clock), clock


async def tries(attempts: Attempts, count: int, account: str = "ann", peer: str = "a") -> list[int]:
    slates = attempts.slates("default", account, peer)
    return [await attempts.admit(slates) or 0 for _ in range(count)]


async def test_so_many_attempts_are_admitted_and_the_next_waits_for_the_first_to_age() -> None:
    attempts, clock = counting()
    assert await tries(attempts, 1) == [0]
    clock.seconds += 100
    assert await tries(attempts, 3) == [0, 0, 800]
    clock.seconds += 799.5
    assert await tries(attempts, 1) == [1]
    clock.seconds += 0.5
    assert await tries(attempts, 2) == [0, 100]


async def test_going_on_does_not_lock_for_longer() -> None:
    attempts, clock = counting()
    await tries(attempts, 3)
    for _ in range(89):
        clock.seconds += 10
        assert (await tries(attempts, 1))[0] > 0
    clock.seconds += 10
    assert await tries(attempts, 1) == [0]


async def test_a_good_password_wipes_the_slate_of_its_account() -> None:
    attempts, _ = counting()
    slates = attempts.slates("default", "ann", "a")
    assert await tries(attempts, 3) == [0, 0, 0]
    await attempts.prove(slates)
    assert await tries(attempts, 4) == [0, 0, 0, 900]


async def test_an_account_has_one_slate_whatever_the_case_of_its_name_and_the_address() -> None:
    attempts, _ = counting()
    await tries(attempts, 3, "Ann", "a")
    assert (await tries(attempts, 1, "ANN", "b"))[0] > 0
    assert await tries(attempts, 1, "bob", "a") == [0]


async def test_accounts_of_the_same_name_in_two_tenants_are_two() -> None:
    attempts, _ = counting()
    await tries(attempts, 3)
    assert await attempts.admit(attempts.slates("acme", "ann", "b")) is None


async def test_an_address_has_ten_times_as_many_whatever_the_accounts() -> None:
    attempts, _ = counting(1)
    for number in range(PER_ADDRESS):
        assert await tries(attempts, 1, f"account-{number}") == [0]
    assert (await tries(attempts, 1, "one more"))[0] == WINDOW_SECONDS
    assert await tries(attempts, 1, "one more", "elsewhere") == [0]


async def test_people_who_sign_in_well_do_not_use_up_what_their_address_may() -> None:
    attempts, _ = counting(1)
    for number in range(3 * PER_ADDRESS):
        slates = attempts.slates("default", f"account-{number}", "office")
        assert await attempts.admit(slates) is None
        await attempts.prove(slates)


async def test_a_good_password_among_wrong_ones_does_not_clear_its_address() -> None:
    attempts, _ = counting(1)
    own = attempts.slates("default", "mallory", "m")
    for number in range(PER_ADDRESS):
        assert await tries(attempts, 1, f"victim-{number}", "m") == [0]
        if number < PER_ADDRESS - 1:
            assert await attempts.admit(own) is None
            await attempts.prove(own)
    assert (await tries(attempts, 1, "victim", "m"))[0] > 0


async def test_many_at_once_count_as_well() -> None:
    attempts, _ = counting()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        slates = attempts.slates("default", "ann", "a")
        asked = [group.create_task(attempts.admit(slates)) for _ in range(20)]
    assert sum(one.result() is None for one in asked) == 3


async def test_a_flood_does_not_push_out_what_was_counted() -> None:
    attempts, clock = counting()
    async with asyncio.timeout(10):
        for _ in range(10):
            clock.seconds += 1
            slates = attempts.slates("default", "ann", "a")
            async with asyncio.TaskGroup() as group:
                for _ in range(50):
                    group.create_task(attempts.admit(slates))
    assert (await tries(attempts, 1))[0] > 0
