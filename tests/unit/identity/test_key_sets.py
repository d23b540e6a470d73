"""Keys of issuers: fetched by one for all, kept through outages, ended when they are withdrawn."""

import asyncio
from typing import Any

import pytest

from bascule.gateway.errors import UpstreamUnreachable
from bascule.identity.fetching import IssuerUnusable
from bascule.identity.jwks import VerificationKey
from bascule.identity.key_sets import KeyRules, KeySets, KeySetState
from fakes.issuers import SECRET, URL, Clock, FakeIssuer, issuer_of, public, resolve

ISSUER = issuer_of()
RULES = KeyRules(600.0, 86_400.0)


def sets(issuer: FakeIssuer, clock: Clock | None = None, rules: KeyRules = RULES) -> KeySets:
    return KeySets(issuer, rules, resolve, clock or Clock())


async def find(keys: KeySets, key_id: str | None = "k0") -> list[VerificationKey]:
    return list(await keys.find(ISSUER, "RS256", key_id))


async def test_keys_are_discovered_and_fetched_once() -> None:
    issuer = FakeIssuer()
    keys = sets(issuer)
    (key,) = await find(keys)
    assert await find(keys) == [key]
    assert issuer.fetched == [
        (f"{URL}/.well-known/openid-configuration", True),
        (f"{URL}/keys", True),
    ]


async def test_an_address_that_an_operator_gave_is_not_discovered() -> None:
    issuer = FakeIssuer()
    issuer.documents = {"https://keys.example/k": issuer.documents[f"{URL}/keys"]}
    found = await sets(issuer).fetch_now(issuer_of(jwks_url="https://keys.example/k"))
    assert found.metadata is None
    assert issuer.fetched == [("https://keys.example/k", True)]


async def test_an_address_of_another_host_that_a_document_names_is_a_strangers() -> None:
    """It may not be where only an operator may send the gateway."""
    issuer = FakeIssuer()
    issuer.describe(issuer=URL, jwks_uri="https://elsewhere.example/keys")
    with pytest.raises(IssuerUnusable):
        await sets(issuer).fetch_now(ISSUER)
    assert issuer.fetched[-1] == ("https://elsewhere.example/keys", False)


@pytest.mark.parametrize(
    ("described", "changes", "reason"),
    [
        ({"issuer": URL}, {}, "names no jwks_uri"),
        ({"issuer": URL, "jwks_uri": f"{URL}/none"}, {}, "answered with 404"),
        ({}, {"jwks_url": "http://10.0.0.5/keys"}, "cannot be used"),
        ({"issuer": f"{URL}/"}, {}, "names the issuer"),
    ],
)
async def test_what_cannot_be_had_says_why(described: Any, changes: Any, reason: str) -> None:
    issuer = FakeIssuer()
    issuer.describe(**described)
    with pytest.raises(IssuerUnusable) as failed:
        await sets(issuer).fetch_now(issuer_of(**changes))
    assert reason in failed.value.private


async def test_keys_are_fetched_again_before_their_time_is_over() -> None:
    issuer, clock = FakeIssuer(), Clock()
    keys = sets(issuer, clock)
    await keys.refresh_due([ISSUER])
    assert issuer.times == 1, "before anybody asks"
    clock.seconds += 479
    await keys.refresh_due([ISSUER])
    assert issuer.times == 1
    clock.seconds += 1
    await keys.refresh_due([ISSUER])
    assert issuer.times == 2
    await find(keys)
    assert issuer.times == 2


async def test_where_nobody_kept_them_fresh_the_first_caller_has_them_fetched() -> None:
    issuer, clock = FakeIssuer(), Clock()
    keys = sets(issuer, clock)
    await find(keys)
    clock.seconds += 600
    await find(keys)
    assert issuer.times == 2


async def test_through_an_outage_old_keys_count_and_nobody_waits() -> None:
    issuer, clock = FakeIssuer(), Clock()
    keys = sets(issuer, clock)
    (key,) = await find(keys)
    issuer.is_down = True
    for _ in range(20):
        clock.seconds += 3600
        assert await find(keys) == [key]
    issuer.gate = asyncio.Event()  # an issuer that does not even refuse
    clock.seconds += 3600
    async with asyncio.timeout(1):
        assert await find(keys) == [key]
    await keys.close()


async def test_keys_that_are_too_old_end_even_for_what_they_verified() -> None:
    issuer, clock = FakeIssuer(), Clock()
    keys = sets(issuer, clock)
    (key,) = await find(keys)
    issuer.is_down = True
    clock.seconds += 86_401
    with pytest.raises(IssuerUnusable) as failed:
        await find(keys)
    assert "nothing answers" in failed.value.private
    assert not key.is_current


async def test_the_watch_ends_keys_that_are_too_old() -> None:
    issuer, clock = FakeIssuer(), Clock()
    keys = sets(issuer, clock)
    (key,) = await find(keys)
    issuer.is_down = True
    clock.seconds += 86_401
    await keys.refresh_due([ISSUER])
    assert not key.is_current


async def test_an_issuer_that_is_down_is_asked_ever_more_rarely() -> None:
    issuer, clock = FakeIssuer(), Clock()
    issuer.is_down = True
    keys = sets(issuer, clock)
    for _ in range(600):
        with pytest.raises(IssuerUnusable):
            await find(keys)
        await keys.refresh_due([ISSUER])
        clock.seconds += 1
    assert len(issuer.fetched) <= 16
    issuer.is_down = False
    clock.seconds += 60
    await find(keys)


async def test_a_key_that_stays_is_the_same_and_one_that_goes_ends() -> None:
    issuer, clock = FakeIssuer(public("RS256"), public("RS256", 1)), Clock()
    keys = sets(issuer, clock)
    (stays,), (goes,) = await find(keys), await find(keys, "k1")
    issuer.publish(public("RS256"), public("RS256", 2))
    clock.seconds += 600
    assert await find(keys) == [stays]
    assert (stays.is_current, goes.is_current) == (True, False)


async def test_another_key_under_the_same_id_is_another_key() -> None:
    issuer, clock = FakeIssuer(), Clock()
    keys = sets(issuer, clock)
    (old,) = await find(keys)
    issuer.publish(public("RS256", 1, kid="k0"))
    clock.seconds += 600
    (new,) = await find(keys)
    assert new is not old
    assert not old.is_current


async def test_an_empty_set_does_not_replace_keys() -> None:
    """A broken deployment at the issuer is an outage, and not the end of every token."""
    issuer, clock = FakeIssuer(), Clock()
    keys = sets(issuer, clock)
    (key,) = await find(keys)
    issuer.publish()
    clock.seconds += 600
    assert await find(keys) == [key]
    assert key.is_current


async def test_an_unknown_key_has_the_set_fetched_once_in_a_while() -> None:
    issuer, clock = FakeIssuer(), Clock()
    keys = sets(issuer, clock)
    await find(keys)
    clock.seconds += 10
    async with asyncio.TaskGroup() as group:
        for number in range(50):
            group.create_task(find(keys, f"x{number}"))
    assert issuer.times == 2
    clock.seconds += 9
    assert await find(keys, "x") == []
    assert issuer.times == 2


async def test_the_first_unknown_key_is_looked_for_at_once() -> None:
    """An issuer may change its keys right after they were fetched."""
    issuer, clock = FakeIssuer(), Clock()
    keys = sets(issuer, clock)
    await find(keys)
    issuer.publish(public("RS256"), public("RS256", 1))
    clock.seconds += 0.1
    assert len(await find(keys, "k1")) == 1
    clock.seconds += 0.1
    assert await find(keys, "k2") == []
    assert issuer.times == 2


async def test_a_set_fetched_for_a_token_is_not_fetched_again_for_it() -> None:
    issuer = FakeIssuer()
    assert await find(sets(issuer), "k1") == []
    assert issuer.times == 1


async def test_who_gives_up_waiting_does_not_end_the_fetch_for_others() -> None:
    issuer = FakeIssuer()
    issuer.gate = asyncio.Event()
    keys = sets(issuer)
    first = asyncio.ensure_future(find(keys))
    second = asyncio.ensure_future(find(keys))
    while not issuer.fetched:
        await asyncio.sleep(0)
    first.cancel()
    issuer.gate.set()
    async with asyncio.timeout(5):
        assert len(await second) == 1
    assert issuer.times == 1


async def test_the_keys_of_issuers_that_are_gone_are_forgotten() -> None:
    issuer = FakeIssuer()
    keys = sets(issuer, rules=KeyRules(allows_secrets=True))
    (key,) = await find(keys)
    with_secret = issuer_of(shared_secret="${secret:id}")
    (secret,) = await keys.find(with_secret, "HS256", None)
    await keys.refresh_due([])
    assert (key.is_current, secret.is_current) == (False, False)
    await find(keys)
    assert issuer.times == 2


async def test_closing_ends_what_is_being_fetched() -> None:
    issuer = FakeIssuer()
    issuer.gate = asyncio.Event()
    keys = sets(issuer)
    waiting = asyncio.ensure_future(find(keys))
    while not issuer.fetched:
        await asyncio.sleep(0)
    await keys.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_closing_where_nothing_was_fetched_is_quiet() -> None:
    keys = sets(FakeIssuer())
    await keys.find(issuer_of(), "RS256", "k0")
    await keys.close()
    await keys.close()
    assert keys.algorithms(issuer_of()) == ("RS256", "ES256")


async def test_each_fetch_is_told_with_its_outcome() -> None:
    issuer, clock, told = FakeIssuer(), Clock(), list[bool]()
    keys = KeySets(issuer, RULES, resolve, clock, told.append)
    await find(keys)
    issuer.is_down = True
    clock.seconds += 600
    await find(keys)
    assert told == [True, False]


async def test_a_shared_secret_is_looked_up_and_may_change() -> None:
    value = SECRET

    async def look_up(tenant: str, text: str) -> str:
        assert (tenant, text) == ("acme", "${secret:id}")
        return value

    keys = KeySets(FakeIssuer(), KeyRules(allows_secrets=True), look_up, Clock())
    issuer = issuer_of(shared_secret="${secret:id}", algorithms=())
    assert keys.algorithms(issuer) == ("HS256",)
    (first,) = await keys.find(issuer, "HS256", None)
    assert await keys.find(issuer, "HS256", "any") == [first]
    value = "another secret of thirty-two characters"
    (second,) = await keys.find(issuer, "HS256", None)
    assert second is not first
    assert (first.is_current, second.is_current) == (False, True)


async def test_a_shared_secret_that_cannot_be_looked_up_is_said_so() -> None:
    async def fail(tenant: str, text: str) -> str:
        raise UpstreamUnreachable("no", private="the secret id is not there")

    for look_up, reason in ((fail, "the secret id is not there"), (None, "cannot be looked up")):
        keys = KeySets(FakeIssuer(), KeyRules(allows_secrets=True), look_up, Clock())
        with pytest.raises(IssuerUnusable) as failed:
            await keys.find(issuer_of(shared_secret="${secret:id}"), "HS256", None)
        assert reason in failed.value.private


def test_symmetric_signatures_never_come_from_the_list() -> None:
    listed = issuer_of(algorithms=("RS256", "HS256", "HS512"), shared_secret="x")
    assert sets(FakeIssuer()).algorithms(listed) == ("RS256",)
    here = sets(FakeIssuer(), rules=KeyRules(allows_secrets=True))
    assert here.algorithms(listed) == ("RS256", "HS256")


async def test_an_issuer_with_a_secret_alone_is_not_asked_for_keys() -> None:
    issuer = FakeIssuer()
    await sets(issuer).refresh_due([issuer_of(algorithms=(), shared_secret="x")])
    assert issuer.fetched == []


async def test_how_keys_stand_is_told_without_asking_anybody() -> None:
    issuer, clock = FakeIssuer(public("RS256"), public("RS256", 1)), Clock()
    keys = sets(issuer, clock)
    assert keys.state(ISSUER) == KeySetState()
    await find(keys)
    clock.seconds += 599
    asked = issuer.times
    assert keys.state(ISSUER) == KeySetState(2, 599.0, usable_for=86_400.0 - 599)
    assert issuer.times == asked


async def test_an_outage_shows_in_how_keys_stand_and_is_remembered() -> None:
    issuer, clock = FakeIssuer(), Clock()
    keys = sets(issuer, clock)
    issuer.is_down = True
    await keys.refresh_due([ISSUER])
    first = keys.state(ISSUER)
    assert (first.keys, first.age, first.usable_for, first.failures) == (0, None, None, 1)
    issuer.is_down = False
    clock.seconds += 60
    await keys.refresh_due([ISSUER])
    issuer.is_down = True
    clock.seconds += 600
    await keys.refresh_due([ISSUER])
    clock.seconds += 3
    stale = keys.state(ISSUER)
    assert (stale.keys, stale.age, stale.is_stale, stale.failures) == (1, 603.0, True, 1)
    assert ("nothing answers" in stale.failure, stale.failed_ago) == (True, 3.0)
    clock.seconds += 86_400
    gone = keys.state(ISSUER)
    assert (gone.keys, gone.is_stale, gone.usable_for) == (0, False, None)
    issuer.is_down = False
    await find(keys)
    well = keys.state(ISSUER)
    assert (well.keys, well.is_stale, well.failures) == (1, False, 0)
    assert "nothing answers" in well.failure
