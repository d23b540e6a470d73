"""The real REST API over a real database, with tenants and a key for each role."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx2
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession

from bascule.api.app import build_api
from bascule.api.control import Control
from bascule.api.importing import ImportRules
from bascule.gateway.record import Recorder
from bascule.gateway.snapshot import Snapshot
from bascule.identity.api_keys import ApiKeys, RevokedKeys, digest_of
from bascule.identity.authenticate import Authenticate
from bascule.storage.compiler import compile_snapshot
from bascule.storage.database import Database, open_database
from bascule.storage.repositories.keys import KeyDraft, Keys
from bascule.storage.repositories.roles import Roles
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.schema import migrate
from bascule.storage.seed import BUILTIN_ROLES, seed_defaults, seed_roles
from bascule.storage.tables import Base
from bascule.upstreams.egress import AddressRules, parse_networks
from fakes.recorder import FakeRecorder

THIS_MACHINE: Final = AddressRules(parse_networks(("127.0.0.0/8",)))
"""Documents of developers may name services that tests run."""
TENANTS: Final = ("default", "acme")


def key_of(role: str, tenant: str = "default") -> str:
    """The secret of the key that `tenant` has for `role`."""
    return f"bsc_{tenant}-{role}"


@dataclass(slots=True)
class Site:
    """An API, what stands behind it, and what its caller sees."""

    app: FastAPI
    control: Control
    recorder: FakeRecorder
    file: Path
    client: httpx2.AsyncClient

    async def ask(
        self,
        method: str,
        path: str,
        role: str | None = "admin",
        *,
        tenant: str = "default",
        key: str | None = None,
        headers: Mapping[str, str | bytes] | None = None,
        **options: Any,
    ) -> httpx2.Response:
        """Send a request with `key`, or the key of `role`; without one where both are None."""
        secret = key or (key_of(role, tenant) if role else None)
        sent = {"authorization": f"Bearer {secret}"} if secret else {}
        async with asyncio.timeout(10):
            return await self.client.request(
                method, path, headers={**sent, **(headers or {})}, **options
            )

    async def get(self, path: str, role: str | None = "admin", **options: Any) -> httpx2.Response:
        """GET `path`."""
        return await self.ask("GET", path, role, **options)

    async def post(self, path: str, role: str | None = "admin", **options: Any) -> httpx2.Response:
        """POST to `path`."""
        return await self.ask("POST", path, role, **options)

    async def delete(
        self, path: str, role: str | None = "admin", **options: Any
    ) -> httpx2.Response:
        """DELETE `path`."""
        return await self.ask("DELETE", path, role, **options)

    async def upload(
        self, document: bytes | dict[str, Any], role: str = "developer", **fields: Any
    ) -> httpx2.Response:
        """Import `document`; what is not a form field of the import goes to `ask`."""
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        options = {name: fields.pop(name) for name in ("tenant", "key") if name in fields}
        form = {"bundle_id": "shop", **fields}
        files = {"file": ("openapi.json", content)}
        path = "/api/admin/openapi"
        return await self.post(path, role, data=form, files=files, **options)

    @asynccontextmanager
    async def rows(self, tenant: str = "default") -> AsyncGenerator[tuple[AsyncSession, TenantId]]:
        """Change the tables behind the API's back, then put the change in force."""
        async with self.control.database.change(author="test") as session:
            yield session, (await Tenants(session).get(tenant)).id
        await self.control.refresh()


class _InForce:
    """Holds the snapshot in force, as the composition root does."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.snapshot = Snapshot(-1)

    async def refresh(self) -> Snapshot:
        async with self._database.read() as session:
            self.snapshot = await compile_snapshot(session)
        return self.snapshot


@asynccontextmanager
async def open_site(file: Path, recorder: Recorder | None = None) -> AsyncGenerator[Site]:
    """The API on the database in `file`; its journal is `audit` beside it."""
    journal = file.parent / "audit"
    journal.mkdir(exist_ok=True)
    async with open_database(f"sqlite+aiosqlite:///{file}") as database:
        force, revoked = _InForce(database), RevokedKeys()
        await force.refresh()
        fake = FakeRecorder()
        control = Control(
            database=database,
            recorder=recorder or fake,
            authenticator=Authenticate(ApiKeys(revoked)),
            revocations=revoked,
            journal_directory=journal,
            snapshot=lambda: force.snapshot,
            refresh=force.refresh,
            imports=ImportRules(egress=THIS_MACHINE),
            grpc=THIS_MACHINE,
        )
        async with site_of(control, fake, file) as site:
            yield site


@asynccontextmanager
async def site_of(control: Control, recorder: FakeRecorder, file: Path) -> AsyncGenerator[Site]:
    """The API over `control`."""
    app = build_api(control)
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(base_url="http://127.0.0.1", transport=transport) as client:
        yield Site(app, control, recorder, file, client)


@asynccontextmanager
async def altered(site: Site, **changes: Any) -> AsyncGenerator[Site]:
    """The same site, some of its collaborators replaced."""
    async with site_of(replace(site.control, **changes), site.recorder, site.file) as other:
        yield other


async def make_database(file: Path) -> None:
    """Two tenants with the built-in roles, and a key for each role."""
    async with open_database(f"sqlite+aiosqlite:///{file}") as database:
        await migrate(database)
        async with database.change(author="test") as session:
            await seed_defaults(session)
        async with database.change(author="test") as session:
            other = await Tenants(session).create("acme")
            await seed_roles(session, other.id)
        for name in TENANTS:
            async with database.change(author="test") as session:
                tenant_id = (await Tenants(session).get(name)).id
                for role in await Roles(session, tenant_id).list():
                    await add_key(session, tenant_id, role.name, key_of(role.name, name))


async def add_key(
    session: AsyncSession,
    tenant_id: TenantId,
    role: str,
    secret: str,
    *,
    name: str | None = None,
    expires_in: timedelta | None = None,
) -> str:
    """Store a key, named after its role unless told otherwise; gives its id."""
    expires_at = None if expires_in is None else datetime.now(UTC) + expires_in
    draft = KeyDraft(
        name or role, digest_of(secret), secret[:12], frozenset({role}), expires_at=expires_at
    )
    return str((await Keys(session, tenant_id).create(draft)).id)


def contents(site: Site) -> dict[str, list[tuple[Any, ...]]]:
    """Every committed row of every table, the change counter included."""
    with closing(sqlite3.connect(site.file)) as connection:
        return {
            table.name: connection.execute(f"SELECT * FROM {table.name}").fetchall()  # noqa: S608 - our names
            for table in Base.metadata.sorted_tables
        }


def error_of(response: httpx2.Response) -> dict[str, Any]:
    """The error in `response`, after a look at its shape."""
    body = response.json()
    assert body.keys() == {"error"}
    error = body["error"]
    assert error.keys() == {
        "code",
        "message",
        "details",
        "correlation_id",
        "request_id",
        "timestamp",
    }
    assert error["message"]
    assert error["correlation_id"] == error["request_id"] == response.headers["x-correlation-id"]
    assert datetime.fromisoformat(error["timestamp"]).tzinfo is not None
    return error


def document(
    *operations: str, title: str = "Shop", server: str = "http://127.0.0.1:9", **extra: Any
) -> dict[str, Any]:
    """An OpenAPI document with a GET operation for each operationId."""
    paths = {f"/{name}": {"get": operation(name)} for name in operations or ("list_orders",)}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1.0"},
        "servers": [{"url": server}],
        "paths": paths,
        **extra,
    }


def operation(name: str, parameters: Sequence[dict[str, Any]] = (), **extra: Any) -> dict[str, Any]:
    """An operation that answers with an object."""
    schema = {"type": "object"}
    answer = {"description": "ok", "content": {"application/json": {"schema": schema}}}
    return {
        "operationId": name,
        "summary": f"Does {name}",
        "parameters": list(parameters),
        "responses": {"200": answer},
        **extra,
    }


ROLES: Final = tuple(BUILTIN_ROLES)
