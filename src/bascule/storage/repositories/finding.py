"""Which tools a filter means, in which order: asked of narrow copies of their rows."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Join,
    Select,
    and_,
    case,
    column,
    func,
    literal,
    not_,
    select,
    table,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler

from bascule.gateway.tool import RiskLevel, ToolStatus
from bascule.storage.repositories.scope import Scoped
from bascule.storage.search_tables import (
    MOST_TAG_CHARACTERS,
    TOOL_TEXT,
    ToolIndexRow,
    ToolTagRow,
)
from bascule.storage.tables import BundleRow
from bascule.storage.types import Prose

MOST_FOUND: Final = 10_000
"""Matches of a search that are counted, and can be paged through."""

_SHORTEST_INDEXED: Final = 3
_BETWEEN_PARTS: Final = re.compile(r"[\s_\-./]+")
"""What stands between the words of a name, as tools are named here or there."""
_ESCAPE: Final = "\\"
_LAST: Final = "\U0010ffff"
_SEARCH: Final = Prose("text to search for")
_LISTED: Final = (ToolIndexRow.name, ToolIndexRow.version)

_Condition: TypeAlias = ColumnElement[bool]
_Order: TypeAlias = ColumnElement[Any] | InstrumentedAttribute[Any]


@dataclass(frozen=True, slots=True)
class ToolFilter:
    """Which tools to list.

    `search` is words, each any part of name, title or description, case aside. Where no tool has
    them all, they are taken apart at `_`, `-`, `.` and `/` as well. One or two characters alone
    are looked for in names alone.
    """

    bundle: str | None = None
    status: ToolStatus | None = None
    search: str | None = None
    tag: str | None = None
    domain: str | None = None
    owner: str | None = None
    risk: RiskLevel | None = None


class Found(NamedTuple):
    """A page of tools by their ids, and how many there are: of a search, at most `MOST_FOUND`."""

    ids: Sequence[UUID]
    total: int


class Finder(Scoped):
    """Finds tools of one tenant."""

    async def find(self, filters: ToolFilter, offset: int, limit: int) -> Found:
        """Tools by name and version; those that a search finds, by how well they fit.

        What has the text as it was typed comes before what has its words here and there. Where a
        search finds more than `MOST_FOUND`, names that begin with the text come first,
        and all others as they are listed.
        """
        if not filters.search:
            return await self._list(filters, offset, limit)
        conditions = self._conditions(filters)
        if filters.tag is not None:
            conditions.append(ToolIndexRow.tool_id.in_(self._tagged(filters.tag)))
        engine, text = await self._engine(), filters.search
        search = _Search(text, tuple(text.split()), engine)
        found = await self._rank(search, conditions, offset, limit)
        parts = tuple(part for part in _BETWEEN_PARTS.split(text) if part)
        if not found.total and parts and parts != search.words:
            search = _Search(text, parts, engine)
            found = await self._rank(search, conditions, offset, limit)
        if found.total <= MOST_FOUND:
            return found
        limit = max(0, min(limit, MOST_FOUND - offset))
        return Found(await self._walk(search, conditions, offset, limit), MOST_FOUND)

    async def _rank(
        self, search: "_Search", conditions: Sequence[_Condition], offset: int, limit: int
    ) -> Found:
        """Gather all that match, unless these are too many, and put the best first."""
        columns = (ToolIndexRow.search_name, *search.ranked_by, *_LISTED)
        matches = search.matches.add_columns(*columns).where(*conditions)
        some = matches.limit(MOST_FOUND + 1).cte("some")
        count = select(func.count()).select_from(some)
        ranked = select(some.c.tool_id, count.scalar_subquery()).order_by(*search.ranks(some.c))
        rows = (await self._session.execute(ranked.offset(offset).limit(limit))).all()
        if rows or not offset:
            return Found([row[0] for row in rows], rows[0][1] if rows else 0)
        return Found((), await self._session.scalar(count) or 0)  # a page behind the last one

    async def _list(self, filters: ToolFilter, offset: int, limit: int) -> Found:
        statement, order = _select().where(*self._conditions(filters)), _LISTED
        if filters.tag is not None:
            statement, order = self._tagged(filters.tag), (ToolTagRow.name, ToolTagRow.version)
            if filters != ToolFilter(tag=filters.tag):
                tagged = _CrossJoin(_TAGS, _INDEX, _TAGS.c.tool_id == _INDEX.c.tool_id)
                statement = statement.select_from(tagged).where(*self._conditions(filters))
        count = statement.with_only_columns(func.count(), maintain_column_froms=True)
        total = await self._session.scalar(count) or 0
        return Found(await self._ids(statement, order, offset, limit), total)

    def _tagged(self, tag: str) -> Select[UUID]:
        beginning = literal(tag[:MOST_TAG_CHARACTERS], _SEARCH)
        return select(ToolTagRow.tool_id).where(
            ToolTagRow.tenant_id == self._tenant_id, ToolTagRow.tag == beginning
        )

    async def _walk(
        self, search: "_Search", conditions: Sequence[_Condition], offset: int, limit: int
    ) -> Sequence[UUID]:
        """One after the other, until the page is full: among so many that is soon."""
        begins = _select().where(*conditions, search.begins)
        first = await self._ids(begins, (ToolIndexRow.search_name, *_LISTED), offset, limit)
        if len(first) == limit:
            return first
        before = (
            await self._session.scalar(select(func.count()).select_from(begins.subquery())) or 0
        )
        others = _select().where(*conditions, search.contains, not_(search.begins))
        start = max(0, offset - before)
        return [*first, *await self._ids(others, _LISTED, start, limit - len(first))]

    async def _ids(
        self,
        statement: Select[UUID],
        order: Sequence[_Order],
        offset: int,
        limit: int,
    ) -> Sequence[UUID]:
        page = statement.order_by(*order).offset(offset).limit(limit)
        return (await self._session.scalars(page)).all()

    async def _engine(self) -> str:
        """Which ways of searching the database has."""
        name = self._session.get_bind().dialect.name
        if name == "sqlite":
            tables = table("sqlite_master", column("name"))
            indexed = select(literal(1)).select_from(tables).where(tables.c.name == TOOL_TEXT.name)
            return "fts5" if await self._session.scalar(indexed) else name
        return name

    def _conditions(self, filters: ToolFilter) -> list[_Condition]:
        """All but the search and the tag."""
        row, tenant_id = ToolIndexRow, self._tenant_id
        conditions: list[_Condition] = [row.tenant_id == tenant_id]
        if filters.bundle is not None:
            named = (BundleRow.tenant_id == tenant_id, BundleRow.name == filters.bundle)
            bundle_id = select(BundleRow.id).where(*named).scalar_subquery()
            conditions.append(row.bundle_id == bundle_id)
        exact = (
            (row.status, filters.status),
            (row.risk_level, filters.risk),
            (row.domain, filters.domain),
            (row.owner, filters.owner),
        )
        return [*conditions, *(of == str(value) for of, value in exact if value is not None)]


class _Search:
    """How the words of a text are looked for; a text of blanks alone is itself the word."""

    def __init__(self, text: str, words: tuple[str, ...], engine: str) -> None:
        self._sqlite = engine != "postgresql"
        self._text = text
        self.words = tuple(dict.fromkeys(words)) or (text,)
        self._long = tuple(word for word in self.words if len(word) >= _SHORTEST_INDEXED)
        self._where = ToolIndexRow.search_text if self._long else ToolIndexRow.search_name
        self._indexed = engine == "fts5" and bool(self._long)

    @property
    def matches(self) -> Select[UUID]:
        """Everything that matches, by way of an index where there is one."""
        if not self._indexed:
            return _select().where(self.contains)
        quoted = " ".join('"' + word.replace('"', '""') + '"' for word in self._long)
        found = TOOL_TEXT.c.tool_text.op("MATCH")(literal(quoted, _SEARCH))
        joined = _CrossJoin(TOOL_TEXT, _INDEX, _INDEX.c.number == TOOL_TEXT.c.rowid)
        short = (self._in(self._where, word) for word in self.words if word not in self._long)
        return _select().select_from(joined).where(found, *short)

    @property
    def contains(self) -> _Condition:
        """Each word is somewhere in what is looked through."""
        return self._all_in(self._where)

    @property
    def ranked_by(self) -> Sequence[_Order]:
        """What `ranks` looks at besides the name; big, so left out where it tells nothing."""
        return () if self.words == (self._text,) else (ToolIndexRow.search_text,)

    @property
    def begins(self) -> _Condition:
        """The name begins with the text."""
        return self._begins(ToolIndexRow.search_name)

    def _begins(self, name: Any) -> _Condition:
        first = func.lower(literal(self._text, _SEARCH))
        return (name >= first) & (name < first.concat(_LAST))

    def ranks(self, row: Any) -> Sequence[_Order]:
        """The very name; what begins with the text; other names with it; what has it elsewhere;
        names with all its words; the rest. Among equals, short names first.
        """
        name: ColumnElement[str] = row.search_name
        fit = case(
            (name == func.lower(literal(self._text, _SEARCH)), 0),
            (self._begins(name), 1),
            (self._in(name, self._text), 2),
            *self._loosely(row),
            else_=5,
        )
        return (fit, func.length(name), row.name, row.version)

    def _loosely(self, row: Any) -> Sequence[tuple[_Condition, int]]:
        if self.words == (self._text,):
            return ()
        return (
            (self._in(row.search_text, self._text), 3),
            (self._all_in(row.search_name), 4),
        )

    def _all_in(self, where: Any) -> _Condition:
        return and_(*(self._in(where, word) for word in self.words))

    def _in(self, where: Any, text: str) -> _Condition:
        if self._sqlite:
            return func.instr(where, func.lower(literal(text, _SEARCH))) > 0
        for special in (_ESCAPE, "%", "_"):
            text = text.replace(special, _ESCAPE + special)
        return where.like(func.lower(literal(f"%{text}%", _SEARCH)), escape=_ESCAPE)


_INDEX: Final = ToolIndexRow.__table__
_TAGS: Final = ToolTagRow.__table__


def _select() -> Select[UUID]:
    return select(ToolIndexRow.tool_id)  # tenant: among the conditions of whoever asks


class _CrossJoin(Join):
    """Keeps SQLite from looking at all tools for each match rather than the other way round.

    Source: https://www.sqlite.org/optoverview.html#crossjoin
    """

    inherit_cache = True


@compiles(_CrossJoin, "sqlite")
def _write(join: _CrossJoin, compiler: SQLCompiler, **options: Any) -> str:  # pyright: ignore[reportUnusedFunction]
    visit = cast("Callable[..., str]", compiler.visit_join)  # pyright: ignore[reportUnknownMemberType]
    return visit(join, **options).replace(" JOIN ", " CROSS JOIN ", 1)
