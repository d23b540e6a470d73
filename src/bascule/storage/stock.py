"""The tools of all tenants as they were last compiled, brought up to date by what changed since.

A change of one tool among very many costs little more than that tool. What was compiled before
stays the same object, by which others know that nothing about it changed.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Select, String, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from bascule.gateway.tool import Tool, ToolStatus
from bascule.storage.errors import StorageError
from bascule.storage.mapping import LISTABLE, rank
from bascule.storage.reading import ToolReader, ToolRecord, select_records
from bascule.storage.repositories.bundles import BundleStatus
from bascule.storage.search_tables import ToolIndexRow
from bascule.storage.semver import precedence
from bascule.storage.tables import BundleRow, ToolRow

_log = structlog.get_logger(__name__)

# Each batch is one step of the event loop, which calls share: a few milliseconds.
_RECORDS_PER_STEP: Final = 100
_ENTRIES_PER_STEP: Final = 1000

_MOST_READ_AGAIN: Final = 2000
_LISTABLE: Final = frozenset(status.value for status in LISTABLE)
_NEVER: Final = -1


_Id: TypeAlias = UUID | str
"""An id as the driver gives it: there are too many to make each of them a UUID."""


class Entry(NamedTuple):
    """A version of a tool that is, or was once, published. `tool` is None unless it can be served.

    Drafts have none: nobody but their makers knows of them.
    """

    id: _Id
    tenant_id: _Id
    bundle_id: _Id
    name: str
    version: str
    status: str
    tool: Tool | None


class _Bundle(NamedTuple):
    name: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class Shelf:
    """The tools of one tenant, as a `TenantView` has them."""

    tools: Mapping[str, Tool] = field(default_factory=dict[str, Tool])
    disabled: frozenset[str] = frozenset()
    versions: Mapping[str, tuple[Tool, ...]] = field(default_factory=dict[str, tuple[Tool, ...]])


_EMPTY: Final = Shelf()
_Names: TypeAlias = dict[str, tuple[Entry, ...]]


@dataclass(slots=True)
class _State:
    """What is known up to the change numbered `version`. Only a copy is ever altered."""

    version: int = _NEVER
    bundles: Mapping[_Id, _Bundle] = field(default_factory=dict[_Id, _Bundle])
    entries: dict[_Id, Entry] = field(default_factory=dict[_Id, Entry])
    names: dict[_Id, _Names] = field(default_factory=dict[_Id, _Names])
    shelves: dict[_Id, Shelf] = field(default_factory=dict[_Id, Shelf])

    def copy(self) -> "_State":
        """One to alter; the values in it are shared, and stay as they are."""
        return _State(
            self.version,
            self.bundles,
            dict(self.entries),
            dict(self.names),
            dict(self.shelves),
        )


class Stock:
    """Keeps what was compiled. An update that fails, or is cancelled, leaves it as it was."""

    def __init__(self) -> None:
        self._state = _State()

    async def update(self, session: AsyncSession, version: int) -> Mapping[UUID, Shelf]:
        """The shelves of all tenants by id, as `session` sees them at the change `version`.

        Raises:
            StorageError: the database failed.
        """
        known = self._state
        if known.version > version:  # an older backup was put in place
            known = _State()
        self._state = await _Update(session, known, version).run()
        return {UUID(str(id_)): shelf for id_, shelf in self._state.shelves.items()}


class _Update:
    """One step from a state to the next."""

    def __init__(self, session: AsyncSession, known: _State, version: int) -> None:
        self._session = session
        self._known = known
        self._next = known.copy()
        self._next.version = version
        self._is_new: ColumnElement[bool] = ToolIndexRow.revision >= known.version
        self._dirty: dict[_Id, set[str]] = {}
        self._owned: set[_Id] = set()
        """Tenants whose names are copied already."""

    async def run(self) -> _State:
        """The next state, to be used only if this returns."""
        self._is_new = await self._since()
        await self._take_bundles()
        await self._take_changes()
        await self._drop_removed()
        for tenant_id, names in self._dirty.items():
            await self._restock(tenant_id, names)
        return self._next

    async def _take_bundles(self) -> None:
        rows = await self._session.execute(
            select(_raw(BundleRow.id), BundleRow.name, BundleRow.status)
        )
        bundles = {
            id_: _Bundle(name, status == BundleStatus.ACTIVE.value) for id_, name, status in rows
        }
        before, self._next.bundles = self._known.bundles, bundles
        changed = {id_ for id_, bundle in bundles.items() if before.get(id_, bundle) != bundle}
        if not changed:
            return
        for number, entry in enumerate(self._known.entries.values()):
            if entry.bundle_id in changed:
                self._put(entry._replace(tool=_moved(entry.tool, bundles[entry.bundle_id].name)))
                self._soil(entry)
            if number % _ENTRIES_PER_STEP == 0:
                await asyncio.sleep(0)

    async def _since(self) -> ColumnElement[bool]:
        """What changed since the last time; who alters rows by hand counts no change.

        So what the last change touched is read again, unless that was very much.
        """
        revision, last = ToolIndexRow.revision, self._known.version
        again = select(func.count()).select_from(ToolIndexRow).where(revision == last)
        if (await self._session.scalar(again) or 0) > _MOST_READ_AGAIN:
            return revision > last
        return revision >= last

    async def _take_changes(self) -> None:
        tools = await self._read_tools()
        rows = await self._session.stream(_select_index().where(self._is_new))
        shared: dict[Any, Any] = {}
        same = shared.setdefault  # one text in place of many equal ones
        async for batch in rows.partitions(_ENTRIES_PER_STEP):
            for id_, tenant_id, bundle_id, name, version, status in batch:
                if status == ToolStatus.DRAFT.value:
                    self._drop(id_)
                    continue
                tool = tools.get(id_)
                owners = same(tenant_id, tenant_id), same(bundle_id, bundle_id)
                standing = same(version, version), same(status, status)
                self._put(Entry(id_, *owners, name, *standing, tool))

    async def _read_tools(self) -> Mapping[_Id, Tool]:
        records = select_records().where(ToolRow.status.in_(sorted(_LISTABLE)))
        if self._known.version != _NEVER:
            index = records.join(ToolIndexRow, ToolIndexRow.tool_id == ToolRow.id)
            records = index.where(self._is_new)
        rows = await self._session.stream(records)
        found: dict[_Id, Tool] = {}
        reader = ToolReader()
        async for batch in rows.partitions(_RECORDS_PER_STEP):
            for row in batch:
                record = ToolRecord(*row)
                bundle = self._next.bundles.get(record.bundle_id)
                tool = _readable(reader, record, "" if bundle is None else bundle.name)
                if tool is not None:
                    found[record.id] = tool
        return found

    async def _drop_removed(self) -> None:
        """By counting: what is known and not there any more is sought only if there is any."""
        kept = select(func.count()).select_from(ToolIndexRow)
        published = ToolIndexRow.status != ToolStatus.DRAFT.value
        if await self._session.scalar(kept.where(published)) == len(self._next.entries):
            return
        there = set(
            await self._session.scalars(select(_raw(ToolIndexRow.tool_id)).where(published))
        )
        for id_ in self._next.entries.keys() - there:
            self._drop(id_)

    def _put(self, entry: Entry) -> None:
        before = self._next.entries.get(entry.id)
        if before is not None:
            if before == entry:
                return
            self._forget(before)
        self._next.entries[entry.id] = entry
        names = self._names(entry.tenant_id)
        names[entry.name] = (*names.get(entry.name, ()), entry)
        self._soil(entry)

    def _drop(self, id_: _Id) -> None:
        before = self._next.entries.pop(id_, None)
        if before is not None:
            self._forget(before)

    def _forget(self, entry: Entry) -> None:
        names = self._names(entry.tenant_id)
        names[entry.name] = tuple(one for one in names[entry.name] if one.id != entry.id)
        self._soil(entry)

    def _soil(self, entry: Entry) -> None:
        """Note that what is served under the name of `entry` may be another tool now."""
        self._dirty.setdefault(entry.tenant_id, set()).add(entry.name)

    def _names(self, tenant_id: _Id) -> _Names:
        if tenant_id not in self._owned:
            self._owned.add(tenant_id)
            self._next.names[tenant_id] = dict(self._next.names.get(tenant_id, {}))
        return self._next.names[tenant_id]

    async def _restock(self, tenant_id: _Id, dirty: Iterable[str]) -> None:
        before = self._next.shelves.get(tenant_id, _EMPTY)
        tools, versions = dict(before.tools), dict(before.versions)
        disabled, names = set(before.disabled), self._names(tenant_id)
        for number, name in enumerate(dirty):
            serving = self._serving(names[name])
            tools.pop(name, None) if not serving else tools.__setitem__(name, serving[0])
            if len(serving) > 1:
                versions[name] = tuple(sorted(serving, key=_newest_last, reverse=True))
            else:
                versions.pop(name, None)
            (disabled.add if names[name] and not serving else disabled.discard)(name)
            if not names[name]:
                del names[name]
            if number % _ENTRIES_PER_STEP == 0:
                await asyncio.sleep(0)
        await asyncio.sleep(0)
        if tools.keys() != before.tools.keys():
            ordered = sorted(tools)
            tools = dict(zip(ordered, map(tools.__getitem__, ordered), strict=True))
        self._next.shelves[tenant_id] = Shelf(tools, frozenset(disabled), versions)

    def _serving(self, entries: Sequence[Entry]) -> Sequence[Tool]:
        """The tools that callers may get, the one in force first; none if that cannot be read."""
        bundles = self._next.bundles
        there = [
            entry
            for entry in entries
            if entry.status in _LISTABLE and bundles[entry.bundle_id].is_active
        ]
        if len(there) > 1:
            there.sort(key=rank, reverse=True)
        if not there or there[0].tool is None:
            return ()
        return [entry.tool for entry in there if entry.tool is not None]


def _select_index() -> Select[*tuple[Any, ...]]:
    row = ToolIndexRow
    ids = (_raw(row.tool_id), _raw(row.tenant_id), _raw(row.bundle_id))
    return select(*ids, row.name, row.version, row.status)


def _raw(column: InstrumentedAttribute[UUID]) -> ColumnElement[Any]:
    return type_coerce(column, String)


def _readable(reader: ToolReader, record: ToolRecord, bundle: str) -> Tool | None:
    try:
        return reader.read(record, bundle)
    except StorageError as error:
        _log.error("snapshot.tool_unreadable", tool=record.name, reason=str(error))
        return None


def _moved(tool: Tool | None, bundle: str) -> Tool | None:
    return tool if tool is None or tool.bundle == bundle else replace(tool, bundle=bundle)


def _newest_last(tool: Tool) -> Any:
    return precedence(tool.version)
