"""Nothing of one tenant is ever seen, changed or removed by a repository of another."""

import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, event
from sqlalchemy.ext.asyncio import AsyncSession

from bascule.catalogue.planning import Plan
from bascule.gateway.elevation import Scope, ScopeKind
from bascule.gateway.errors import GatewayError
from bascule.gateway.issuer import CertificateRule, Issuer
from bascule.gateway.rule import Effect, Rule
from bascule.gateway.secrets import SealedSecret
from bascule.gateway.tool import Bundle, ToolStatus
from bascule.policy.elevation import ElevationStatus, Holder
from bascule.storage.compiler import compile_snapshot
from bascule.storage.database import Database
from bascule.storage.documents import PolicyState, policy_document
from bascule.storage.repositories.administrators import Administrators, Holders
from bascule.storage.repositories.bundles import Bundles, BundleStatus
from bascule.storage.repositories.certificate_rules import CertificateRules
from bascule.storage.repositories.chat_messages import ChatMessages, MessageDraft, StoredMessage
from bascule.storage.repositories.conversations import (
    ConversationChanges,
    Conversations,
    DeletedConversations,
)
from bascule.storage.repositories.elevations import (
    ElevationDraft,
    Elevations,
    Ending,
    Origin,
    Ruling,
)
from bascule.storage.repositories.elevations import Filter as ElevationFilter
from bascule.storage.repositories.grants import (
    GrantDraft,
    GrantKey,
    OAuthClients,
    StoredClient,
    UserGrants,
)
from bascule.storage.repositories.groups import Groups
from bascule.storage.repositories.holdings import Holdings
from bascule.storage.repositories.imports import ImportDraft, Imports, ImportStatus
from bascule.storage.repositories.issuers import Issuers
from bascule.storage.repositories.keys import KeyDraft, Keys, NewSecret
from bascule.storage.repositories.pins import Definition, Pins
from bascule.storage.repositories.policies import Policies
from bascule.storage.repositories.policy_changes import Alteration, PolicyChanges
from bascule.storage.repositories.policy_drafts import PolicyDrafts
from bascule.storage.repositories.policy_tests import PolicyTest, PolicyTests
from bascule.storage.repositories.publications import Publications
from bascule.storage.repositories.roles import Roles
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.secrets import Secrets
from bascule.storage.repositories.sessions import SessionDraft, Sessions, StoredSession
from bascule.storage.repositories.surveys import Surveys
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.repositories.tools import ToolFilter, Tools
from bascule.storage.repositories.upstreams import Upstreams
from bascule.storage.repositories.users import Identity, UserChanges, UserDraft, Users
from bascule.storage.seed import seed_roles
from bascule.storage.tables import Base
from contract.storage.samples import BOOKING, SOURCE, a_tool, add_tools

_RULE = Rule("theirs", Effect.ALLOW, frozenset({"user"}))
_SAID = policy_document(PolicyState(_RULE))
_SECRET = SealedSecret("theirs", b"n" * 12, b"c" * 20, "k")
_GRANT = GrantDraft(
    GrantKey("key|theirs", "weather", "https://id.example", "r"), "c", (), None, _SECRET
)
_CLIENT = StoredClient("https://id.example", "theirs", {}, _SECRET)
_APPROVED = Definition(b"a" * 32, b'{"name":"theirs"}')
_WAITING = Definition(b"w" * 32, b'{"name":"theirs","title":"New"}')
_ISSUER = Issuer("theirs", "https://theirs.example", "other")
_COOKIE = b"v" * 32
_IDENTITY = Identity("https://theirs.example", "1")
_CERTIFICATES = CertificateRule("theirs", "other", "DNS:theirs.example", ("theirs",))
_NEW_SECRET = NewSecret(b"r" * 32, "bsc_rotated")
_USER = frozenset({"user"})
_SOON = datetime.now(UTC) + timedelta(minutes=1)
_LONG_AGO = _SOON - timedelta(days=1)
_KEY = KeyDraft("theirs", b"k" * 32, "bsc_theirs", frozenset({"user"}))
_THEIR_TOOL = Scope(ScopeKind.TOOL, "theirs")
_WISH = ElevationDraft(
    Holder("key|theirs", "theirs"),
    "theirs",
    "key|theirs",
    _THEIR_TOOL,
    Origin("theirs", "theirs"),
    "why",
    "",
    60,
    _SOON,
    _SOON,
)
_ALLOWED = Ruling("theirs", _SOON, "", _THEIR_TOOL, 60, _SOON, "r")
_TALK = UUID(int=7)
_SAID_THERE = StoredMessage("theirs", _TALK, None, "user", "complete", "[]", "", 0, 0, _LONG_AGO)
_SPEC = ImportDraft(
    "theirs", "1", "theirs", "booking-api", "http://h", b"{}", Plan((), (), ()), is_in_use=True
)


class _Theirs:
    """What the other tenant owns, all of it named `theirs`."""

    def __init__(
        self, key_id: Any, spec: Any, grant_id: Any, entry: StoredSession, wish_id: Any
    ) -> None:
        self.wish_id = wish_id
        self.key_id = key_id
        self.entry = entry
        self.grant_id = grant_id
        self.spec = spec
        self.spec_id = spec.id


async def _fill(session: AsyncSession, tenant_id: TenantId) -> _Theirs:
    await add_tools(session, tenant_id, [a_tool("theirs", bundle="theirs", tags=("theirs",))])
    await Roles(session, tenant_id).create("theirs", "", ["tools:list"])
    await Policies(session, tenant_id).create(_RULE)
    await PolicyChanges(session, tenant_id).append([Alteration("theirs", None, _SAID)])
    await PolicyDrafts(session, tenant_id).put("theirs", 0, {"theirs": PolicyState(_RULE)})
    await PolicyTests(session, tenant_id).put(PolicyTest("theirs", {}, Effect.DENY))
    key = await Keys(session, tenant_id).create(_KEY)
    await Secrets(session, tenant_id).put(_SECRET)
    grant = await UserGrants(session, tenant_id).put(_GRANT)
    await OAuthClients(session, tenant_id).put(_CLIENT)
    await Issuers(session, tenant_id).create(_ISSUER)
    for definition in (_APPROVED, _WAITING):
        await Pins(session, tenant_id).note("weather", {"theirs": definition}, trust_new=True)
    spec = await Imports(session, tenant_id).add(_SPEC)
    draft = UserDraft("visitor", roles=frozenset({"admin"}), password_hash="$")
    visitor = await Users(session, tenant_id).create(draft)
    await Users(session, tenant_id).link(visitor.id, _IDENTITY)
    await Groups(session, tenant_id).put("theirs", ["theirs"])
    await CertificateRules(session, tenant_id).put(_CERTIFICATES)
    opened = SessionDraft(visitor.id, _COOKIE, _SOON, _SOON + timedelta(hours=1))
    entry = await Sessions(session, tenant_id).open(opened)
    wish = await Elevations(session, tenant_id).create(_WISH)
    await Conversations(session, tenant_id, "key|theirs").create(_TALK, "theirs", _LONG_AGO)
    await _chat(session, tenant_id).add(MessageDraft(_SAID_THERE, "theirs", "theirs"))
    return _Theirs(key.id, spec, grant.id, entry, wish.id)


def _chat(session: AsyncSession, tenant_id: TenantId) -> ChatMessages:
    return ChatMessages(session, tenant_id, "key|theirs")


def _talks(session: AsyncSession, tenant_id: TenantId) -> Conversations:
    return Conversations(session, tenant_id, "key|theirs")


_Attempt = Callable[[AsyncSession, TenantId, _Theirs], Awaitable[object]]
# Each either finds nothing or is refused.
_ATTEMPTS: dict[str, _Attempt] = {
    "bundle": lambda s, t, _: Bundles(s, t).get("theirs"),
    "bundles": lambda s, t, _: Bundles(s, t).list(),
    "bundle status": lambda s, t, _: Bundles(s, t).set_status("theirs", BundleStatus.INACTIVE),
    "tool": lambda s, t, _: Tools(s, t).get("theirs"),
    "tools": lambda s, t, _: _items(Tools(s, t).list()),
    "tool search": lambda s, t, _: _items(Tools(s, t).list(ToolFilter(search="theirs"))),
    "tool by bundle": lambda s, t, _: _items(Tools(s, t).list(ToolFilter(bundle="theirs"))),
    "tool by tag": lambda s, t, _: _items(Tools(s, t).list(ToolFilter(tag="theirs"))),
    "tool by tag and bundle": lambda s, t, _: _items(
        Tools(s, t).list(ToolFilter(tag="theirs", bundle="theirs"))
    ),
    "tool search by tag": lambda s, t, _: _items(
        Tools(s, t).list(ToolFilter(tag="theirs", search="theirs"))
    ),
    "tool publish": lambda s, t, _: Tools(s, t).publish("theirs"),
    "tool status": lambda s, t, _: Tools(s, t).set_status("theirs", ToolStatus.INACTIVE),
    "tool delete": lambda s, t, _: Tools(s, t).delete("theirs"),
    "tool in bundle": lambda s, t, _: Tools(s, t).upsert(a_tool("mine", bundle="theirs")),
    "upstream": lambda s, t, _: Upstreams(s, t).get("booking-api"),
    "upstreams": lambda s, t, _: Upstreams(s, t).list(),
    "secrets": lambda s, t, _: Secrets(s, t).list(),
    "grant": lambda s, t, _: _or_nothing(UserGrants(s, t).find("key|theirs", "weather", "r")),
    "grants": lambda s, t, _: _items(UserGrants(s, t).list()),
    "grants of owner": lambda s, t, _: _items(UserGrants(s, t).list(owner="key|theirs")),
    "grants at upstream": lambda s, t, _: _items(UserGrants(s, t).list(upstream="weather")),
    "all grants": lambda s, t, _: _listed(UserGrants(s, t).all()),
    "grant lender": lambda s, t, _: _or_nothing(UserGrants(s, t).lender("weather")),
    "grant refresh": lambda s, t, _: _or_nothing(UserGrants(s, t).replace(_GRANT, 1)),
    "grant reseal": lambda s, t, theirs: UserGrants(s, t).reseal(theirs.grant_id, _SECRET),
    "grant delete": lambda s, t, theirs: UserGrants(s, t).remove(theirs.grant_id),
    "grant forget": lambda s, t, _: _or_nothing(
        UserGrants(s, t).forget("key|theirs", "weather", "r")
    ),
    "grants forget": lambda s, t, _: _or_nothing(UserGrants(s, t).forget_owner("key|theirs")),
    "client": lambda s, t, _: _or_nothing(OAuthClients(s, t).find("https://id.example")),
    "clients": lambda s, t, _: _listed(OAuthClients(s, t).all()),
    "elevation": lambda s, t, theirs: Elevations(s, t).get(theirs.wish_id),
    "elevations": lambda s, t, _: _items(
        Elevations(s, t).list(ElevationFilter(owner="key|theirs"))
    ),
    "elevation history": lambda s, t, _: _counted(Elevations(s, t).history("key|theirs")),
    "elevations asked": lambda s, t, _: _tally(Elevations(s, t).asked("key|theirs", _LONG_AGO)),
    "elevations alike": lambda s, t, _: _listed(
        Elevations(s, t).alike("key|theirs", _THEIR_TOOL, ElevationStatus.PENDING)
    ),
    "elevations overdue": lambda s, t, _: _listed(
        Elevations(s, t).overdue(_SOON + timedelta(days=1), 9)
    ),
    "elevation approval": lambda s, t, theirs: Elevations(s, t).rule(theirs.wish_id, _ALLOWED),
    "elevations live": lambda s, t, _: _listed(Elevations(s, t).live(_LONG_AGO)),
    "elevation end": lambda s, t, theirs: Elevations(s, t).end(
        theirs.wish_id, Ending(ElevationStatus.REVOKED, _SOON)
    ),
    "secret replace": lambda s, t, _: Secrets(s, t).replace(_SECRET),
    "secret delete": lambda s, t, _: Secrets(s, t).delete("theirs"),
    "upstream delete": lambda s, t, _: Upstreams(s, t).delete("booking-api"),
    "pins": lambda s, t, _: Pins(s, t).list(),
    "pins of server": lambda s, t, _: Pins(s, t).list(server="weather", waiting=True),
    "pin": lambda s, t, _: Pins(s, t).get("weather", "theirs"),
    "pin reject": lambda s, t, _: Pins(s, t).reject("weather", "theirs", _WAITING.digest),
    "pin approve": lambda s, t, _: Pins(s, t).approve("weather", "theirs", _WAITING.digest),
    "pin note": lambda s, t, _: Pins(s, t).note("weather", {"mine": _WAITING}, trust_new=True),
    "policies": lambda s, t, _: Policies(s, t).list(),
    "policy": lambda s, t, _: Policies(s, t).get("theirs"),
    "policy documents": lambda s, t, _: _listed(Policies(s, t).documents()),
    "policy document": lambda s, t, _: _or_nothing(Policies(s, t).find_document("theirs")),
    "policy delete": lambda s, t, _: Policies(s, t).delete("theirs"),
    "policy versions": lambda s, t, _: _items(PolicyChanges(s, t).list()),
    "policy version": lambda s, t, _: PolicyChanges(s, t).get(1),
    "policy version in force": lambda s, t, _: _or_nothing(PolicyChanges(s, t).latest()),
    "policies touched": lambda s, t, _: _listed(PolicyChanges(s, t).touched_since(0)),
    "policies before": lambda s, t, _: _listed(PolicyChanges(s, t).state_at(0)),
    "drafts": lambda s, t, _: PolicyDrafts(s, t).list(),
    "draft": lambda s, t, _: PolicyDrafts(s, t).get("theirs"),
    "draft by name": lambda s, t, _: _or_nothing(PolicyDrafts(s, t).find("theirs")),
    "draft delete": lambda s, t, _: PolicyDrafts(s, t).delete("theirs"),
    "policy tests": lambda s, t, _: PolicyTests(s, t).list(),
    "policy test": lambda s, t, _: PolicyTests(s, t).get("theirs"),
    "policy test delete": lambda s, t, _: PolicyTests(s, t).delete("theirs"),
    "role": lambda s, t, _: Roles(s, t).get("theirs"),
    "keys": lambda s, t, _: Keys(s, t).list(),
    "key rotate": lambda s, t, theirs: Keys(s, t).rotate(theirs.key_id, _NEW_SECRET),
    "key revoke": lambda s, t, theirs: Keys(s, t).revoke(theirs.key_id),
    "key": lambda s, t, theirs: Keys(s, t).get(theirs.key_id),
    "keys of user": lambda s, t, theirs: Keys(s, t).list(theirs.entry.user_id),
    "key use": lambda s, t, theirs: _or_nothing(Keys(s, t).note_uses({theirs.key_id: _SOON})),
    "key of user": lambda s, t, theirs: Keys(s, t).create(
        KeyDraft("mine", b"m" * 32, "bsc_mine", _USER, user_id=theirs.entry.user_id)
    ),
    "user": lambda s, t, _: Users(s, t).get("visitor"),
    "user by name": lambda s, t, _: _or_nothing(Users(s, t).find("visitor")),
    "user by id": lambda s, t, theirs: _or_nothing(Users(s, t).find_by_id(theirs.entry.user_id)),
    "user by identity": lambda s, t, _: _or_nothing(
        Users(s, t).find_by_identity(_IDENTITY.issuer, _IDENTITY.subject)
    ),
    "users": lambda s, t, _: _items(Users(s, t).list()),
    "user search": lambda s, t, _: _items(Users(s, t).list(search="visitor", is_active=True)),
    "user update": lambda s, t, _: Users(s, t).update("visitor", UserChanges(email="x@y")),
    "user off": lambda s, t, _: Users(s, t).set_active("visitor", is_active=False),
    "user password": lambda s, t, theirs: Users(s, t).set_password_hash(theirs.entry.user_id, "$"),
    "user sign-in": lambda s, t, theirs: _or_nothing(
        Users(s, t).note_sign_in(theirs.entry.user_id)
    ),
    "user sign-out": lambda s, t, theirs: Users(s, t).sign_out_everywhere(theirs.entry.user_id),
    "user link": lambda s, t, theirs: Users(s, t).link(theirs.entry.user_id, _IDENTITY),
    "user unlink": lambda s, t, theirs: Users(s, t).unlink(theirs.entry.user_id, _IDENTITY),
    "user delete": lambda s, t, _: Users(s, t).delete("visitor"),
    "role update": lambda s, t, _: Roles(s, t).update(
        "theirs", description="", permissions=["audit:read"]
    ),
    "role uses": lambda s, t, _: Roles(s, t).uses("theirs"),
    "role check": lambda s, t, _: _or_nothing(Roles(s, t).check(["theirs"])),
    "role delete": lambda s, t, _: Roles(s, t).delete("theirs"),
    "groups": lambda s, t, _: Groups(s, t).list(),
    "group": lambda s, t, _: Groups(s, t).get("theirs"),
    "group by name": lambda s, t, _: _or_nothing(Groups(s, t).find("theirs")),
    "group delete": lambda s, t, _: Groups(s, t).delete("theirs"),
    "group with role": lambda s, t, _: Groups(s, t).put("mine", ["theirs"]),
    "certificate rules": lambda s, t, _: CertificateRules(s, t).list(),
    "certificate rule": lambda s, t, _: _or_nothing(CertificateRules(s, t).find("theirs")),
    "certificate rule delete": lambda s, t, _: CertificateRules(s, t).delete("theirs"),
    "holdings": lambda s, t, _: _counted(Holdings(s, t).count()),
    "administrators": lambda s, t, _: _held(Administrators(s, t).holding("users:manage")),
    "key with role": lambda s, t, _: Keys(s, t).create(
        KeyDraft("mine", b"m" * 32, "bsc_mine", frozenset({"theirs"}))
    ),
    "imports": lambda s, t, _: _items(Imports(s, t).list()),
    "import": lambda s, t, theirs: Imports(s, t).get(theirs.spec_id),
    "import document": lambda s, t, theirs: Imports(s, t).document(theirs.spec_id),
    "import steps": lambda s, t, theirs: Imports(s, t).steps(theirs.spec_id),
    "import waiting": lambda s, t, _: _or_nothing(Imports(s, t).waiting("booking-api")),
    "import decided": lambda s, t, theirs: Imports(s, t).decide(
        theirs.spec_id, ImportStatus.PUBLISHED
    ),
    "import in bundle": lambda s, t, _: Imports(s, t).add(_SPEC),
    "import discarded": lambda s, t, theirs: Publications(s, t).discard(theirs.spec),
    "issuer replace": lambda s, t, _: Issuers(s, t).replace(_ISSUER),
    "issuer delete": lambda s, t, _: Issuers(s, t).delete("theirs"),
    "session": lambda s, t, _: _or_nothing(Sessions(s, t).find(_COOKIE)),
    "session open": lambda s, t, theirs: _or_nothing(Sessions(s, t).is_open(theirs.entry.id)),
    "sessions": lambda s, t, theirs: Sessions(s, t).list(theirs.entry.user_id, _SOON),
    "session touch": lambda s, t, theirs: _or_nothing(Sessions(s, t).touch(theirs.entry.id, _SOON)),
    "session end": lambda s, t, theirs: Sessions(s, t).end(
        theirs.entry.user_id, theirs.entry.id, _SOON
    ),
    "session end all": lambda s, t, theirs: _or_nothing(
        Sessions(s, t).end_all(theirs.entry.user_id, _SOON)
    ),
    "session forget": lambda s, t, _: _or_nothing(Sessions(s, t).forget(_SOON + timedelta(days=9))),
    "session of theirs": lambda s, t, theirs: Sessions(s, t).open(
        SessionDraft(theirs.entry.user_id, b"w" * 32, _SOON, _SOON)
    ),
    "conversation": lambda s, t, _: _talks(s, t).get(_TALK),
    "conversations": lambda s, t, _: _items(_talks(s, t).list("", 1, 9)),
    "conversation search": lambda s, t, _: _items(_talks(s, t).list("theirs", 1, 9)),
    "conversation change": lambda s, t, _: _talks(s, t).change(
        _TALK, ConversationChanges("x", head_id="theirs")
    ),
    "conversation title": lambda s, t, _: _or_nothing(_talks(s, t).retitle(_TALK, "x")),
    "conversation allow": lambda s, t, _: _talks(s, t).allow(_TALK, "x"),
    "conversation put away": lambda s, t, _: _talks(s, t).delete(_TALK, _LONG_AGO),
    "conversation restore": lambda s, t, _: _talks(s, t).restore(_TALK),
    "conversation purge": lambda s, t, _: _or_nothing(DeletedConversations(s, t).purge(_SOON)),
    "messages": lambda s, t, _: _chat(s, t).messages(_TALK),
    "branch": lambda s, t, _: _chat(s, t).branch(_TALK, "theirs"),
    "message": lambda s, t, _: _chat(s, t).message("theirs"),
    "message sent": lambda s, t, _: _or_nothing(_chat(s, t).sent(_TALK, "theirs")),
    "message add": lambda s, t, _: _chat(s, t).add(
        MessageDraft(replace(_SAID_THERE, id="mine"), "")
    ),
    "tokens": lambda s, t, _: _or_nothing(_chat(s, t).tokens_since(_LONG_AGO)),
    "message save": lambda s, t, _: _chat(s, t).save(_SAID_THERE, ""),
    "conversation remove all": lambda s, t, _: _or_nothing(_talks(s, t).remove_all()),
    "versions": lambda s, t, _: Tools(s, t).versions("theirs"),
    "roll back": lambda s, t, _: Tools(s, t).roll_back("theirs", "1.0.0"),
    "survey": lambda s, t, _: _versions(Surveys(s, t).look("theirs", "theirs", ["theirs"])),
}


async def _counted(found: Awaitable[Mapping[str, int]]) -> object:
    return tuple(await found)


async def _tally(found: Awaitable[tuple[int, int]]) -> object:
    return tuple(one for one in await found if one)


async def _held(found: Awaitable[Holders]) -> object:
    return tuple((await found).everybody)


async def _versions(survey: Awaitable[Any]) -> object:
    return tuple((await survey).versions)


async def _listed(found: Awaitable[Any]) -> object:
    return tuple(await found)


async def _or_nothing(found: Awaitable[Any]) -> object:
    return await found or ()


async def _items(page: Awaitable[Any]) -> object:
    return (await page).items


async def test_what_another_tenant_owns_cannot_be_reached(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        other = (await Tenants(session).create("other")).id
        await seed_roles(session, other)
        theirs = await _fill(session, other)
    async with database.read() as session:
        before = await compile_snapshot(session)
    for name, attempt in _ATTEMPTS.items():
        found: object = ()
        with suppress(GatewayError):
            async with database.change(author="t") as session:
                found = await attempt(session, tenant, theirs)
        assert found == (), name
        async with database.read() as session:
            after = await compile_snapshot(session)
        assert after.tenants == before.tenants, name
        assert after.keys == before.keys, name


async def test_every_statement_of_every_repository_names_the_tenant(
    database: Database, tenant: TenantId
) -> None:
    owned = {name for name, table in Base.metadata.tables.items() if "tenant_id" in table.c}
    statements: list[str] = []

    def note(*arguments: Any) -> None:
        statements.append(arguments[2])

    async with database.change(author="t") as session:
        engine = session.get_bind()
        assert isinstance(engine, Engine)
        event.listen(engine, "before_cursor_execute", note)
        try:
            await _exercise(session, tenant)
        finally:
            event.remove(engine, "before_cursor_execute", note)
    touching = [sql for sql in statements if _tables_of(sql) & owned]
    assert {table for sql in touching for table in _tables_of(sql)} >= owned
    # By primary key of a row that was loaded with its tenant.
    by_id = ("UPDATE", "DELETE")
    own = [_ADDED.sub("", sql) for sql in touching]
    careless = [s for s in own if "tenant_id" not in s and not s.startswith(by_id)]
    assert careless == [], "what the storage adds by itself is the second line, not the first"


_ADDED = re.compile(
    r"\+\w+\.tenant_id = \?|CASE WHEN \(\w+\.tenant_id = \$\d+(::UUID)?\) THEN true END"
)


async def _exercise(session: AsyncSession, tenant: TenantId) -> None:
    theirs = await _fill(session, tenant)
    reading = [name for name in _ATTEMPTS if "delete" not in name and "with role" not in name]
    for name in reading:
        await _ATTEMPTS[name](session, tenant, theirs)
    await Upstreams(session, tenant).upsert(BOOKING)
    await Bundles(session, tenant).get_or_create(Bundle("more"))
    await Tools(session, tenant).upsert(a_tool("theirs", bundle="more", source=SOURCE))
    await Roles(session, tenant).list()
    for removal in ("tool delete", "policy delete"):
        await _ATTEMPTS[removal](session, tenant, theirs)


def _tables_of(sql: str) -> set[str]:
    words = sql.replace("(", " ").replace(",", " ").split()
    return {
        words[index + 1]
        for index, word in enumerate(words[:-1])
        if word in {"FROM", "JOIN", "INTO", "UPDATE"}
    }
