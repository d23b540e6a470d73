"""What becomes of an import that is stored: shown, published, discarded, rolled back."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from bascule.api.caller import Caller
from bascule.api.control import Control, Rows
from bascule.api.importing import require_another
from bascule.api.lowering import keeping_privileged
from bascule.api.resources.specs.reports import diff, remarks
from bascule.api.resources.specs.schemas import (
    Import,
    ImportDetail,
    ImportDiff,
    ImportList,
    ToolOfImport,
)
from bascule.storage.repositories.imports import Imports, ImportStatus, StoredImport
from bascule.storage.repositories.publications import Publications


async def list_imports(
    control: Control,
    caller: Caller,
    bundle: str | None,
    status: ImportStatus | None,
    page: tuple[int, int],
) -> ImportList:
    """A page (its number, its size) of the tenant's imports."""
    number, limit = page
    async with control.read(caller) as rows:
        imports = Imports(rows.session, rows.tenant_id)
        found = await imports.list(bundle, status, page=number, limit=limit)
    shown = [_shown(one) for one in found.items]
    return ImportList(imports=shown, total=found.total, page=found.page, limit=found.limit)


async def get_import(control: Control, caller: Caller, import_id: UUID) -> ImportDetail:
    """An import with its remarks, tools and changes.

    Raises:
        NotFound: the tenant has none with that id.
    """
    async with control.read(caller) as rows:
        imports = Imports(rows.session, rows.tenant_id)
        stored = await imports.get(import_id)
        steps = await imports.steps(import_id)
        findings = await imports.findings(import_id)
    tools = [
        ToolOfImport(name=step.name, version=step.version, action=step.action.value)
        for step in steps
    ]
    return ImportDetail(
        **_shown(stored).model_dump(),
        warnings=remarks(findings),
        tools=tools,
        diff=diff(steps, stored.changes),
    )


async def get_diff(control: Control, caller: Caller, import_id: UUID) -> ImportDiff:
    """What an import changed, or would change.

    Raises:
        NotFound: the tenant has none with that id.
    """
    async with control.read(caller) as rows:
        imports = Imports(rows.session, rows.tenant_id)
        stored = await imports.get(import_id)
        return diff(await imports.steps(import_id), stored.changes)


async def get_document(control: Control, caller: Caller, import_id: UUID) -> tuple[bytes, str]:
    """The document as it was handed over, and its file name.

    Raises:
        NotFound: the tenant has no import with that id.
    """
    async with control.read(caller) as rows:
        imports = Imports(rows.session, rows.tenant_id)
        return await imports.document(import_id), (await imports.get(import_id)).filename


async def publish(control: Control, caller: Caller, import_id: UUID) -> Import:
    """Put a draft in force, all of its tools at once.

    Raises:
        NotFound: the tenant has no import with that id.
        Conflict: it is no draft, or its tools changed since it was made.
        InvalidValue: a tool lacks what the metadata standard asks for.
        Forbidden: its author asks, and another person has to; or a tool would be privileged no
            more.
    """

    async def work(rows: Rows, stored: StoredImport) -> StoredImport:
        require_another(control.imports, stored.uploaded_by, caller.subject)
        return await Publications(rows.session, rows.tenant_id).publish(stored)

    return await _decide(control, caller, "openapi.publish", import_id, work)


async def discard(control: Control, caller: Caller, import_id: UUID) -> Import:
    """Give a draft up.

    Raises:
        NotFound: the tenant has no import with that id.
        Conflict: it is no draft.
    """

    async def work(rows: Rows, stored: StoredImport) -> StoredImport:
        return await Publications(rows.session, rows.tenant_id).discard(stored)

    return await _decide(control, caller, "openapi.discard", import_id, work)


async def roll_back(control: Control, caller: Caller, import_id: UUID) -> Import:
    """Put in force what was before an import was published.

    Raises:
        NotFound: the tenant has no import with that id.
        Conflict: it is not the one in force.
        Forbidden: a tool would be privileged no more.
    """

    async def work(rows: Rows, stored: StoredImport) -> StoredImport:
        return await Publications(rows.session, rows.tenant_id).roll_back(stored)

    return await _decide(control, caller, "openapi.rollback", import_id, work)


async def _decide(
    control: Control,
    caller: Caller,
    action: str,
    import_id: UUID,
    work: Callable[[Rows, StoredImport], Awaitable[StoredImport]],
) -> Import:
    details: dict[str, object] = {}
    async with (
        control.change(caller, action, str(import_id), details) as rows,
        keeping_privileged(rows, caller),
    ):
        stored = await Imports(rows.session, rows.tenant_id).get(import_id)
        details |= {"bundle": stored.bundle, "name": stored.name, **stored.summary}
        return _shown(await work(rows, stored))


def _shown(stored: StoredImport) -> Import:
    return Import(
        id=stored.id,
        name=stored.name,
        version=stored.version,
        bundle=stored.bundle,
        upstream=stored.upstream,
        base_url=stored.base_url,
        base_url_before=stored.base_url_before,
        status=stored.status.value,
        filename=stored.filename,
        size_bytes=stored.size_bytes,
        content_hash=stored.content_hash,
        summary=dict(stored.summary),
        replaces=stored.replaces,
        uploaded_by=stored.uploaded_by,
        uploaded_at=stored.uploaded_at,
        decided_by=stored.decided_by,
        decided_at=stored.decided_at,
    )
