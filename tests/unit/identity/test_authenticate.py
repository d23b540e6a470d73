from dataclasses import replace

import pytest

from bascule.gateway.call import EVERYTHING, Call, Endpoint, EndpointKind, Method
from bascule.gateway.errors import ErrorCode
from bascule.gateway.principal import Certificate, Evidence, Means, Presented, Principal
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.verdict import PASS, Refuse
from bascule.identity.api_keys import ApiKeys, RevokedKeys
from bascule.identity.authenticate import Authenticate, place_of
from fakes.catalogue import KEY, make_principal, make_snapshot

ANN = make_principal("ann")
TOKEN = "eyJ.a.token"
CERTIFICATE = Certificate("CN=agent", "CN=ca", "00")
EVIDENCE = Evidence(Means.TOKEN, "acme", "https://issuer", "s-1", "issuer:s-1")
BOB = replace(make_principal("bob"), evidence=EVIDENCE)
AGENT = make_principal("cert:agent")
NO = Refuse(ErrorCode.INVALID_TOKEN, "No.", "no")


class Known:
    """Tokens or certificates that are known as told; at once, or after waiting."""

    def __init__(self, found: Principal | Refuse | None, *, waits: bool = False) -> None:
        self._found = found
        self._waits = waits
        self.presented: list[Presented] = []

    def known(self, presented: Presented, snapshot: Snapshot) -> Principal | Refuse | None:
        del snapshot
        self.presented.append(presented)
        return None if self._waits else self._found

    async def identify(self, presented: Presented, snapshot: Snapshot) -> Principal | Refuse:
        del presented, snapshot
        assert self._found is not None
        return self._found

    def agent(self, certificate: Certificate, snapshot: Snapshot) -> Principal | Refuse | None:
        del certificate, snapshot
        return self._found


def a_call(credential: str | None = None, **fields: object) -> Call:
    call = Call(Method.TOOLS_CALL, "c-1", credential=credential, **fields)  # type: ignore[arg-type]
    call.snapshot = make_snapshot(principal=ANN)
    return call


def authenticate(
    tokens: Known | None = None,
    certificates: Known | None = None,
    revoked: RevokedKeys | None = None,
) -> Authenticate:
    return Authenticate(ApiKeys(revoked or RevokedKeys()), tokens, certificates)


@pytest.mark.parametrize("waits", [False, True])
async def test_a_token_identifies_its_bearer_and_is_kept_for_exchange_alone(waits: bool) -> None:
    call = a_call(TOKEN)
    assert await authenticate(Known(BOB, waits=waits)).inbound(call) is PASS
    assert call.principal is BOB
    assert call.credential is None
    assert call.bearer is not None
    assert TOKEN not in repr(call)
    assert call.bearer.for_exchange() == TOKEN


async def test_a_key_is_no_token_to_be_exchanged() -> None:
    call = a_call(KEY)
    assert await authenticate(Known(BOB)).inbound(call) is PASS
    assert (call.principal, call.bearer) == (ANN, None)


async def test_a_certificate_alone_identifies_its_bearer() -> None:
    call = a_call(certificate=CERTIFICATE)
    assert await authenticate(certificates=Known(AGENT)).inbound(call) is PASS
    assert call.principal is AGENT


@pytest.mark.parametrize("credential", [TOKEN, "bsc_unknown"])
async def test_a_certificate_does_not_help_a_credential_that_is_refused(credential: str) -> None:
    call = a_call(credential, certificate=CERTIFICATE)
    verdict = await authenticate(Known(NO), Known(AGENT)).inbound(call)
    assert isinstance(verdict, Refuse)
    assert call.principal is None


async def test_a_certificate_beside_a_credential_names_the_agent() -> None:
    for credential, tokens in ((TOKEN, Known(BOB)), (KEY, None)):
        call = a_call(credential, certificate=CERTIFICATE)
        assert await authenticate(tokens, Known(AGENT)).inbound(call) is PASS
        assert call.principal is not None
        assert call.principal.agent == "cert:agent"
        assert call.principal.subject in {"ann", "bob"}


async def test_an_agent_of_whom_nothing_is_known_is_named_by_nobody() -> None:
    call = a_call(KEY, certificate=CERTIFICATE)
    assert await authenticate(None, Known(None)).inbound(call) is PASS
    assert call.principal == ANN
    alone = a_call(KEY, certificate=CERTIFICATE)
    assert await authenticate().inbound(alone) is PASS


async def test_an_agent_that_is_refused_acts_for_nobody() -> None:
    call = a_call(KEY, certificate=CERTIFICATE)
    assert await authenticate(None, Known(NO)).inbound(call) is NO


async def test_whoever_was_shut_out_since_the_snapshot_does_not_come_in() -> None:
    revoked = RevokedKeys()
    carol = replace(BOB, user_id="u-1")
    stage = authenticate(Known(carol), Known(carol), revoked)
    assert await stage.inbound(a_call(TOKEN)) is PASS
    revoked.revoke("u-1")
    refused = await stage.inbound(a_call(TOKEN))
    assert isinstance(refused, Refuse)
    assert refused.error is ErrorCode.INVALID_TOKEN
    for_another = await authenticate(None, Known(carol), revoked).inbound(
        a_call(KEY, certificate=CERTIFICATE)
    )
    assert isinstance(for_another, Refuse)


async def test_at_a_tenants_host_callers_of_other_tenants_are_as_unknown_as_any() -> None:
    snapshot = replace(
        make_snapshot(principal=ANN), hosts={"acme.example": "acme", "other.example": "other"}
    )
    stage = authenticate()
    for host, welcome in (("acme.example", True), ("", True), ("other.example", False)):
        call = a_call(KEY, host=host)
        call.snapshot = snapshot
        assert (await stage.inbound(call) is PASS) is welcome
    lord = replace(ANN, permissions=frozenset({"system_admin"}))
    call = a_call(KEY, host="other.example")
    call.snapshot = replace(make_snapshot(principal=lord), hosts=snapshot.hosts)
    assert await stage.inbound(call) is PASS


async def test_a_token_is_judged_for_the_endpoint_that_is_called() -> None:
    tokens = Known(BOB)
    await authenticate(tokens).inbound(a_call(TOKEN, endpoint=Endpoint(EndpointKind.BUNDLE, "x")))
    await authenticate(tokens).inbound(a_call(TOKEN))
    assert [one.place for one in tokens.presented] == ["/mcp/bundles/x", "/mcp"]
    assert place_of(EVERYTHING) == "/mcp"
    assert place_of(Endpoint(EndpointKind.SERVER, "x")) == "/mcp/servers/x"
