"""Two tenants that have everything alike, each marked as whose it is; and what a third eye sees."""

import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import httpx2
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bascule.gateway.rule import Effect, Rule
from bascule.gateway.secrets import SealedSecret
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.storage.repositories.groups import Groups
from bascule.storage.repositories.policies import Policies
from bascule.storage.repositories.roles import Roles
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.secrets import Secrets
from bascule.storage.repositories.upstreams import Upstreams
from bascule.storage.repositories.users import UserDraft, Users
from bascule.storage.tables import Base, OfTenant
from bascule.storage.tenancy import keep_to
from unit.api.shelf import a_tool, stock
from unit.api.site import Site, key_of
from unit.api.uses import USES, Route, names_for

MARKS: Final = {"default": "alphamark", "acme": "omegamark"}
ONLY_THERE: Final = "zebracrossing"
"""What the other tenant alone has, by that name: of every kind one."""
NEARLY_THERE: Final = "zebracrosing"
"""What one might mean by it."""

_MARKED: Final = frozenset(
    {"description", "owner", "domain", "title", "created_by", "updated_by", "uploaded_by"}
    | {"approved_by", "filename", "display_name", "email", "client_id", "decided_by"}
)
_OF_EVERYBODY: Final = frozenset({("POST", "/api/admin/secrets/reseal")})
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_VOLATILE: Final = (
    (_UUID, "ID"),
    (re.compile(r"[0-9a-f]{16}-[0-9a-f]{16}"), "CORRELATION"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"), "TIME"),
    (re.compile(r'\\?"[0-9a-f]{13}\\?"'), "ETAG"),
    (re.compile(r"bsc_[A-Za-z0-9_-]+"), "KEY"),
    (re.compile(r"tool_[0-9a-f]{32}"), "TOOL"),
    (re.compile(r"ELV-\d{4}-[0-9a-f]{12}"), "REFERENCE"),
    (re.compile(r'"password":"[^"]+"'), "PASSWORD"),
    (re.compile(r'"(created_|updated_|expires_|ended_|started_)?at":\s?\d{10}(\.\d+)?'), "MOMENT"),
    (re.compile(r"^id: \d{13,}$", re.MULTILINE), "NUMBER"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"), "MINUTE"),
)
_VOLATILE_HEADERS: Final = frozenset({"date", "content-length"})


@dataclass(slots=True)
class TenantSite(Site):
    """The same site, as the people of one tenant use it."""

    tenant: str = "default"

    async def ask(
        self,
        method: str,
        path: str,
        role: str | None = "admin",
        *,
        tenant: str = "",
        key: str | None = None,
        headers: Mapping[str, str | bytes] | None = None,
        **options: Any,
    ) -> httpx2.Response:
        """As `Site.ask`; a system administrator, who is at home elsewhere, comes over."""
        if role == "system_admin" and self.tenant != "default":
            headers = {**(headers or {}), "X-Bascule-Tenant": self.tenant}
            key = key_of("system_admin")
        return await Site.ask(
            self, method, path, role, tenant=self.tenant, key=key, headers=headers, **options
        )

    @asynccontextmanager
    async def rows(self, tenant: str = "") -> AsyncGenerator[tuple[AsyncSession, TenantId]]:
        """As `Site.rows`."""
        async with Site.rows(self, self.tenant) as rows:
            yield rows


def seat(site: Site, tenant: str) -> TenantSite:
    """`site`, as `tenant` uses it."""
    return TenantSite(site.app, site.control, site.recorder, site.file, site.client, tenant)


def of_tenants(routes: Mapping[Route, Any] = USES) -> list[Route]:
    """The routes that are for the people of one tenant."""
    return [
        route
        for route, use in routes.items()
        if use.permission != "system_admin" and route != ("GET", "/metrics")
    ]


async def fill(site: TenantSite) -> None:
    """One of everything, whose texts bear the tenant's mark."""
    subjects = {path.split("/")[3]: path for _, path in of_tenants() if "{" in path}
    for path in (*subjects.values(), "/api/admin/tools/{name}/diff"):
        await names_for(site, "GET", path)
    await mark(site)


async def mark(site: TenantSite) -> None:
    """Have the tenant's mark in every text that is there to be read."""
    async with site.rows() as (session, tenant_id):
        keep_to(session, tenant_id)
        for mapper in Base.registry.mappers:
            kind, names = mapper.class_, _MARKED & set(mapper.columns.keys())
            if issubclass(kind, OfTenant) and names and not kind.__name__.startswith("Tool"):
                values = dict.fromkeys(names, MARKS[site.tenant])
                await session.execute(update(kind).values(values))
    tool = a_tool("marked", description=MARKS[site.tenant], owner=MARKS[site.tenant])
    await stock(site, tool)


async def add_what_is_only_there(site: TenantSite) -> None:
    """One of every kind that has a name, under one that the other tenant has nothing of."""
    name = ONLY_THERE
    await stock(site, a_tool(name, bundle=name, tags=(name,), owner=name, domain=name))
    async with site.rows() as (session, tenant_id):
        await Upstreams(session, tenant_id).upsert(
            Upstream(name, UpstreamKind.MCP_HTTP, url="http://127.0.0.1:9/mcp")
        )
        await Roles(session, tenant_id).create(name, MARKS[site.tenant], ["tools:list"])
        await Policies(session, tenant_id).create(Rule(name, Effect.DENY, frozenset({"user"})))
        await Users(session, tenant_id).create(UserDraft(name))
        await Groups(session, tenant_id).put(name, ["user"])
        sealed = SealedSecret(name, b"n" * 12, b"c" * 20, "k")
        await Secrets(session, tenant_id).put(sealed)
    made = await site.post("/api/admin/keys", json={"name": name, "roles": ["user"]})
    assert made.status_code == 201, made.text


async def ids_of(site: TenantSite) -> set[str]:
    """The ids of all the tenant's rows, and its own."""
    async with site.rows() as (session, tenant_id):
        keep_to(session, tenant_id)
        found = {str(tenant_id)}
        for mapper in Base.registry.mappers:
            kind = mapper.class_
            if issubclass(kind, OfTenant) and "id" in mapper.columns:
                found |= set(map(str, await session.scalars(select(kind.id))))
    return found


def shown(response: httpx2.Response) -> str:
    """Everything about an answer that its caller sees."""
    head = "\n".join(f"{name}: {value}" for name, value in sorted(response.headers.multi_items()))
    return f"{response.status_code}\n{head}\n\n{response.text}"


def normal(response: httpx2.Response) -> str:
    """The same, without what differs each time, and with every id alike."""
    kept = sorted(
        (name, value)
        for name, value in response.headers.multi_items()
        if name not in _VOLATILE_HEADERS
    )
    text = f"{response.status_code}\n{kept}\n\n{response.text}"
    for pattern, word in _VOLATILE:
        text = pattern.sub(word, text)
    return text


def leaves(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where texts are in a document."""
    if isinstance(document, str):
        yield path
    elif isinstance(document, Mapping):
        for name, member in document.items():
            yield from leaves(member, (*path, name))
    elif isinstance(document, list | tuple):
        for number, member in enumerate(document):
            yield from leaves(member, (*path, number))


def replaced(document: Any, path: tuple[Any, ...], text: str) -> Any:
    """The document with another text there."""
    if not path:
        return text
    first, *rest = path
    if isinstance(document, Mapping):
        return {**document, first: replaced(document[first], tuple(rest), text)}
    return [
        replaced(member, tuple(rest), text) if number == first else member
        for number, member in enumerate(document)
    ]


def an_id() -> str:
    """One that nothing ever had."""
    return str(uuid4())
