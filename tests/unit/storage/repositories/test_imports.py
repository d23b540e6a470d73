"""Imports are kept as they came, with what they do."""

import hashlib
from dataclasses import replace
from uuid import uuid4

import pytest

from bascule.catalogue.diffing import Change, Severity
from bascule.catalogue.openapi.findings import Finding
from bascule.catalogue.planning import Action, Plan, Step
from bascule.gateway.errors import NotFound
from bascule.gateway.tool import Bundle, ToolStatus
from bascule.storage.database import Database
from bascule.storage.repositories.bundles import Bundles
from bascule.storage.repositories.imports import (
    ImportDraft,
    Imports,
    ImportStatus,
    StoredImport,
    Undo,
)
from bascule.storage.repositories.scope import TenantId

_CHANGE = Change(Severity.BREAKING, "input.a", "type", "The type changed.")
_STEP = Step("a", Action.CHANGED, "2.0.0", ToolStatus.ACTIVE, "1.0.0", (_CHANGE,), ("owner",))
_PLAN = Plan((_STEP,), (), (), (Change(Severity.RISKY, "base_url", "base_url", "Moved."),))
_DRAFT = ImportDraft(
    "Booking API", "1.0.0", "booking", "booking.api", "http://h", b"\x00\xff" * 1000, _PLAN,
    is_in_use=False, filename="api.zip", findings=(Finding("#/paths", "Odd.", 3),),
)  # fmt: skip


async def _add(
    database: Database, tenant: TenantId, draft: ImportDraft = _DRAFT, author: str = "asha"
) -> StoredImport:
    async with database.change(author=author) as session:
        await Bundles(session, tenant).get_or_create(Bundle("booking"))
        return await Imports(session, tenant).add(draft)


async def test_an_import_is_kept_to_the_byte(database: Database, tenant: TenantId) -> None:
    kept = await _add(database, tenant)
    async with database.read() as session:
        imports = Imports(session, tenant)
        assert await imports.get(kept.id) == kept
        assert await imports.document(kept.id) == _DRAFT.document
        assert await imports.steps(kept.id) == (_STEP,)
        assert await imports.findings(kept.id) == _DRAFT.findings
        assert await imports.undo(kept.id) == Undo(())
    assert (kept.name, kept.status, kept.uploaded_by) == ("Booking API", "draft", "asha")
    assert (kept.size_bytes, kept.filename) == (2000, "api.zip")
    assert kept.content_hash == hashlib.sha256(_DRAFT.document).hexdigest()
    assert kept.changes == _PLAN.changes
    assert (kept.summary["changed"], kept.summary["breaking"], kept.summary["risky"]) == (1, 1, 1)


async def test_decisions_are_noted_with_who_made_them(database: Database, tenant: TenantId) -> None:
    first, second = await _add(database, tenant), await _add(database, tenant)
    undo = Undo((("a", "1.0.0", "active"),), first.id, "http://before")
    async with database.change(author="ravi") as session:
        imports = Imports(session, tenant)
        assert await imports.published("booking.api") is None
        done = await imports.decide(second.id, ImportStatus.PUBLISHED, undo=undo)
        await imports.replace(first.id, ImportStatus.SUPERSEDED)
    assert (done.status, done.decided_by, done.replaces) == ("published", "ravi", first.id)
    async with database.read() as session:
        imports = Imports(session, tenant)
        assert await imports.undo(second.id) == undo
        assert await imports.published("booking.api") == done
        assert await imports.waiting("booking.api") is None
        superseded = await imports.get(first.id)
    assert (superseded.status, superseded.decided_by) == (ImportStatus.SUPERSEDED, None)


async def test_imports_are_listed_by_bundle_and_status(
    database: Database, tenant: TenantId
) -> None:
    first = await _add(database, tenant)
    second = await _add(database, tenant, replace(_DRAFT, name="Later"))
    async with database.change(author="ravi") as session:
        await Imports(session, tenant).decide(first.id, ImportStatus.DISCARDED)
    async with database.read() as session:
        imports = Imports(session, tenant)
        assert [one.id for one in (await imports.list()).items] == [second.id, first.id]
        assert (await imports.list("booking", ImportStatus.DRAFT)).items == (second,)
        assert (await imports.list("other")).total == 0
        page = await imports.list(limit=1, page=2)
        assert (page.total, [one.id for one in page.items]) == (2, [first.id])


async def test_an_import_needs_a_bundle(database: Database, tenant: TenantId) -> None:
    with pytest.raises(NotFound, match="no bundle named nowhere"):
        await _add(database, tenant, replace(_DRAFT, bundle="nowhere"))


async def test_an_import_nobody_made_is_not_found(database: Database, tenant: TenantId) -> None:
    async with database.read() as session:
        imports = Imports(session, tenant)
        for look in (imports.get, imports.document, imports.steps, imports.undo):
            with pytest.raises(NotFound, match="no import"):
                await look(uuid4())
