"""People of an issuer get an account of their own, and never another's."""

import pytest

from bascule.api.signin.attempts import PER_ADDRESS, Attempts
from bascule.api.signin.newcomers import Newcomers, name_from
from bascule.api.signin.visits import Visit
from bascule.gateway.errors import ErrorCode
from bascule.gateway.issuer import Issuer
from bascule.gateway.principal import Evidence, Means
from bascule.gateway.verdict import Refuse
from bascule.storage.repositories.users import Identity, StoredUser, Users
from unit.api.lobby import IDP, ISSUER, Lobby

HERE = Visit("c-1")


def evidence(subject: str = "s-1", display: str = "ann@example.com") -> Evidence:
    return Evidence(Means.TOKEN, "default", IDP, subject, f"corp:{subject}", display)


def newcomers(lobby: Lobby, most: int = 5) -> Newcomers:
    return Newcomers(lobby.site.control, Attempts(lobby.state, most))


async def known(lobby: Lobby, said: Evidence, **claims: object) -> StoredUser:
    found = await newcomers(lobby).known(HERE, ISSUER, said, claims)
    assert not isinstance(found, Refuse)
    return found


async def test_who_comes_first_gets_an_account_and_has_it_from_then_on(lobby: Lobby) -> None:
    made = await known(lobby, evidence(), name="Ann Smith", email="ann@example.com")
    assert (made.name, made.display_name) == ("ann@example.com", "Ann Smith")
    assert (made.email, made.roles, made.password_hash) == ("ann@example.com", frozenset(), None)
    again = await known(lobby, evidence(display="renamed"))
    assert (again.id, again.name) == (made.id, "ann@example.com")
    assert again.identities == (Identity(IDP, "s-1"),)
    record = lobby.site.recorder.last
    assert (record.action, record.user, record.tenant) == ("user.create", "corp", "default")
    assert record.metadata["subject"] == "s-1"


async def test_the_account_of_that_name_or_address_stays_whose_it_is(lobby: Lobby) -> None:
    await lobby.add("ann@example.com", "system_admin")
    made = await known(lobby, evidence(), email="ann@example.com")
    other = await known(lobby, evidence("s-2", "Ann@Example.com"), email="ann@example.com")
    assert [made.name, other.name] == ["ann@example.com-2", "Ann@Example.com-3"]
    assert made.roles == frozenset()
    async with lobby.site.rows() as (session, tenant_id):
        first = await Users(session, tenant_id).get("ann@example.com")
    assert first.identities == ()


async def test_the_same_subject_of_two_issuers_is_two_people(lobby: Lobby) -> None:
    await lobby.add_issuer()
    one = await known(lobby, evidence())
    elsewhere = Evidence(Means.TOKEN, "default", "https://x", "s-1", "x:s-1", "ann@example.com")
    issuer = Issuer("x", "https://x", "default")
    other = await newcomers(lobby).known(HERE, issuer, elsewhere, {})
    assert not isinstance(other, Refuse)
    assert one.id != other.id


async def test_where_all_numbers_are_taken_the_name_ends_in_chance(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bascule.api.signin.newcomers._MOST_NAMES", 1)
    await lobby.add("ann@example.com")
    made = await known(lobby, evidence())
    assert made.name.startswith("ann@example.com-")
    assert len(made.name) == len("ann@example.com-") + 16


async def test_who_comes_twice_at_once_is_one(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await known(lobby, evidence())
    find, answers = Users.find_by_identity, [None]

    async def blind_once(self: Users, issuer: str, subject: str):
        return answers.pop() if answers else await find(self, issuer, subject)

    monkeypatch.setattr(Users, "find_by_identity", blind_once)
    assert (await known(lobby, evidence())).id == made.id


async def test_too_many_new_accounts_from_one_address_wait_and_known_people_do_not(
    lobby: Lobby,
) -> None:
    few = newcomers(lobby, 1)
    first = evidence("s-0")
    for number in range(PER_ADDRESS):
        said = evidence(f"s-{number}")
        assert isinstance(await few.known(HERE, ISSUER, said, {}), StoredUser)
    refused = await few.known(HERE, ISSUER, evidence("s-x"), {})
    assert isinstance(refused, Refuse)
    assert refused.error is ErrorCode.TOO_MANY_ATTEMPTS
    assert "for the first time" in refused.public
    assert isinstance(await few.known(HERE, ISSUER, first, {}), StoredUser)
    elsewhere = Visit("c-2", "10.0.0.2")
    assert isinstance(await few.known(elsewhere, ISSUER, evidence("s-x"), {}), StoredUser)


@pytest.mark.parametrize(
    ("claimed", "name"),
    [
        ("ann", "ann"),
        (" ann ", "ann"),
        ("corp|a/b", "corp-a-b"),
        ("x" * 300, "x" * 200),
    ],
)
def test_a_claimed_name_is_made_to_fit(claimed: str, name: str) -> None:
    assert name_from(claimed) == name


async def test_nobody_chooses_the_name_that_records_give_to_a_stranger(lobby: Lobby) -> None:
    assert (await known(lobby, evidence(display="corp:s-2"))).name == "corp-s-2"
    assert (await known(lobby, evidence("s-3", display=""))).name == "corp:s-3"


@pytest.mark.parametrize("claimed", ["", "..", "a\u202eb", "\0"])
def test_a_name_that_cannot_be_one_is_replaced(claimed: str) -> None:
    assert name_from(claimed).startswith("user-")
