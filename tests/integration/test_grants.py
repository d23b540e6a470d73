"""Grants in the database, and consent in the shared state, as several processes use them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bascule.api.consenting import Approved
from bascule.app.consent import GovernedConsent, NoAddress
from bascule.app.grants import FRESH_SECONDS, DatabaseGrants, DatabaseRegistrations
from bascule.gateway.errors import Conflict, GatewayError, NotFound
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.state.memory import MemoryState
from bascule.storage.database import Database, open_database
from bascule.storage.errors import DatabaseUnreachable
from bascule.storage.repositories.grants import UserGrants
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.schema import migrate
from bascule.storage.seed import seed_defaults
from bascule.upstreams.oauth.failures import ConsentNeeded
from bascule.upstreams.oauth.ports import Callback, Grant, Holder, Pending, Registration
from bascule.upstreams.secrets.box import SecretBox
from fakes.consents import pending_of

URL = "https://tools.example"
HOLDER = Holder("default", "user|1", "notes")
RESOURCE = "https://notes.example/mcp"
GRANT = Grant(
    "https://id.example", RESOURCE, "client", "access-1", "refresh-1", ("read",), 2_000_000_000.0
)
OLD, NEW = b"o" * 32, b"n" * 32


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Process:
    """One of several on the same database and state."""

    def __init__(self, database: Database, state: MemoryState, *keys: bytes) -> None:
        self.clock = Clock()
        self.grants = DatabaseGrants(database, SecretBox(keys or (NEW,)), state, self.clock)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}") as opened:
        await migrate(opened)
        async with opened.change(author="t") as session:
            await seed_defaults(session)
        yield opened


@pytest.fixture
async def two(database: Database) -> tuple[Process, Process]:
    state = MemoryState()
    return Process(database, state), Process(database, state)


async def revoke(database: Database) -> None:
    async with database.jotting() as session:
        tenant_id = (await Tenants(session).get("default")).id
        await UserGrants(session, tenant_id).forget_owner(HOLDER.owner)


async def test_a_grant_is_found_by_every_process(two: tuple[Process, Process]) -> None:
    one, other = two
    assert await one.grants.load(HOLDER, RESOURCE) is None
    await one.grants.save(HOLDER, GRANT)
    assert await one.grants.load(HOLDER, RESOURCE) == GRANT
    assert await other.grants.load(HOLDER, RESOURCE) == GRANT


async def test_it_belongs_to_its_holder_alone(two: tuple[Process, Process]) -> None:
    one, _ = two
    await one.grants.save(HOLDER, GRANT)
    for changes in ({"owner": "user|2"}, {"upstream": "mail"}, {"tenant": "nowhere"}):
        assert await one.grants.load(replace(HOLDER, **changes), RESOURCE) is None
    assert await one.grants.load(HOLDER, "https://other.example") is None


async def test_what_another_process_changed_counts_within_a_second(
    two: tuple[Process, Process],
) -> None:
    one, other = two
    await one.grants.save(HOLDER, GRANT)
    await other.grants.load(HOLDER, RESOURCE)
    fresh = replace(GRANT, access_token="access-2")
    await one.grants.save(HOLDER, fresh)
    assert await other.grants.load(HOLDER, RESOURCE) == GRANT
    other.clock.seconds += FRESH_SECONDS
    assert await other.grants.load(HOLDER, RESOURCE) == fresh
    await one.grants.forget(HOLDER, RESOURCE)
    assert await one.grants.load(HOLDER, RESOURCE) is None
    other.clock.seconds += FRESH_SECONDS
    assert await other.grants.load(HOLDER, RESOURCE) is None


async def test_calls_do_not_ask_the_database(
    two: tuple[Process, Process], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = two
    await one.grants.save(HOLDER, GRANT)
    one.clock.seconds += FRESH_SECONDS
    reads = 0
    read = database.read

    def counted() -> object:
        nonlocal reads
        reads += 1
        return read()

    monkeypatch.setattr(database, "read", counted)
    found = await asyncio.gather(*(one.grants.load(HOLDER, RESOURCE) for _ in range(50)))
    assert set(found) == {GRANT}
    assert reads == 1, "one look for all who wait"
    for _ in range(50):
        await one.grants.load(HOLDER, RESOURCE)
    assert reads == 1


async def test_a_database_that_is_away_for_a_moment_stops_no_call(
    two: tuple[Process, Process], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = two
    await one.grants.save(HOLDER, GRANT)

    def away() -> object:
        raise DatabaseUnreachable("away")

    monkeypatch.setattr(database, "read", away)
    one.clock.seconds += 20
    assert await one.grants.load(HOLDER, RESOURCE) == GRANT
    one.clock.seconds += 20
    with pytest.raises(GatewayError):
        await one.grants.load(HOLDER, RESOURCE)


async def test_a_refresh_token_is_used_by_one_process_at_a_time(
    two: tuple[Process, Process],
) -> None:
    one, other = two
    await one.grants.save(HOLDER, GRANT)
    used: list[str | None] = []

    async def refresh(process: Process) -> None:
        async with process.grants.refreshing(HOLDER, RESOURCE) as grant:
            assert grant is not None
            if grant.access_token != "access-1":
                return
            used.append(grant.refresh_token)
            await asyncio.sleep(0)
            fresh = replace(grant, access_token="access-2", refresh_token="refresh-2")
            await process.grants.save(HOLDER, fresh)

    async with asyncio.timeout(10):
        await asyncio.gather(*(refresh(process) for process in (one, other) * 4))
    assert used == ["refresh-1"]


async def test_what_was_revoked_does_not_come_back_by_a_refresh_under_way(
    two: tuple[Process, Process], database: Database
) -> None:
    one, other = two
    await one.grants.save(HOLDER, GRANT)
    async with one.grants.refreshing(HOLDER, RESOURCE) as grant:
        assert grant is not None
        await revoke(database)
        await one.grants.save(HOLDER, replace(grant, access_token="access-2"))
    for process in (one, other):
        assert await process.grants.load(HOLDER, RESOURCE) is None


async def test_a_consent_during_a_refresh_wins(two: tuple[Process, Process]) -> None:
    one, other = two
    await one.grants.save(HOLDER, GRANT)
    consented = replace(GRANT, access_token="consented", scopes=("read", "write"))
    async with one.grants.refreshing(HOLDER, RESOURCE) as grant:
        assert grant is not None
        await other.grants.save(HOLDER, consented)
        await one.grants.save(HOLDER, replace(grant, access_token="access-2"))
    assert await one.grants.load(HOLDER, RESOURCE) == consented


async def test_tokens_under_an_older_key_open_and_those_under_none_are_asked_for_anew(
    database: Database,
) -> None:
    state = MemoryState()
    await Process(database, state, OLD).grants.save(HOLDER, GRANT)
    assert await Process(database, state, NEW, OLD).grants.load(HOLDER, RESOURCE) == GRANT
    assert await Process(database, state, NEW).grants.load(HOLDER, RESOURCE) is None


async def test_the_lender_is_who_consented_first(two: tuple[Process, Process]) -> None:
    one, _ = two
    assert await one.grants.lender("default", "notes") is None
    assert await one.grants.lender("nowhere", "notes") is None
    await one.grants.save(HOLDER, GRANT)
    await one.grants.save(replace(HOLDER, owner="user|0"), GRANT)
    assert await one.grants.lender("default", "notes") == "user|1"
    await one.grants.save(replace(HOLDER, owner=""), GRANT)
    assert await one.grants.lender("default", "notes") == ""


async def test_a_registration_is_kept_with_its_secret(database: Database) -> None:
    kept = DatabaseRegistrations(database, SecretBox([OLD]))
    made = Registration(
        "https://id.example", "id", "the secret", "client_secret_basic", f"{URL}/cb", 2e9
    )
    assert await kept.load("default", made.issuer) is None
    await kept.save("default", made)
    assert await kept.load("default", made.issuer) == made
    assert (
        await DatabaseRegistrations(database, SecretBox([NEW])).load("default", made.issuer) is None
    )
    await kept.save("default", Registration(made.issuer, "public"))
    assert await kept.load("default", made.issuer) == Registration(made.issuer, "public")


# Consent.


def consent_of(state: MemoryState, url: str = URL) -> GovernedConsent:
    return GovernedConsent(state, SecretBox([NEW]), url)


async def link_of(consent: GovernedConsent, pending: Pending) -> str:
    with pytest.raises(ConsentNeeded) as raised:
        await consent.ask(pending)
    assert raised.value.url.startswith(f"{URL}/oauth/consent/")
    return urlsplit(raised.value.url).path.rpartition("/")[2]


async def test_consent_is_asked_for_on_a_page_that_any_process_shows() -> None:
    state = MemoryState()
    link = await link_of(consent_of(state), pending_of())
    assert await consent_of(state).find(link) == pending_of()
    assert await consent_of(state).find("x" * 43) is None


async def test_who_is_asked_again_is_given_the_same_link() -> None:
    consent = consent_of(MemoryState())
    link = await link_of(consent, pending_of())
    assert await link_of(consent, pending_of(state="another")) == link
    assert await link_of(consent, pending_of("key|bob")) != link
    assert await link_of(consent, pending_of(scopes=("more",))) != link


async def test_every_step_is_taken_once_whoever_takes_it() -> None:
    state = MemoryState()
    one, other = consent_of(state), consent_of(state)
    link = await link_of(one, pending_of())
    approved = Approved(pending_of(), "flow", "digest")
    assert sorted(
        await asyncio.gather(one.approve(link, approved), other.approve(link, approved))
    ) == [False, True]
    assert await one.find(link) is None
    taken = await asyncio.gather(one.take("the-state"), other.take("the-state"))
    assert [found for found in taken if found] == [approved]
    assert await link_of(one, pending_of()) != link, "the next call begins anew"


async def test_who_declines_is_given_another_link_next_time() -> None:
    consent = consent_of(MemoryState())
    link = await link_of(consent, pending_of())
    assert await consent.decline(link) == pending_of()
    assert await consent.decline(link) is None
    assert await link_of(consent, pending_of()) != link


async def test_the_store_learns_neither_link_nor_state_nor_verifier() -> None:
    seen: list[str] = []

    class Watched(MemoryState):
        async def put(self, key: str, value: bytes, ttl_seconds: float) -> None:
            seen.append(f"{key} {value!r} {ttl_seconds}")
            await super().put(key, value, ttl_seconds)

        async def put_new(self, key: str, value: bytes, ttl_seconds: float) -> bool:
            seen.append(f"{key} {value!r} {ttl_seconds}")
            return await super().put_new(key, value, ttl_seconds)

    consent = consent_of(Watched())
    link = await link_of(consent, pending_of())
    await consent.approve(link, Approved(pending_of(), "flow", "digest"))
    everything = " ".join(seen)
    assert len(seen) == 3
    for secret in (link, "the-state", "the-verifier", "key|ann"):
        assert secret not in everything
    assert all(float(one.rpartition(" ")[2]) <= 600 for one in seen), "ten minutes at most"


async def test_what_was_moved_in_the_store_opens_no_more() -> None:
    state = MemoryState()
    consent = consent_of(state)
    await link_of(consent, pending_of())
    other = GovernedConsent(state, SecretBox([OLD]), URL)
    link = await link_of(consent, pending_of())
    assert await other.find(link) is None
    await state.put(f"consent:state:{'0' * 64}", b"garbage", 10)
    assert await consent.take("anything") is None


class FakeAccess:
    def __init__(self, consent: GovernedConsent) -> None:
        self.consent = consent
        self.finished: list[Pending] = []

    async def connect(self, owner: str) -> object:
        return await self.consent.ask(pending_of(owner))

    async def finish(self, pending: Pending, callback: Callback) -> object:
        del callback
        self.finished.append(pending)
        return None


async def test_a_server_is_connected_and_finished_through_its_own_access() -> None:
    consent = consent_of(MemoryState())
    access = FakeAccess(consent)
    servers = {name: Upstream(name, UpstreamKind.MCP_HTTP) for name in ("notes", "plain")}
    snapshot = Snapshot(1, {"default": TenantView("default", upstreams=servers)})
    with pytest.raises(NotFound):
        await consent.connect("default", "notes", "key|ann")
    consent.attach(lambda: snapshot, lambda _, one: access if one.name == "notes" else None)
    url = await consent.connect("default", "notes", "key|ann")
    assert url.startswith(f"{URL}/oauth/consent/")
    await consent.finish(pending_of(), Callback("the-state", "code"))
    assert access.finished == [pending_of()]
    with pytest.raises(Conflict):
        await consent.connect("default", "plain", "key|ann")
    with pytest.raises(NotFound):
        await consent.connect("acme", "notes", "key|ann")


async def test_without_an_address_nobody_can_be_asked() -> None:
    consent = consent_of(MemoryState(), "")
    with pytest.raises(NoAddress, match="public_url"):
        await consent.ask(pending_of())
    assert consent.client_document is None


def test_the_client_is_described_where_its_address_is_https() -> None:
    document = consent_of(MemoryState()).client_document
    assert document is not None
    assert document["client_id"] == f"{URL}/oauth/client.json"
    assert document["redirect_uris"] == [f"{URL}/oauth/callback"]
    assert consent_of(MemoryState(), "http://127.0.0.1:8000").client_document is None
