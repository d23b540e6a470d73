"""Passwords: what is kept of them, what a wrong one costs, and which are refused."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from argon2 import Parameters, PasswordHasher, Type
from argon2.profiles import RFC_9106_LOW_MEMORY
from hypothesis import given
from hypothesis.strategies import text

from bascule.gateway.errors import ErrorCode
from bascule.identity.passwords import (
    MOST_CHARACTERS,
    Match,
    Passwords,
    TooManyPasswords,
    weakness,
)

CHEAP = Parameters(Type.ID, 19, 16, 32, time_cost=1, memory_cost=64, parallelism=1)
GOOD = "an elk in the attic"


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords(CHEAP)
    yield made
    made.close()


async def test_what_is_kept_is_argon2id_with_the_parameters_of_the_rfc() -> None:
    passwords = Passwords()
    kept = await passwords.hash(GOOD)
    passwords.close()
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert len(kept) <= 300
    assert GOOD not in kept
    assert PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY).verify(kept, GOOD)


async def test_the_same_password_is_never_kept_the_same_way(passwords: Passwords) -> None:
    assert await passwords.hash(GOOD) != await passwords.hash(GOOD)


async def test_a_password_matches_what_was_made_of_it_and_nothing_else(
    passwords: Passwords,
) -> None:
    kept = await passwords.hash(GOOD)
    assert await passwords.matches(GOOD, kept) is Match.YES
    assert await passwords.matches(GOOD + " ", kept) is Match.NO
    assert await passwords.matches("", kept) is Match.NO


async def test_an_account_that_is_not_there_costs_as_much_as_one_that_is() -> None:
    passwords = Passwords()
    kept = await passwords.hash(GOOD)
    await passwords.matches("warm", None)

    async def seconds(kept: str | None) -> float:
        began = time.perf_counter()
        assert await passwords.matches("wrong", kept) is Match.NO
        return time.perf_counter() - began

    nobody = min([await seconds(None) for _ in range(3)])
    somebody = min([await seconds(kept) for _ in range(3)])
    passwords.close()
    assert nobody > somebody / 4


async def test_nothing_that_can_be_sent_is_the_password_of_nobody(passwords: Passwords) -> None:
    for password in ["", "\0nobody", "nobody", "x" * 300, "\ud800"]:
        assert await passwords.matches(password, None) is Match.NO


async def test_a_hash_of_other_parameters_matches_and_is_stale(passwords: Passwords) -> None:
    kept = PasswordHasher(time_cost=2, memory_cost=64, parallelism=1).hash(GOOD)
    assert await passwords.matches(GOOD, kept) is Match.STALE
    assert await passwords.matches("wrong", kept) is Match.NO


async def test_what_is_no_hash_matches_nothing(passwords: Passwords) -> None:
    for kept in ["", "plain", "$argon2id$v=19$m=64,t=1,p=1$broken"]:
        assert await passwords.matches(GOOD, kept) is Match.NO


async def test_a_password_too_long_to_have_been_accepted_is_not_hashed(
    passwords: Passwords,
) -> None:
    kept = await passwords.hash("x" * 300)
    assert await passwords.matches("x" * 300, kept) is Match.NO


async def test_the_same_characters_match_however_they_are_composed(passwords: Passwords) -> None:
    kept = await passwords.hash("cafe\u0301 au lait")
    assert await passwords.matches("caf\u00e9 au lait", kept) is Match.YES


async def test_more_than_wait_already_are_turned_away_at_once() -> None:
    passwords = Passwords(CHEAP, most_waiting=1)
    async with asyncio.timeout(5):
        one = asyncio.ensure_future(passwords.hash(GOOD))
        await asyncio.sleep(0)
        with pytest.raises(TooManyPasswords) as caught:
            await passwords.hash(GOOD)
        assert caught.value.error is ErrorCode.UNAVAILABLE
        assert await one
        assert await passwords.hash(GOOD)
    passwords.close()


def test_a_long_sentence_is_a_good_password() -> None:
    assert weakness(GOOD, "ann") is None
    assert weakness("729184650312", "ann") is None
    assert weakness("x9" + "ä" * 4 + "Ωλ☃漢字🦌", "ann") is None


def test_length_is_counted_in_characters() -> None:
    assert "at least 12 characters; this one has 11" in str(weakness("abcdefghijk", "ann"))
    assert weakness("abcdefghmnop", "ann") is None
    assert weakness("elk moose", "ann", 8) is None
    assert weakness("ab c" * (MOST_CHARACTERS // 4), "ann") is None
    assert "at most 256" in str(weakness("ab cd" * 52, "ann"))
    assert "at most 256" in str(weakness("\ufdfa" * 20 + "abc", "ann"))


def test_what_everybody_tries_first_is_refused() -> None:
    for password in (
        "password1234",
        "Password123!",
        "passwordpassword",
        "123456789012",
        "1234567890123456",
        "qwertyuiop12",
        "aaaaaaaaaaaa",
        "abababababab",
        "CHANGEME2026!",
        "AdminAdminAdmin",
        "letmeinletmein",
    ):
        assert "first that anybody tries" in str(weakness(password, "ann")), password


def test_the_name_of_the_account_is_no_password() -> None:
    for password in (
        "ann.smith@example.com",
        "Ann.Smith@Example.com",
        "annsmithexamplecom1",
        "ann-smith-example-com-2026",
        "annsmithexamplecomannsmithexamplecom",
    ):
        assert "own name" in str(weakness(password, "ann.smith@example.com")), password
    assert weakness("729184650312", "007-12") is None
    assert "own name" in str(weakness("729184650312", "729184650312"))


def test_what_cannot_be_encoded_is_refused() -> None:
    assert "not text" in str(weakness("\ud800 elk in the attic", "ann"))


@given(text(max_size=300), text(max_size=50))
def test_any_text_is_accepted_or_refused_with_a_sentence(password: str, account: str) -> None:
    said = weakness(password, account)
    assert said is None or said.endswith(".")
