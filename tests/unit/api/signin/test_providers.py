"""Sent to a provider and back: who comes in, and everything that may be wrong on the way."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bascule.api.signin.attempts import PER_ADDRESS
from bascule.api.signin.providers import Arrival, Return
from bascule.api.signin.visits import Visit
from bascule.gateway.errors import ErrorCode
from bascule.gateway.issuer import Issuer
from bascule.gateway.verdict import Refuse
from bascule.identity.fetching import Fetched
from bascule.state.memory import MemoryState
from bascule.storage.repositories.tenants import TenantChanges, Tenants
from bascule.storage.repositories.users import Users
from unit.api.lobby import IDP, ISSUER, Lobby, open_lobby, query_of
from unit.api.site import Site

HERE = Visit("c-1", "10.0.0.1")
BASE = "http://127.0.0.1:8000"
SAID = {"iss": IDP, "sub": "s-1", "preferred_username": "ann", "roles": ["Staff"]}


async def sent(lobby: Lobby, issuer: Issuer = ISSUER, next_path: str = "/account") -> str:
    """Begin; gives the state."""
    url = await lobby.sign_in.providers.begin(issuer, BASE, "cookie", next_path)
    assert isinstance(url, str)
    assert url.startswith(f"{IDP}/authorize?")
    return query_of(url)["state"]


async def back(
    lobby: Lobby,
    state: str,
    *,
    name: str = "corp",
    browser: str = "cookie",
    host: str = "127.0.0.1",
    answer: dict[str, str] | None = None,
    claims: dict[str, Any] | None = None,
) -> Arrival | Refuse:
    lobby.provider.said = SAID if claims is None else claims
    given = {"state": state, "code": "the-code", "iss": IDP} if answer is None else answer
    return await lobby.sign_in.providers.finish(HERE, Return(name, host, browser, given))


async def test_who_comes_back_is_in_with_the_roles_that_were_claimed(lobby: Lobby) -> None:
    await lobby.add_issuer()
    arrival = await back(lobby, await sent(lobby, next_path="/oauth/consent/x"))
    assert isinstance(arrival, Arrival)
    assert arrival.next_path == "/oauth/consent/x"
    visitor = await lobby.sign_in.browsers.holder(arrival.ticket)
    assert not isinstance(visitor, Refuse)
    assert (visitor.principal.subject, visitor.principal.roles) == ("ann", {"user"})
    assert visitor.session.issuer == IDP
    assert lobby.events("sign_in")[0].metadata["by"] == "corp"
    ((url, form, headers, chosen),) = lobby.provider.posted
    assert (url, chosen) == (f"{IDP}/token", True)
    assert form["redirect_uri"] == f"{BASE}/sign-in/corp/callback"
    assert form["code"] == "the-code"
    assert headers["authorization"].startswith("Basic ")
    assert "the-code" not in repr(lobby.site.recorder.records)


async def test_a_state_is_good_once(lobby: Lobby) -> None:
    await lobby.add_issuer()
    state = await sent(lobby)
    assert isinstance(await back(lobby, state), Arrival)
    assert isinstance(await back(lobby, state), Refuse)
    assert len(lobby.provider.posted) == 1


async def test_a_state_is_good_for_ten_minutes(site: Site) -> None:
    seconds = [0.0]
    async with open_lobby(site, state=MemoryState(clock=lambda: seconds[0])) as lobby:
        await lobby.add_issuer()
        state = await sent(lobby)
        seconds[0] = 600.0
        assert isinstance(await back(lobby, state), Refuse)


@pytest.mark.parametrize(
    "wrong",
    [
        {"browser": "another"},
        {"browser": ""},
        {"name": "other"},
        {"answer": {}},
        {"answer": {"state": "made-up", "code": "c", "iss": IDP}},
    ],
)
async def test_what_did_not_begin_in_this_browser_ends_there(
    lobby: Lobby, wrong: dict[str, Any]
) -> None:
    await lobby.add_issuer()
    state = await sent(lobby)
    answer = await back(lobby, state, **wrong)
    assert isinstance(answer, Refuse)
    assert answer.error is ErrorCode.INVALID_TOKEN
    assert lobby.provider.posted == []
    assert lobby.events("sign_in")[0].status == "denied"


@pytest.mark.parametrize(
    "members",
    [
        {"iss": "https://evil.example", "code": "c"},
        {"code": "c"},
        {"iss": IDP},
        {"iss": IDP, "error": "access_denied"},
    ],
)
async def test_an_answer_that_is_not_right_sends_no_code_anywhere(
    lobby: Lobby, members: dict[str, str]
) -> None:
    await lobby.add_issuer()
    answer = await back(lobby, state := await sent(lobby), answer={"state": "", **members})
    assert isinstance(answer, Refuse)
    answer = await back(lobby, state, answer={"state": state, **members})
    assert isinstance(answer, Refuse)
    assert lobby.provider.posted == []


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({**SAID, "nonce": "another"}, "nonce"),
        ({"iss": IDP}, "no subject"),
        ({**SAID, "sub": "x" * 900}, "no subject"),
    ],
)
async def test_what_the_provider_says_must_hold(
    lobby: Lobby, claims: dict[str, Any], reason: str
) -> None:
    await lobby.add_issuer()
    answer = await back(lobby, await sent(lobby), claims=claims)
    assert isinstance(answer, Refuse)
    assert reason in answer.private
    assert reason not in answer.public


@pytest.mark.parametrize("body", [b"no json", b"[]", b"{}", b'{"id_token": 5}'])
async def test_an_answer_of_the_token_endpoint_may_be_of_no_use(lobby: Lobby, body: bytes) -> None:
    await lobby.add_issuer()
    lobby.provider.body = body
    assert isinstance(await back(lobby, await sent(lobby)), Refuse)


async def test_a_token_endpoint_that_refuses_lets_nobody_in(lobby: Lobby) -> None:
    await lobby.add_issuer()
    lobby.provider.status = 400
    answer = await back(lobby, await sent(lobby))
    assert isinstance(answer, Refuse)
    assert "answered 400" in answer.private


async def test_an_issuer_that_is_gone_or_not_asked_any_more_lets_nobody_in(lobby: Lobby) -> None:
    state = await sent(lobby)
    assert isinstance(await back(lobby, state), Refuse)
    await lobby.add_issuer(replace(ISSUER, client_id=""))
    assert isinstance(await back(lobby, await sent(lobby)), Refuse)


async def test_who_was_deactivated_does_not_come_in_by_way_of_the_provider(lobby: Lobby) -> None:
    await lobby.add_issuer()
    assert isinstance(await back(lobby, await sent(lobby)), Arrival)
    async with lobby.site.rows() as (session, tenant_id):
        await Users(session, tenant_id).set_active("ann", is_active=False)
    answer = await back(lobby, await sent(lobby))
    assert isinstance(answer, Refuse)
    assert "not active" in answer.private


async def test_a_claim_may_say_whose_people_they_are(lobby: Lobby) -> None:
    issuer = replace(ISSUER, tenant_claim="org", tenants={"A": "acme", "G": "gone"})
    await lobby.add_issuer(issuer)
    arrival = await back(lobby, await sent(lobby), claims={**SAID, "org": "A"})
    assert isinstance(arrival, Arrival)
    assert arrival.ticket.tenant == "acme"
    for org in ("G", "X"):
        answer = await back(lobby, await sent(lobby), claims={**SAID, "org": org})
        assert isinstance(answer, Refuse)


async def test_under_the_host_of_a_tenant_only_its_providers_are_offered(lobby: Lobby) -> None:
    await lobby.add_issuer()
    theirs = replace(ISSUER, name="acme-id", issuer="https://acme.example", tenant="acme")
    await lobby.add_issuer(theirs)
    await lobby.add_issuer(replace(ISSUER, name="tokens-only", issuer="https://t", client_id=""))
    async with lobby.site.rows() as (session, _):
        await Tenants(session).update("acme", TenantChanges(hosts=("acme.example.com",)))
    providers = lobby.sign_in.providers
    assert [one.name for one in providers.offered("127.0.0.1")] == ["acme-id", "corp"]
    assert [one.name for one in providers.offered("acme.example.com")] == ["acme-id"]
    assert providers.find("corp", "acme.example.com") is None
    assert providers.find("tokens-only", "127.0.0.1") is None
    answer = await back(lobby, await sent(lobby), host="acme.example.com")
    assert isinstance(answer, Refuse)
    assert "nobody of default" in answer.private


@pytest.mark.parametrize(
    "metadata",
    [
        {"authorization_endpoint": None},
        {"token_endpoint": None},
        {"code_challenge_methods_supported": ["plain"]},
        {"issuer": "https://evil.example"},
    ],
)
async def test_a_provider_that_cannot_do_what_it_takes_is_not_gone_to(
    lobby: Lobby, metadata: dict[str, Any]
) -> None:
    lobby.provider.metadata.update(metadata)
    answer = await lobby.sign_in.providers.begin(ISSUER, BASE, "cookie", "/")
    assert isinstance(answer, Refuse)
    assert answer.error is ErrorCode.UNAVAILABLE


async def test_strangers_do_not_have_a_provider_asked_without_end(lobby: Lobby) -> None:
    await lobby.add_issuer()
    asked: list[str] = []
    fetch = lobby.provider.fetch

    async def counted(url: str, *, chosen_here: bool) -> Fetched:
        asked.append(url)
        await asyncio.sleep(0)
        return await fetch(url, chosen_here=chosen_here)

    providers = lobby.sign_in.providers
    providers._reach = replace(providers._reach, fetch=counted)
    for down, expected in ((True, Refuse), (False, str)):
        lobby.provider.down = down
        providers._metadata.clear()
        asked.clear()
        begun = [providers.begin(ISSUER, BASE, "cookie", "/") for _ in range(20)]
        assert {type(one) for one in await asyncio.gather(*begun)} == {expected}
        assert len(asked) == 1


async def test_a_provider_that_is_down_is_not_gone_to_and_not_waited_for(lobby: Lobby) -> None:
    lobby.provider.down = True
    assert isinstance(await lobby.sign_in.providers.begin(ISSUER, BASE, "c", "/"), Refuse)
    assert await lobby.sign_in.providers.sign_out_url(IDP, BASE) is None
    await lobby.add_issuer()
    assert await lobby.sign_in.providers.sign_out_url(IDP, BASE) is None


async def test_what_a_provider_says_of_itself_is_kept_for_a_while(lobby: Lobby) -> None:
    await lobby.add_issuer()
    await sent(lobby)
    lobby.provider.down = True
    assert isinstance(await back(lobby, await sent(lobby)), Arrival)
    found = await lobby.sign_in.providers.sign_out_url(IDP, f"{BASE}/sign-in")
    assert found is not None
    assert found[0] == "corp"
    assert await lobby.sign_in.providers.sign_out_url("", BASE) is None


async def test_a_token_endpoint_elsewhere_must_be_public(lobby: Lobby) -> None:
    lobby.provider.metadata["token_endpoint"] = "https://elsewhere.example/token"
    await lobby.add_issuer(replace(ISSUER, client_secret=""))
    assert isinstance(await back(lobby, await sent(lobby)), Arrival)
    ((_, form, headers, chosen),) = lobby.provider.posted
    assert not chosen
    assert headers == {}
    assert form["client_id"] == "console"


async def test_failures_do_not_fill_the_journal(lobby: Lobby) -> None:
    for _ in range(120):
        await back(lobby, "made-up")
    assert len(lobby.events("sign_in")) <= 100


async def test_too_many_newcomers_are_turned_away_and_on_record(site: Site) -> None:
    async with open_lobby(site, attempts=1) as lobby:
        await lobby.add_issuer()
        for number in range(PER_ADDRESS):
            claims = {**SAID, "sub": f"s-{number}"}
            assert isinstance(await back(lobby, await sent(lobby), claims=claims), Arrival)
        refused = await back(lobby, await sent(lobby), claims={**SAID, "sub": "one-more"})
        assert isinstance(refused, Refuse)
        assert refused.error is ErrorCode.TOO_MANY_ATTEMPTS
        denied = [one for one in lobby.events("sign_in") if one.status == "denied"]
        assert [one.error_code for one in denied] == ["E1010"]
        assert isinstance(
            await back(lobby, await sent(lobby), claims={**SAID, "sub": "s-0"}), Arrival
        )
