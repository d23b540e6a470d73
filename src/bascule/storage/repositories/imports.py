"""Imports of OpenAPI documents of one tenant: what was handed over, and what became of it."""

import asyncio
import gzip
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, func, select

from bascule.catalogue.diffing import Change
from bascule.catalogue.openapi.findings import Finding
from bascule.catalogue.planning import Plan, Step, summarise
from bascule.gateway.errors import NotFound
from bascule.gateway.tool import Tool, UpstreamKind
from bascule.storage.counter import author_of
from bascule.storage.repositories.bundles import Bundles
from bascule.storage.repositories.page import Page, offset_of
from bascule.storage.repositories.scope import Scoped
from bascule.storage.tables import BundleRow, ImportRow, ToolRow
from bascule.storage.types import utc_now

_COMPRESSION: Final = 6
_LABELS: Final = ("owner", "domain", "tags")


class ImportStatus(StrEnum):
    """Of all imports of an API, one is published at most, and one a draft."""

    DRAFT = "draft"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    """Another one was published after it."""
    ROLLED_BACK = "rolled_back"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class ImportDraft:
    """A document to keep with its plan. `name` and `version` are its info.title and info.version.

    `is_in_use` where tools of the API are published: then its address stays until this one is.
    """

    name: str
    version: str
    bundle: str
    upstream: str
    base_url: str
    document: bytes
    plan: Plan
    is_in_use: bool
    filename: str = ""
    findings: tuple[Finding, ...] = ()
    kind: UpstreamKind = UpstreamKind.REST
    """What the tools call; the document of a gRPC service are its descriptors."""


@dataclass(frozen=True, slots=True)
class Undo:
    """What was in force before an import: name, version and status of the tools it changed."""

    versions: tuple[tuple[str, str, str], ...]
    replaces: UUID | None = None
    base_url: str | None = None


@dataclass(frozen=True, slots=True)
class StoredImport:
    """An import, without what is big about it. `content_hash` is SHA-256, hexadecimal.

    `summary` counts tools by what happens to them (`added`, …), and changes by their severity.
    """

    id: UUID
    name: str
    version: str
    bundle: str
    upstream: str
    base_url: str
    base_url_before: str | None
    status: ImportStatus
    filename: str
    size_bytes: int
    content_hash: str
    summary: Mapping[str, int]
    changes: tuple[Change, ...]
    replaces: UUID | None
    uploaded_by: str
    uploaded_at: datetime
    decided_by: str | None
    decided_at: datetime | None


class Imports(Scoped):
    """A tenant's imports."""

    async def add(self, draft: ImportDraft) -> StoredImport:
        """Keep an import as a draft.

        Raises:
            NotFound: the bundle does not exist.
        """
        bundle = await Bundles(self._session, self._tenant_id).get(draft.bundle)
        compressed = await asyncio.to_thread(gzip.compress, draft.document, _COMPRESSION, mtime=0)
        row = ImportRow(
            tenant_id=self._tenant_id,
            name=draft.name,
            version=draft.version,
            bundle_id=bundle.id,
            upstream=draft.upstream,
            base_url=draft.base_url,
            status=ImportStatus.DRAFT.value,
            filename=draft.filename[-200:],
            document=compressed,
            size_bytes=len(draft.document),
            content_hash=hashlib.sha256(draft.document).hexdigest(),
            summary=summarise(draft.plan.steps, draft.plan.changes),
            steps=msgspec.to_builtins(draft.plan.steps),
            changes=msgspec.to_builtins(draft.plan.changes),
            findings=msgspec.to_builtins(draft.findings),
            undo=[],
            uploaded_by=author_of(self._session),
            uploaded_at=utc_now(),
        )
        self._session.add(row)
        await self._session.flush()
        return _stored(row, draft.bundle)

    async def get(self, import_id: UUID) -> StoredImport:
        """An import.

        Raises:
            NotFound: this tenant has none with that id.
        """
        found = await self._one(ImportRow.id == import_id)
        if found is None:
            raise NotFound(f"There is no import {import_id}.")
        return found

    async def published(self, upstream: str) -> StoredImport | None:
        """The import of an API that is in force."""
        status = ImportStatus.PUBLISHED.value
        return await self._one(ImportRow.upstream == upstream, ImportRow.status == status)

    async def waiting(self, upstream: str) -> StoredImport | None:
        """The draft of an API that waits for a decision."""
        status = ImportStatus.DRAFT.value
        return await self._one(ImportRow.upstream == upstream, ImportRow.status == status)

    async def list(
        self,
        bundle: str | None = None,
        status: ImportStatus | None = None,
        *,
        page: int = 1,
        limit: int = 20,
    ) -> Page[StoredImport]:
        """A page of imports, the latest first.

        Raises:
            InvalidValue: no such page.
        """
        offset = offset_of(page, limit)
        conditions = [] if bundle is None else [BundleRow.name == bundle]
        if status is not None:
            conditions.append(ImportRow.status == status.value)
        statement = self._select(*conditions)
        total = await self._session.scalar(select(func.count()).select_from(statement.subquery()))
        newest_first = statement.order_by(ImportRow.uploaded_at.desc(), ImportRow.id)
        rows = await self._session.execute(newest_first.limit(limit).offset(offset))
        return Page(tuple(_stored(*row) for row in rows), total or 0, page, limit)

    async def steps(self, import_id: UUID) -> tuple[Step, ...]:
        """What the import does, tool by tool."""
        return msgspec.convert(await self._column(import_id, ImportRow.steps), tuple[Step, ...])

    async def findings(self, import_id: UUID) -> tuple[Finding, ...]:
        """The remarks on its document."""
        found = await self._column(import_id, ImportRow.findings)
        return msgspec.convert(found, tuple[Finding, ...])

    async def are_labelled(self, import_id: UUID, tools: Iterable[Tool]) -> bool:
        """Whether its drafts have the owner, domain and tags of `tools`, but for what was edited
        by hand.
        """
        rows = await self._session.execute(
            select(ToolRow.name, ToolRow.edited, ToolRow.owner, ToolRow.domain, ToolRow.tags).where(
                ToolRow.tenant_id == self._tenant_id, ToolRow.spec_id == import_id
            )
        )
        wanted = {tool.name: (tool.owner, tool.domain, list(tool.tags)) for tool in tools}
        return all(
            label == now or field in edited
            for name, edited, *labels in rows
            if name in wanted
            for field, label, now in zip(_LABELS, labels, wanted[name], strict=True)
        )

    async def document(self, import_id: UUID) -> bytes:
        """The document as it was handed over."""
        return gzip.decompress(await self._column(import_id, ImportRow.document))

    async def undo(self, import_id: UUID) -> Undo:
        """What was before it was published."""
        found = await self.get(import_id)
        versions = await self._column(import_id, ImportRow.undo)
        rows = tuple((name, version, status) for name, version, status in versions)
        return Undo(rows, found.replaces, found.base_url_before)

    async def decide(
        self,
        import_id: UUID,
        status: ImportStatus,
        *,
        undo: Undo | None = None,
    ) -> StoredImport:
        """Note what somebody decided, and how to take it back where it is published."""
        await self.get(import_id)
        row = await self._session.get_one(ImportRow, import_id)
        row.status = status.value
        if undo is not None:
            row.undo = [list(one) for one in undo.versions]
            row.replaces, row.base_url_before = undo.replaces, undo.base_url
        row.decided_by, row.decided_at = author_of(self._session), utc_now()
        await self._session.flush()
        return await self.get(import_id)

    async def replace(self, import_id: UUID, status: ImportStatus) -> None:
        """Note that another import has taken the place of this one, or given it back."""
        await self.get(import_id)
        (await self._session.get_one(ImportRow, import_id)).status = status.value
        await self._session.flush()

    async def _one(self, *conditions: ColumnElement[bool]) -> StoredImport | None:
        found = (await self._session.execute(self._select(*conditions))).first()
        return None if found is None else _stored(*found)

    async def _column(self, import_id: UUID, column: Any) -> Any:
        await self.get(import_id)
        statement = select(column).where(
            ImportRow.tenant_id == self._tenant_id, ImportRow.id == import_id
        )
        return (await self._session.execute(statement)).scalar_one()

    def _select(self, *conditions: ColumnElement[bool]) -> Any:
        return (
            select(ImportRow, BundleRow.name)
            .join(BundleRow, BundleRow.id == ImportRow.bundle_id)
            .where(
                ImportRow.tenant_id == self._tenant_id,
                BundleRow.tenant_id == self._tenant_id,
                *conditions,
            )
        )


def _stored(row: ImportRow, bundle: str) -> StoredImport:
    return StoredImport(
        id=row.id,
        name=row.name,
        version=row.version,
        bundle=bundle,
        upstream=row.upstream,
        base_url=row.base_url,
        base_url_before=row.base_url_before,
        status=ImportStatus(row.status),
        filename=row.filename,
        size_bytes=row.size_bytes,
        content_hash=row.content_hash,
        summary=row.summary,
        changes=msgspec.convert(row.changes, tuple[Change, ...]),
        replaces=row.replaces,
        uploaded_by=row.uploaded_by,
        uploaded_at=row.uploaded_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )
