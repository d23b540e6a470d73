"""Upstreams of one tenant."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from bascule.gateway.errors import Conflict, NotFound
from bascule.gateway.tool import Upstream
from bascule.storage.documents import connector_document
from bascule.storage.identity_tables import UserGrantRow
from bascule.storage.mapping import upstream_from
from bascule.storage.repositories.scope import Scoped
from bascule.storage.tables import ToolRow, UpstreamRow
from bascule.upstreams.http1 import Origin


@dataclass(frozen=True, slots=True)
class StoredUpstream:
    """An upstream and what the database adds to it."""

    id: UUID
    upstream: Upstream
    created_at: datetime
    updated_at: datetime


class Upstreams(Scoped):
    """A tenant's upstreams. Their headers are kept as given: put references there, not secrets."""

    async def upsert(self, upstream: Upstream) -> StoredUpstream:
        """Add the upstream, or make the one of that name like it."""
        row = await self._find(upstream.name)
        if row is None:
            row = UpstreamRow(tenant_id=self._tenant_id, name=upstream.name, **_columns(upstream))
            self._session.add(row)
        else:
            for column, value in _columns(upstream).items():
                setattr(row, column, value)
        await self._session.flush()
        return _stored(row)

    async def get(self, name: str) -> StoredUpstream:
        """The upstream of that name.

        Raises:
            NotFound: there is none.
        """
        return _stored(await self._row(name))

    async def list(self) -> tuple[StoredUpstream, ...]:
        """Every upstream by name."""
        rows = await self._session.scalars(
            select(UpstreamRow)
            .where(UpstreamRow.tenant_id == self._tenant_id)
            .order_by(UpstreamRow.name)
        )
        return tuple(_stored(row) for row in rows)

    async def delete(self, name: str) -> None:
        """Remove an upstream that no tool needs, with what callers were granted there.

        Raises:
            NotFound: there is none of that name.
            Conflict: tools still call it.
        """
        row = await self._row(name)
        in_use = await self._session.scalar(
            select(ToolRow.name)
            .where(ToolRow.tenant_id == self._tenant_id, ToolRow.upstream_id == row.id)
            .order_by(ToolRow.name)
            .limit(1)
        )
        if in_use is not None:
            raise Conflict(
                f"Upstream {name} still serves tools, {in_use} first. Delete them first."
            )
        # One that comes later may have the name, and be another's.
        await self._session.execute(
            delete(UserGrantRow).where(
                UserGrantRow.tenant_id == self._tenant_id, UserGrantRow.upstream_name == name
            )
        )
        await self._session.delete(row)
        await self._session.flush()

    async def _row(self, name: str) -> UpstreamRow:
        row = await self._find(name)
        if row is None:
            raise NotFound(f"There is no upstream named {name}.")
        return row

    async def _find(self, name: str) -> UpstreamRow | None:
        return (
            await self._session.scalars(
                select(UpstreamRow).where(
                    UpstreamRow.tenant_id == self._tenant_id, UpstreamRow.name == name
                )
            )
        ).one_or_none()


def has_credentials(upstream: Upstream) -> bool:
    """Whether requests to it carry what must not go to anybody else."""
    connector = upstream.connector
    return bool(upstream.headers or connector.credentials or connector.tls or connector.exchange)


def refuse_move(upstream: Upstream, url: str) -> None:
    """See that what `upstream` is shown does not come to go to another host, at `url`.

    Raises:
        Conflict: it has credentials, and they were set for where it is now.
    """
    if has_credentials(upstream) and not same_origin(upstream.url, url):
        raise Conflict(
            f"The service {upstream.name} has credentials, which would go to another host than "
            "the one they were set for. An operator must say so first, giving them anew: "
            f"bascule upstreams set {upstream.name} --address URL …",
            details={"upstream": upstream.name},
        )


def same_origin(first: str, second: str) -> bool:
    """Whether two URLs lead to one scheme, host and port. False where one is unusable."""
    try:
        return Origin.locate(first)[0] == Origin.locate(second)[0]
    except ValueError:
        return False


def _columns(upstream: Upstream) -> dict[str, Any]:
    return {
        "kind": upstream.kind.value,
        "url": upstream.url,
        "command": list(upstream.command),
        "headers": [[name, value] for name, value in upstream.headers],
        "connect_timeout_seconds": upstream.connect_timeout_seconds,
        "timeout_seconds": upstream.timeout_seconds,
        "connector": connector_document(upstream.connector),
        "pinning": upstream.pinning.value,
    }


def _stored(row: UpstreamRow) -> StoredUpstream:
    return StoredUpstream(row.id, upstream_from(row), row.created_at, row.updated_at)
