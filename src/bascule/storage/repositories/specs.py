"""OpenAPI documents of one tenant, as they were uploaded."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from bascule.gateway.errors import NotFound
from bascule.storage.counter import author_of
from bascule.storage.repositories.bundles import Bundles
from bascule.storage.repositories.scope import Scoped
from bascule.storage.tables import BundleRow, SpecRow
from bascule.storage.types import utc_now


@dataclass(frozen=True, slots=True)
class SpecDraft:
    """A document to keep: `name` and `version` are its info.title and info.version."""

    name: str
    version: str
    content: str
    bundle: str


@dataclass(frozen=True, slots=True)
class StoredSpec:
    """A document that is kept, without its content. `content_hash` is SHA-256, hexadecimal."""

    id: UUID
    name: str
    version: str
    content_hash: str
    bundle: str
    uploaded_by: str
    uploaded_at: datetime


class Specs(Scoped):
    """A tenant's OpenAPI documents."""

    async def save(self, draft: SpecDraft) -> StoredSpec:
        """Keep the document, in place of one with the same name and version; twice is once.

        Raises:
            NotFound: the bundle does not exist.
        """
        bundle = await Bundles(self._session, self._tenant_id).get(draft.bundle)
        digest = hashlib.sha256(draft.content.encode(errors="surrogatepass")).hexdigest()
        row = await self._find(draft.name, draft.version)
        if row is None:
            row = SpecRow(tenant_id=self._tenant_id, name=draft.name, version=draft.version)
            self._session.add(row)
        if (row.content_hash, row.bundle_id) != (digest, bundle.id):
            row.content, row.content_hash = draft.content, digest
            row.bundle_id = bundle.id
            row.uploaded_by, row.uploaded_at = author_of(self._session), utc_now()
        await self._session.flush()
        return _stored(row, draft.bundle)

    async def content(self, spec_id: UUID) -> str:
        """The text of a document.

        Raises:
            NotFound: this tenant has none with that id.
        """
        content = await self._session.scalar(
            select(SpecRow.content).where(
                SpecRow.tenant_id == self._tenant_id, SpecRow.id == spec_id
            )
        )
        if content is None:
            raise NotFound(f"There is no OpenAPI document {spec_id}.")
        return content

    async def list(self) -> tuple[StoredSpec, ...]:
        """Every document by name and version."""
        rows = await self._session.execute(
            select(SpecRow, BundleRow.name)
            .join(BundleRow, BundleRow.id == SpecRow.bundle_id)
            .where(SpecRow.tenant_id == self._tenant_id, BundleRow.tenant_id == self._tenant_id)
            .order_by(SpecRow.name, SpecRow.version)
        )
        return tuple(_stored(row, bundle) for row, bundle in rows)

    async def _find(self, name: str, version: str) -> SpecRow | None:
        return (
            await self._session.scalars(
                select(SpecRow).where(
                    SpecRow.tenant_id == self._tenant_id,
                    SpecRow.name == name,
                    SpecRow.version == version,
                )
            )
        ).one_or_none()


def _stored(row: SpecRow, bundle: str) -> StoredSpec:
    return StoredSpec(
        row.id, row.name, row.version, row.content_hash, bundle, row.uploaded_by, row.uploaded_at
    )
