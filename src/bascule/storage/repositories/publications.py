"""What imports do to tools: drafts come in, are published together, and are taken back together.

Each method belongs into one transaction, so that tools of an import change all at once.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from sqlalchemy import select

from bascule.catalogue.planning import LIVE, Action, Step
from bascule.gateway.connector import Connector
from bascule.gateway.errors import Conflict
from bascule.gateway.tool import Bundle, ToolStatus, Upstream, UpstreamKind
from bascule.storage.counter import author_of
from bascule.storage.edits import column_of
from bascule.storage.mapping import tool_columns, tool_from, upstream_from
from bascule.storage.repositories.bundles import Bundles
from bascule.storage.repositories.imports import (
    ImportDraft,
    Imports,
    ImportStatus,
    StoredImport,
    Undo,
)
from bascule.storage.repositories.scope import Scoped
from bascule.storage.repositories.standards import Standards
from bascule.storage.repositories.surveys import Survey, Surveys
from bascule.storage.repositories.upstreams import Upstreams, refuse_move
from bascule.storage.semver import precedence
from bascule.storage.tables import ToolRow, UpstreamRow

_PER_QUERY: Final = 250
_LIVE: Final = frozenset(status.value for status in LIVE)
_NEW: Final = (Action.ADDED, Action.CHANGED)


class Publications(Scoped):
    """Moves the tools of a tenant's imports from one state to the next."""

    async def store(self, draft: ImportDraft) -> StoredImport:
        """Keep an import and its new versions as drafts; what agents see stays as it is.

        The service's address is changed only where nothing of the API was published.

        Raises:
            Conflict: the name of the service belongs to a server of another kind.
        """
        bundle = Bundle(draft.bundle, description=draft.name, owner=author_of(self._session))
        found = await Bundles(self._session, self._tenant_id).get_or_create(bundle)
        upstream_id = await self._service(draft)
        stored = await Imports(self._session, self._tenant_id).add(draft)
        edited = {step.name: list(step.kept) for step in draft.plan.steps}
        for tool in draft.plan.new:
            row = ToolRow(
                tenant_id=self._tenant_id,
                name=tool.name,
                version=tool.version,
                status=ToolStatus.DRAFT.value,
                spec_id=stored.id,
                edited=edited[tool.name],
                created_by=author_of(self._session),
                **tool_columns(tool, found.id, upstream_id),
            )
            self._session.add(row)
        await self._session.flush()
        return stored

    async def publish(self, stored: StoredImport) -> StoredImport:
        """Put every tool of a draft in force at once; the versions before become deprecated.

        Raises:
            Conflict: it is no draft, its tools changed since, or one of them is quarantined.
            InvalidValue: a tool lacks what the metadata standard asks for.
        """
        if stored.status is not ImportStatus.DRAFT:
            raise Conflict(_NOT_A_DRAFT.format(id=stored.id, status=stored.status.value))
        imports = Imports(self._session, self._tenant_id)
        steps = await imports.steps(stored.id)
        surveys = Surveys(self._session, self._tenant_id)
        survey = await surveys.look_at(stored, [step.name for step in steps])
        _check_current(stored, steps, survey)
        rows = await self._rows([step.name for step in steps])
        stood = [(row, row.status) for versions in rows.values() for row in versions]
        for step in steps:
            _switch(step, rows.get(step.name, []), survey)
        undo = [(row.name, row.version, was) for row, was in stood if row.status != was]
        await self._check_standard(steps, rows, stored.bundle)
        before = await self._move(stored.upstream, stored.base_url, stored.id)
        replaced = await imports.published(stored.upstream)
        if replaced is not None:
            await imports.replace(replaced.id, ImportStatus.SUPERSEDED)
        undone = Undo(tuple(undo), replaced and replaced.id, before)
        return await imports.decide(stored.id, ImportStatus.PUBLISHED, undo=undone)

    async def discard(self, stored: StoredImport) -> StoredImport:
        """Give a draft up, and remove those of its versions that nobody published.

        Raises:
            Conflict: it is no draft.
        """
        if stored.status is not ImportStatus.DRAFT:
            raise Conflict(_NOT_A_DRAFT.format(id=stored.id, status=stored.status.value))
        drafts = await self._session.scalars(
            select(ToolRow).where(
                ToolRow.tenant_id == self._tenant_id,
                ToolRow.spec_id == stored.id,
                ToolRow.status == ToolStatus.DRAFT.value,
            )
        )
        for row in drafts:
            await self._session.delete(row)
        await self._session.flush()
        imports = Imports(self._session, self._tenant_id)
        return await imports.decide(stored.id, ImportStatus.DISCARDED)

    async def roll_back(self, stored: StoredImport) -> StoredImport:
        """Put in force what was before the import was published: versions and address.

        Its own versions become inactive. A tool that somebody has switched off since stays off.

        Raises:
            Conflict: it is not the one in force, or a tool has a later version in force.
        """
        imports = Imports(self._session, self._tenant_id)
        if stored.status is not ImportStatus.PUBLISHED:
            raise Conflict(await _why_not_back(stored, imports))
        undo, steps = await imports.undo(stored.id), await imports.steps(stored.id)
        before: dict[str, dict[str, str]] = {}
        for name, version, status in undo.versions:
            before.setdefault(name, {})[version] = status
        concerned = [step for step in steps if step.action in _NEW or step.name in before]
        rows = await self._rows([step.name for step in concerned])
        for step in concerned:
            _turn_back(step, rows.get(step.name, []), before.get(step.name, {}))
        if undo.base_url is not None:
            await self._move(stored.upstream, undo.base_url, undo.replaces)
        if undo.replaces is not None:
            await imports.replace(undo.replaces, ImportStatus.PUBLISHED)
        return await imports.decide(stored.id, ImportStatus.ROLLED_BACK)

    async def _check_standard(
        self, steps: Iterable[Step], rows: Mapping[str, Sequence[ToolRow]], bundle: str
    ) -> None:
        coming = {step.name: step.version for step in steps if step.action in _NEW}
        tools = [
            tool_from(row, bundle)
            for name, version in coming.items()
            for row in rows.get(name, ())
            if row.version == version and row.status in _LIVE
        ]
        await Standards(self._session, self._tenant_id).check(tools)

    async def _service(self, draft: ImportDraft) -> UUID:
        """The service that the tools call, made where it is missing."""
        upstreams = Upstreams(self._session, self._tenant_id)
        row = await self._upstream_row(draft.upstream)
        if row is None:
            upstream = Upstream(
                name=draft.upstream,
                kind=draft.kind,
                url=draft.base_url,
                connect_timeout_seconds=0.0,
                timeout_seconds=0.0,
            )
            if draft.kind in _DESCRIBED:
                upstream = replace(upstream, connector=_described(draft.document))
            return (await upstreams.upsert(upstream)).id
        if row.kind != draft.kind.value:
            raise Conflict(
                f"The name {draft.upstream} belongs to a server of kind {row.kind}. Import into "
                "another bundle, or rename the server."
            )
        if not draft.is_in_use:
            refuse_move(upstream_from(row), draft.base_url)
            row.url = draft.base_url
            _describe(row, draft.document)
        return row.id

    async def _move(self, upstream: str, base_url: str, import_id: UUID | None) -> str | None:
        """Let the service's tools call `base_url`; gives where they called before.

        A gRPC service is spoken to, and a module is, as the document of `import_id` describes it.
        """
        row = await self._upstream_row(upstream)
        if row is None:
            return None
        refuse_move(upstream_from(row), base_url)
        before, row.url = row.url, base_url
        if import_id is not None and row.kind in _DESCRIBED:
            imports = Imports(self._session, self._tenant_id)
            _describe(row, await imports.document(import_id))
        await self._session.flush()
        return before

    async def _upstream_row(self, name: str) -> UpstreamRow | None:
        statement = select(UpstreamRow).where(
            UpstreamRow.tenant_id == self._tenant_id, UpstreamRow.name == name
        )
        return (await self._session.scalars(statement)).one_or_none()

    async def _rows(self, names: Sequence[str]) -> dict[str, list[ToolRow]]:
        found: dict[str, list[ToolRow]] = {}
        for start in range(0, len(names), _PER_QUERY):
            some = names[start : start + _PER_QUERY]
            rows = await self._session.scalars(
                select(ToolRow).where(ToolRow.tenant_id == self._tenant_id, ToolRow.name.in_(some))
            )
            for row in rows:
                found.setdefault(row.name, []).append(row)
        return found


def _described(descriptors: bytes) -> Connector:
    return Connector(descriptors=base64.b64encode(descriptors).decode())


def _describe(row: UpstreamRow, descriptors: bytes) -> None:
    """Let an upstream be what `descriptors` say, where its kind needs any."""
    if row.kind in _DESCRIBED:
        row.connector = {**row.connector, "descriptors": _described(descriptors).descriptors}


_DESCRIBED: Final = frozenset({UpstreamKind.GRPC, UpstreamKind.WASM})
"""Kinds whose document is needed for calls: descriptors, or the module itself."""

_NOT_A_DRAFT: Final = "Import {id} is {status}; only a draft can be published or discarded."
_ACTIVE: Final = ToolStatus.ACTIVE.value
_DEPRECATED: Final = ToolStatus.DEPRECATED.value
_INACTIVE: Final = ToolStatus.INACTIVE.value


def _check_current(stored: StoredImport, steps: Iterable[Step], survey: Survey) -> None:
    """Pass where each tool is as it was when the import was made, and none is held back."""
    for step in steps:
        best = survey.baseline(step.name)
        if step.action is Action.GONE:
            continue
        if best is not None and best.status == ToolStatus.QUARANTINED.value:
            raise Conflict(
                f"Tool {step.name} is quarantined, so an import does not publish it. "
                "Import without publishing, review the tool, then set its status.",
                details={"tool": step.name},
            )
        now = None if best is None else best.version
        if now not in (step.before, step.version):
            was, is_ = step.before or "missing", now or "missing"
            raise Conflict(
                f"Tool {step.name} has changed since import {stored.id} was made: it was {was}, "
                f"and is {is_}. Import the document again.",
                details={"tool": step.name, "version": now},
            )


def _switch(step: Step, versions: Sequence[ToolRow], survey: Survey) -> None:
    """Give the versions of one tool the statuses that the step wants."""
    if step.action is Action.REMOVED:
        for row in versions:
            if row.status == _ACTIVE or (row.status in _LIVE and step.status not in LIVE):
                row.status = step.status.value
        return
    target = next((row for row in versions if row.version == step.version), None)
    if target is None or step.action not in (*_NEW, Action.RESTORED):
        return
    best = survey.baseline(step.name)
    before = next((row for row in versions if best is not None and row.id == best.id), None)
    if before is not None and before is not target:
        _carry_later_edits(target, before, step)
    target.status = step.status.value
    for row in versions:
        if row is not target and row.status == _ACTIVE:
            row.status = _DEPRECATED


def _carry_later_edits(target: ToolRow, before: ToolRow, step: Step) -> None:
    """What was edited about the version in force since; edits of the draft itself come first."""
    own = set(target.edited) - set(step.kept)
    for field in before.edited:
        if field not in own:
            setattr(target, column_of(field), getattr(before, column_of(field)))
    target.edited = sorted({*target.edited, *before.edited})


def _turn_back(step: Step, versions: Sequence[ToolRow], before: Mapping[str, str]) -> None:
    """Give the versions of one tool their statuses from `before` the import was published."""
    own = next((row for row in versions if row.version == step.version), None)
    if step.action in _NEW:
        _check_latest(step, versions)
        is_off = own is not None and own.status not in _LIVE
        if own is not None and own.status in _LIVE:
            own.status = _INACTIVE
    else:
        # Whoever changed the status since the import wanted it so.
        is_off = own is not None and own.status != step.status.value
    for row in versions:
        status = before.get(row.version)
        if status is not None and row is not own:
            row.status = _INACTIVE if is_off and status in _LIVE else status
        elif status is not None and step.action not in _NEW and not is_off:
            row.status = status


def _check_latest(step: Step, versions: Iterable[ToolRow]) -> None:
    for row in versions:
        if row.status in _LIVE and precedence(row.version) > precedence(step.version):
            raise Conflict(
                f"Tool {step.name} has version {row.version} in force, which came later. Roll "
                "that back first.",
                details={"tool": step.name, "version": row.version},
            )


async def _why_not_back(stored: StoredImport, imports: Imports) -> str:
    latest = await imports.published(stored.upstream)
    if stored.status is ImportStatus.SUPERSEDED and latest is not None:
        return (
            f"Import {stored.id} is not in force any more. Roll back {latest.id} first, which "
            "came later."
        )
    return f"Import {stored.id} is {stored.status.value}; only a published one can be rolled back."
