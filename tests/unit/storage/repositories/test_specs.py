"""OpenAPI documents are kept as they came."""

import hashlib
from dataclasses import replace
from uuid import uuid4

import pytest

from bascule.gateway.errors import InvalidValue, NotFound
from bascule.gateway.tool import Bundle
from bascule.storage.database import Database
from bascule.storage.repositories.bundles import Bundles
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.specs import SpecDraft, Specs

_DRAFT = SpecDraft("Booking API", "1.0.0", "openapi: 3.1.0\ntitle: Bücher ✓\n" * 1000, "booking")


async def _save(database: Database, tenant: TenantId, draft: SpecDraft, author: str) -> object:
    async with database.change(author=author) as session:
        await Bundles(session, tenant).get_or_create(Bundle("booking"))
        return await Specs(session, tenant).save(draft)


async def test_a_document_is_kept_to_the_letter(database: Database, tenant: TenantId) -> None:
    await _save(database, tenant, _DRAFT, "asha")
    async with database.read() as session:
        specs = Specs(session, tenant)
        (kept,) = await specs.list()
        assert await specs.content(kept.id) == _DRAFT.content
    assert (kept.name, kept.version, kept.bundle) == ("Booking API", "1.0.0", "booking")
    assert kept.content_hash == hashlib.sha256(_DRAFT.content.encode()).hexdigest()
    assert kept.uploaded_by == "asha"


async def test_the_same_document_twice_is_one(database: Database, tenant: TenantId) -> None:
    first = await _save(database, tenant, _DRAFT, "asha")
    assert await _save(database, tenant, _DRAFT, "ravi") == first


async def test_a_changed_document_takes_the_place_of_the_old_one(
    database: Database, tenant: TenantId
) -> None:
    await _save(database, tenant, _DRAFT, "asha")
    await _save(database, tenant, replace(_DRAFT, content="openapi: 3.1.1"), "ravi")
    await _save(database, tenant, replace(_DRAFT, version="2.0.0"), "ravi")
    async with database.read() as session:
        specs = Specs(session, tenant)
        first, second = await specs.list()
        assert await specs.content(first.id) == "openapi: 3.1.1"
    assert (first.version, first.uploaded_by, second.version) == ("1.0.0", "ravi", "2.0.0")


async def test_a_document_needs_a_bundle_and_text(database: Database, tenant: TenantId) -> None:
    with pytest.raises(NotFound, match="no bundle named nowhere"):
        await _save(database, tenant, replace(_DRAFT, bundle="nowhere"), "asha")
    for content in ("a\0b", "\ud800"):
        with pytest.raises(InvalidValue, match="The document"):
            await _save(database, tenant, replace(_DRAFT, content=content), "asha")


async def test_a_document_nobody_kept_is_not_found(database: Database, tenant: TenantId) -> None:
    async with database.read() as session:
        with pytest.raises(NotFound, match="no OpenAPI document"):
            await Specs(session, tenant).content(uuid4())
