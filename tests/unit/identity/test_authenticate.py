from dataclasses import replace

import pytest

from bascule.gateway.call import EVERYTHING, Call, Endpoint, EndpointKind, Method
from bascule.gateway.errors import ErrorCode
from bascule.gateway.issuer import Issuer
from bascule.gateway.principal import (
    Certificate,
    Evidence,
    KeyRecord,
    Means,
    Person,
    Presented,
    Principal,
)
from bascule.gateway.snapshot import Snapshot, TenantView
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


def vouched(principal: Principal, credential: str | None = None, **snapshot: object) -> Call:
    """A call of who was identified before, as things stand now."""
    call = a_call(credential)
    call.vouched = principal
    call.snapshot = replace(call.snapshot, **snapshot)  # type: ignore[arg-type]
    return call


SIGNED_IN = Evidence(Means.SESSION, "acme", "", "u-1", "carol", issued_at=5.0, expires_at=100.0)
ISSUER = Issuer("id", "https://issuer", "acme")


def tenant_with(*people: Person) -> dict[str, TenantView]:
    known = {("", one.user_id): one for one in people}
    view = TenantView("acme", roles={"user": frozenset({"tools:execute"})}, people=known)
    return {"acme": view}


def at(now: float, revoked: RevokedKeys | None = None) -> Authenticate:
    return Authenticate(ApiKeys(revoked or RevokedKeys(), lambda: now), now_seconds=lambda: now)


CAROL = Person("u-1", "carol", frozenset({"user"}))
CAROL_BEFORE = Principal("acme", "carol", frozenset(), user_id="u-1", evidence=SIGNED_IN)


async def test_who_is_vouched_for_has_the_rights_of_now_and_not_of_then() -> None:
    call = vouched(CAROL_BEFORE, tenants=tenant_with(CAROL))
    assert await at(50).inbound(call) is PASS
    assert call.principal is not None
    assert call.principal.permissions == {"tools:execute"}
    assert call.bearer is None


@pytest.mark.parametrize(
    ("person", "now", "reason"),
    [
        (None, 50, "not there any more"),
        (replace(CAROL, is_active=False), 50, "not active"),
        (replace(CAROL, signed_out_at=6.0), 50, "signed out everywhere"),
        (CAROL, 100, "expired"),
    ],
    ids=["gone", "inactive", "signed out", "expired"],
)
async def test_who_is_vouched_for_and_must_not_come_in_any_more_is_refused(
    person: Person | None, now: float, reason: str
) -> None:
    tenants = tenant_with(*([person] if person else []))
    found = await at(now).inbound(vouched(CAROL_BEFORE, tenants=tenants))
    assert isinstance(found, Refuse)
    assert reason in found.private


async def test_who_is_vouched_for_and_was_shut_out_is_refused() -> None:
    revoked = RevokedKeys()
    revoked.revoke("u-1")
    found = await at(50, revoked).inbound(vouched(CAROL_BEFORE, tenants=tenant_with(CAROL)))
    assert isinstance(found, Refuse)


async def test_a_token_whose_issuer_is_another_now_vouches_for_nobody() -> None:
    evidence = replace(EVIDENCE, basis=ISSUER)
    known = Principal("acme", "issuer:s-1", frozenset(), evidence=evidence)
    good = vouched(known, tenants=tenant_with(), issuers={ISSUER.issuer: ISSUER})
    assert await at(50).inbound(good) is PASS
    other = {ISSUER.issuer: replace(ISSUER, audiences=("x",))}
    assert isinstance(
        await at(50).inbound(vouched(known, tenants=tenant_with(), issuers=other)), Refuse
    )


async def test_who_is_vouched_for_by_a_key_stands_as_long_as_the_key() -> None:
    revoked = RevokedKeys()
    record = next(iter(a_call().snapshot.keys.values()))
    known = replace(record.principal, key_id=record.key_id)
    kept = KeyRecord(record.key_id, known, expires_at=100.0)
    call = vouched(known, keys={b"d": kept})
    assert await at(50, revoked).inbound(call) is PASS
    assert call.principal is known
    assert isinstance(await at(100, revoked).inbound(vouched(known, keys={b"d": kept})), Refuse)
    assert isinstance(await at(50, revoked).inbound(vouched(known, keys={})), Refuse)
    other = KeyRecord(record.key_id, replace(known, subject="somebody else"))
    assert isinstance(await at(50, revoked).inbound(vouched(known, keys={b"d": other})), Refuse)
    revoked.revoke(record.key_id)
    assert isinstance(await at(50, revoked).inbound(vouched(known, keys={b"d": kept})), Refuse)


async def test_who_has_nothing_to_be_judged_by_is_not_vouched_for() -> None:
    assert isinstance(await at(50).inbound(vouched(Principal("acme", "x", frozenset()))), Refuse)


async def test_a_credential_decides_whoever_is_vouched_for() -> None:
    call = vouched(CAROL_BEFORE, KEY)
    assert await authenticate().inbound(call) is PASS
    assert call.principal is ANN
    assert isinstance(await authenticate().inbound(vouched(CAROL_BEFORE, "bsc_unknown")), Refuse)


async def test_the_software_that_acted_then_is_the_one_that_acts() -> None:
    call = vouched(replace(CAROL_BEFORE, agent="desk"), tenants=tenant_with(CAROL))
    assert await at(50).inbound(call) is PASS
    assert call.principal is not None
    assert call.principal.agent == "desk"
