"""How issuers are asked over the network, and where this gateway says it is."""

import json
from collections.abc import AsyncIterator, Iterator

import pytest
from prometheus_client import CollectorRegistry

from bascule.app.identity import IssuerFetch, open_inbound, own_addresses
from bascule.app.secrets import no_secrets
from bascule.gateway.principal import Presented, Principal
from bascule.identity.fetching import IssuerUnusable
from bascule.settings.model import Settings
from bascule.upstreams.egress import PUBLIC_ONLY, AddressRules, parse_networks
from fakes.echo import Echo, echoing, response
from fakes.issuers import claims_of, issuer_of, public, sign, snapshot_of

ALLOWED = AddressRules(parse_networks(("127.0.0.0/8",)))


@pytest.fixture
def service() -> Iterator[Echo]:
    with echoing() as echo:
        yield echo


@pytest.fixture
async def fetch() -> AsyncIterator[IssuerFetch]:
    async with IssuerFetch.open(PUBLIC_ONLY) as opened:
        yield opened


async def test_loopback_is_asked_where_an_operator_wrote_it(
    fetch: IssuerFetch, service: Echo
) -> None:
    answer = await fetch(f"{service.url}/keys", chosen_here=True)
    assert (answer.status, answer.body) == (200, b"{}")
    assert service.last("/keys").header("authorization") is None


async def test_loopback_is_not_asked_where_a_document_named_it(
    fetch: IssuerFetch, service: Echo
) -> None:
    with pytest.raises(IssuerUnusable) as refused:
        await fetch(f"{service.url}/keys", chosen_here=False)
    assert "upstreams.allowed_networks" in refused.value.private
    assert service.received == []


async def test_an_allowed_network_is_asked_in_any_case(service: Echo) -> None:
    async with IssuerFetch.open(ALLOWED) as fetch:
        assert (await fetch(f"{service.url}/keys", chosen_here=False)).status == 200


async def test_where_clouds_keep_credentials_nobody_is_asked(fetch: IssuerFetch) -> None:
    for url in ("https://169.254.169.254/x", "https://[fe80::1]/x"):
        with pytest.raises(IssuerUnusable):
            await fetch(url, chosen_here=True)


async def test_a_redirect_is_an_answer_even_within_the_host(
    fetch: IssuerFetch, service: Echo
) -> None:
    service.answers["/moved"] = response(b"", status="302 Found", location="/keys")
    assert (await fetch(f"{service.url}/moved", chosen_here=True)).status == 302
    assert len(service.received) == 1


async def test_a_document_that_is_too_large_is_no_answer(fetch: IssuerFetch, service: Echo) -> None:
    service.answers["/large"] = response(b"x" * 262_145)
    with pytest.raises(IssuerUnusable):
        await fetch(f"{service.url}/large", chosen_here=True)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "nothing", "http://127.0.0.1:99999/"])
async def test_what_cannot_be_asked_says_why(fetch: IssuerFetch, url: str) -> None:
    with pytest.raises(IssuerUnusable) as failed:
        await fetch(url, chosen_here=True)
    assert failed.value.private.startswith(url)


async def test_tokens_are_known_over_the_network_and_counted(service: Echo) -> None:
    for path, answer in (
        (
            "/.well-known/openid-configuration",
            {"issuer": service.url, "jwks_uri": service.url + "/k"},
        ),
        ("/k", {"keys": [public("RS256")]}),
    ):
        service.answers[path] = response(json.dumps(answer).encode())
    settings = Settings.model_validate({"server": {"public_url": "https://tools.example"}})
    registry = CollectorRegistry()
    snapshot = snapshot_of(issuer_of(issuer=service.url))
    async with open_inbound(settings, no_secrets()) as inbound:
        inbound.register(registry)
        claims = claims_of(iss=service.url, iat=None, exp=2**40)
        token = sign({"alg": "RS256", "kid": "k0"}, claims)
        known = await inbound.tokens.identify(Presented(token), snapshot)
        assert isinstance(known, Principal)
        await inbound.tokens.identify(Presented("a.b.c"), snapshot)
    fetched = registry.get_sample_value("bascule_jwks_fetches_total", {"outcome": "ok"})
    refused = registry.get_sample_value("bascule_token_refusals_total", {"reason": "malformed"})
    assert (fetched, refused) == (1, 1)


def settings_of(**server: object) -> Settings:
    return Settings.model_validate({"server": server})


def test_a_public_address_is_the_only_one() -> None:
    settings = settings_of(public_url="https://tools.example", allowed_hosts=["other.example"])
    assert own_addresses(settings, "http://127.0.0.1:8000") == ("https://tools.example",)


def test_without_one_it_is_what_is_listened_on_under_every_name_that_is_served() -> None:
    settings = settings_of(port=0, allowed_hosts=["tools.example"])
    found = own_addresses(settings, "http://127.0.0.1:4711")
    assert {
        "http://127.0.0.1:4711",
        "http://localhost:4711",
        "http://[::1]:4711",
        "http://tools.example:4711",
        "https://tools.example",
    } <= set(found)
    assert "https://localhost" not in found
    assert "http://127.0.0.1:8000" in own_addresses(settings_of(), "")


def test_a_port_that_is_not_known_yet_is_no_address() -> None:
    assert own_addresses(settings_of(port=0), "") == ()
