"""A thousand tenants with roles and rules thrown together: everybody sees and calls what they may.

The tenants are stored, compiled, and asked through the pipeline as it is run. What has to come out
is said once more by `Model`, in a few lines that share nothing with the gateway.
"""

import asyncio
import random
from collections.abc import Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import msgspec

from bascule.app.pipeline import Parts, compile_pipeline
from bascule.gateway.call import Call, Method, Outcome, Result
from bascule.gateway.errors import ErrorCode
from bascule.gateway.handshake import Handshake
from bascule.gateway.permissions import PERMISSIONS
from bascule.gateway.pipeline import Pipeline
from bascule.gateway.principal import Evidence, Means, Presented, Principal
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.tool import Bundle, RiskLevel, Tool
from bascule.gateway.verdict import Refuse
from bascule.guards.schemas import InputSchemas
from bascule.identity.api_keys import ApiKeys, RevokedKeys, digest_of
from bascule.identity.authenticate import Authenticate
from bascule.identity.standing import standing_of
from bascule.policy.access import Access
from bascule.protocol.results import Identity
from bascule.storage.compiler import compile_snapshot
from bascule.storage.database import open_database
from bascule.storage.identity_tables import GroupRolesRow, UserIdentityRow, UserRow
from bascule.storage.schema import migrate
from bascule.storage.tables import ApiKeyRow, PolicyRow, RoleRow, TenantRow
from bascule.storage.tenancy import across_tenants
from fakes.catalogue import make_tool
from fakes.executor import FakeExecutor

WORLDS: Final = 1000
SEED: Final = 20260728
ISSUER: Final = "https://id.example"
ROLES: Final = ("user", "clerk", "payer", "viewer", "admin", "system_admin")
GROUPS: Final = ("/staff", "/night shift", "unknown")
TOOLS: Final = tuple(
    make_tool(name, bundle=bundle, upstream="shop", risk=RiskLevel(risk))
    for name, bundle, risk in (
        ("get_stock", "shop", "read"),
        ("get_price", "desk", "read"),
        ("put_price", "shop", "write"),
        ("pay", "desk", "write"),
        ("pay_back", "desk", "privileged"),
    )
)


@dataclass
class Rule:
    """As it is stored."""

    effect: str
    roles: list[str]
    actions: list[str]
    bundles: list[str]
    tools: list[str]
    risks: list[str]


@dataclass
class Caller:
    """Somebody with a key or a token, by the name of the credential."""

    credential: str
    roles: set[str]
    """Of the key, or as claimed."""
    own: set[str] | None = None
    """Of the person behind it."""
    groups: set[str] = field(default_factory=set[str])
    scopes: set[str] | None = None
    is_key: bool = True
    is_active: bool = True


@dataclass
class World:
    """One tenant."""

    name: str
    roles: dict[str, set[str]]
    groups: dict[str, set[str]]
    rules: list[Rule]
    callers: list[Caller]


class Model:
    """What must be: default deny, deny wins, a permission is needed, administrators are trusted."""

    def __init__(self, world: World, caller: Caller) -> None:
        roles = set(caller.roles)
        if caller.is_key and caller.own is not None:
            roles &= caller.own
        if not caller.is_key:
            roles |= caller.own or set()
            roles |= {one for group in caller.groups for one in world.groups.get(group, ())}
        self.roles = roles & world.roles.keys()
        self.full = {one for role in self.roles for one in world.roles[role]}
        self.held = self.full if caller.scopes is None else self.full & caller.scopes
        self.rules = world.rules
        self.is_known = caller.is_active

    def permits(self, permission: str) -> bool:
        return permission in self.held or "system_admin" in self.held

    def limited_to_less_than(self, *needed: str) -> bool:
        """Whether a credential with more scopes would do."""
        missing = set(needed) - self.held
        return "system_admin" not in self.held and bool(missing) and missing <= self.full

    def allows(self, tool: Tool, action: str) -> bool:
        effects = {rule.effect for rule in self.rules if self._fits(rule, tool, action)}
        if "deny" in effects:
            return False
        return bool(self.roles & {"admin", "system_admin"}) or "allow" in effects

    def sees(self, tool: Tool) -> bool:
        return self.permits("tools:list") and self.allows(tool, "discover")

    def calls(self, tool: Tool) -> bool:
        return self.sees(tool) and self.permits("tools:execute") and self.allows(tool, "invoke")

    def _fits(self, rule: Rule, tool: Tool, action: str) -> bool:
        return (
            action in rule.actions
            and bool(self.roles & set(rule.roles))
            and (not rule.bundles or tool.bundle in rule.bundles)
            and (not rule.risks or tool.risk in rule.risks)
            and (not rule.tools or any(fnmatchcase(tool.name, one) for one in rule.tools))
        )


def some(chance: random.Random, among: tuple[str, ...] | list[str], most: int) -> list[str]:
    return chance.sample(list(among), chance.randint(0, min(most, len(among))))


def make_world(chance: random.Random, number: int) -> World:
    telling = ("tools:list", "tools:execute")
    others = tuple(sorted(PERMISSIONS.keys() - set(telling) - {"system_admin"}))
    roles: dict[str, set[str]] = {}
    for role in some(chance, ROLES, 5):
        roles[role] = {*some(chance, telling, 2), *some(chance, telling, 2)}
        roles[role] |= set(some(chance, others, 2))
        if chance.random() < 0.05:
            roles[role].add("system_admin")
    rules = [
        Rule(
            "allow" if chance.random() < 0.7 else "deny",
            some(chance, ROLES, 3) or ["user"],
            some(chance, ("discover", "invoke"), 2) or ["discover", "invoke"],
            some(chance, ("shop", "desk"), 1),
            some(chance, ("get_*", "pay*", "put_price", "*_back", "none"), 2),
            some(chance, ("read", "write", "privileged"), 1),
        )
        for _ in range(chance.randint(0, 5))
    ]
    groups = {group: set(some(chance, ROLES, 3)) for group in GROUPS[: chance.randint(0, 2)]}
    callers = [make_caller(chance, f"w{number}c{index}") for index in range(4)]
    return World(f"t{number}", roles, groups, rules, callers)


def make_caller(chance: random.Random, name: str) -> Caller:
    is_key = chance.random() < 0.5
    scopes = None
    if chance.random() < 0.4:
        scopes = set(some(chance, ("tools:list", "tools:execute", "audit:read"), 3))
    return Caller(
        f"{'bsc_' if is_key else 'token.'}{name}",
        set(some(chance, ROLES, 3)),
        set(some(chance, ROLES, 4)) if chance.random() < 0.6 else None,
        set() if is_key else set(some(chance, GROUPS, 2)),
        scopes,
        is_key,
        is_active=True,
    )


def rows_of(world: World, chance: random.Random) -> Iterator[Any]:
    """The world as it is stored."""
    tenant_id = uuid4()
    yield TenantRow(id=tenant_id, name=world.name)
    for name, permissions in world.roles.items():
        yield RoleRow(tenant_id=tenant_id, name=name, permissions=sorted(permissions))
    for name, roles in world.groups.items():
        yield GroupRolesRow(
            tenant_id=tenant_id, group_name=name, roles=sorted(roles), updated_by="t"
        )
    for number, rule in enumerate(world.rules):
        document = {"effect": rule.effect, "roles": rule.roles, "actions": rule.actions}
        document |= {"bundles": rule.bundles, "tools": rule.tools, "risks": rule.risks}
        yield PolicyRow(
            tenant_id=tenant_id,
            name=f"r{number}",
            rules={**document, "prompts": [], "resources": []},
            priority=chance.randint(-5, 5),
        )
    for caller in world.callers:
        user_id = None
        if caller.own is not None:
            user_id = uuid4()
            caller.is_active = chance.random() < 0.9
            yield UserRow(
                id=user_id,
                tenant_id=tenant_id,
                name=caller.credential,
                roles=sorted(caller.own),
                is_active=caller.is_active,
                created_by="t",
            )
        if caller.is_key:
            yield ApiKeyRow(
                tenant_id=tenant_id,
                name=caller.credential,
                digest=digest_of(caller.credential),
                prefix="bsc_",
                roles=sorted(caller.roles),
                scopes=None if caller.scopes is None else sorted(caller.scopes),
                user_id=user_id,
                created_by="t",
            )
        elif user_id is not None:
            yield UserIdentityRow(
                tenant_id=tenant_id, user_id=user_id, issuer=ISSUER, subject=caller.credential
            )


class Tokens:
    """Believes every token; what it comes to is the gateway's own business."""

    def __init__(self, worlds: list[World]) -> None:
        self._said = {
            caller.credential: Evidence(
                Means.TOKEN,
                world.name,
                ISSUER,
                caller.credential,
                caller.credential,
                roles=frozenset(caller.roles),
                groups=frozenset(caller.groups),
                scopes=None if caller.scopes is None else frozenset(caller.scopes),
            )
            for world in worlds
            for caller in world.callers
            if not caller.is_key
        }

    def known(self, presented: Presented, snapshot: Snapshot) -> Principal | Refuse | None:
        return standing_of(self._said[presented.credential or ""], snapshot, lambda: 0.0)

    async def identify(self, presented: Presented, snapshot: Snapshot) -> Principal | Refuse:
        raise AssertionError("nothing has to be waited for")


@asynccontextmanager
async def snapshot_of(worlds: list[World], file: Path) -> Any:
    chance = random.Random(SEED)
    async with open_database(f"sqlite+aiosqlite:///{file}") as database:
        await migrate(database)
        async with (
            database.change(author="t") as session,
            across_tenants(session, "a test of many tenants"),
        ):
            rows = [row for world in worlds for row in rows_of(world, chance)]
            for kind in (TenantRow, UserRow, object):  # those first that others refer to
                session.add_all([row for row in rows if isinstance(row, kind)])
                await session.flush()
        async with database.read() as session:
            yield await compile_snapshot(session)


def furnished(snapshot: Snapshot) -> Snapshot:
    """The same tenants, each with the tools."""
    tools: Mapping[str, Tool] = {tool.name: tool for tool in TOOLS}
    bundles = {name: Bundle(name) for name in ("shop", "desk")}
    views = {
        name: replace(view, tools=tools, bundles=bundles) for name, view in snapshot.tenants.items()
    }
    return replace(snapshot, tenants=views)


class Asking:
    """Asks the pipeline of one snapshot."""

    def __init__(self, pipeline: Pipeline, snapshot: Snapshot) -> None:
        self._pipeline = pipeline
        self._snapshot = snapshot
        self.listed = self.called = self.refused = self.challenged = 0

    async def check(self, world: World, caller: Caller) -> None:
        model = Model(world, caller)
        seen = {tool.name for tool in TOOLS if model.is_known and model.sees(tool)}
        answer = await self._ask(caller, Method.TOOLS_LIST)
        names = set[str]()
        if isinstance(answer, Result):
            tools: Any = answer.body["tools"]
            names = {one["name"] for one in msgspec.json.decode(tools)}
        assert names == seen, (world, caller)
        self._compare(answer, model, "tools:list")
        self.listed += len(names)
        for tool in TOOLS:
            answer = await self._ask(caller, Method.TOOLS_CALL, tool.name)
            may = model.is_known and model.calls(tool)
            assert isinstance(answer, Result) == may, (world, caller, tool.name, answer)
            if not may:
                self._compare(answer, model, "tools:list", "tools:execute")
            self.called += may
            self.refused += not may

    def _compare(self, answer: Outcome, model: Model, *needed: str) -> None:
        """A stranger is refused as one; who is only limited is told so, and nobody else."""
        code = answer.error if isinstance(answer, Refuse) else None
        assert (code is ErrorCode.INVALID_TOKEN) == (not model.is_known)
        if model.is_known:
            limited = model.limited_to_less_than(*needed)
            assert (code is ErrorCode.INSUFFICIENT_SCOPE) == limited
            self.challenged += limited

    async def _ask(self, caller: Caller, method: Method, name: str = "") -> Outcome:
        call = Call(method, "c", credential=caller.credential, tool_name=name)
        call.snapshot = self._snapshot
        return await self._pipeline.run(call)


async def test_everybody_sees_and_calls_what_the_model_says(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    worlds = [make_world(chance, number) for number in range(WORLDS)]
    async with asyncio.timeout(60), snapshot_of(worlds, tmp_path / "b.db") as compiled:
        snapshot = furnished(compiled)
        assert len(snapshot.tenants) == WORLDS
        keys = ApiKeys(RevokedKeys())
        handshake = Handshake(Identity("t", "1"), "")
        parts = Parts(
            Authenticate(keys, Tokens(worlds)),
            InputSchemas(),
            handshake,
            page_size=100,
            access=partial(Access, elevate_privileged=False),
        )
        shop = FakeExecutor()
        upstreams = {(world.name, "shop"): shop for world in worlds}
        asking = Asking(compile_pipeline(snapshot, parts, upstreams).whole, snapshot)
        for world in worlds:
            for caller in world.callers:
                await asking.check(world, caller)
    # What decides nothing proves nothing.
    assert asking.listed > 500
    assert asking.called > 300
    assert asking.refused > 5000
    assert asking.challenged > 300
    assert len(shop.calls) == asking.called
