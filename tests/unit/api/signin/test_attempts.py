"""Wrong passwords are counted exactly, and wait no longer than a window."""

import asyncio
import time

from bascule.api.signin.attempts import (
    PER_ADDRESS,
    PER_ISSUER,
    WINDOW_SECONDS,
    Attempts,
    turned_away,
)
from bascule.gateway.errors import ErrorCode
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


async def test_a_long_slate_is_read_in_one_pass() -> None:
    """Who fills it must not have the event loop go over it for seconds."""
    attempts, _ = counting(20_000)
    slate = attempts.slates("default", "ann", "a")[0]
    entries = [(number, b"t%f" % (1_000_000 + number / 100)) for number in range(20_000)]
    started = time.process_time()
    assert attempts._wait(slate, entries) == 900
    assert time.process_time() - started < 1


async def comes(
    attempts: Attempts, count: int, peer: str, issuer: str = "i", tenant: str = "default"
) -> list[int]:
    slates = attempts.newcomer_slates(tenant, issuer, peer)
    return [await attempts.admit(slates) or 0 for _ in range(count)]


async def test_newcomers_of_an_issuer_are_counted_by_address() -> None:
    attempts, clock = counting(1)
    assert await comes(attempts, PER_ADDRESS + 1, "office") == [0] * PER_ADDRESS + [900]
    assert await comes(attempts, 1, "elsewhere") == [0]
    assert await comes(attempts, 1, "office", "another issuer") == [0]
    assert await tries(attempts, 1, peer="office") == [0], "passwords are counted apart"
    clock.seconds += WINDOW_SECONDS
    assert await comes(attempts, 1, "office") == [0]


async def test_newcomers_of_one_tenant_keep_nobody_out_of_another() -> None:
    attempts, _ = counting(1)
    for number in range(PER_ISSUER // PER_ADDRESS):
        await comes(attempts, PER_ADDRESS, f"address-{number}", tenant="eve")
    assert (await comes(attempts, 1, "address-0", tenant="eve"))[0] > 0
    assert await comes(attempts, 1, "address-0", tenant="acme") == [0]


async def test_newcomers_of_an_issuer_are_counted_wherever_they_come_from() -> None:
    attempts, _ = counting(1)
    for number in range(PER_ISSUER // PER_ADDRESS):
        assert set(await comes(attempts, PER_ADDRESS, f"address-{number}")) == {0}
    assert await comes(attempts, 1, "one more") == [900]
    assert await comes(attempts, 1, "one more", "another issuer") == [0]


def test_who_is_turned_away_is_told_how_long_to_wait() -> None:
    for seconds, shown in ((1, "one second"), (89, "89 seconds"), (91, "2 minutes")):
        refused = turned_away("Too many.", seconds)
        assert refused.public == f"Too many. Try again in {shown}."
        assert (refused.error, refused.details) == (
            ErrorCode.TOO_MANY_ATTEMPTS, {"retry_after_seconds": seconds},
        )  # fmt: skip
