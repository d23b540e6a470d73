"""What an import meets: the tools of its names in all their versions, and the API they are of."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, select

from bascule.catalogue.planning import LIVE, Action, Known, Place, Step
from bascule.gateway.errors import Conflict
from bascule.gateway.tool import Tool, ToolStatus
from bascule.storage.mapping import tool_from
from bascule.storage.repositories.imports import Imports, ImportStatus, StoredImport
from bascule.storage.repositories.scope import Scoped
from bascule.storage.semver import Precedence, precedence
from bascule.storage.tables import BundleRow, ImportRow, ToolRow, UpstreamRow

_PER_QUERY: Final = 500
_NOT_IN_A_NAME: Final = re.compile(r"[^a-z0-9]+")
_LONGEST_NAME: Final = 100
_MOST_NAMED: Final = 10
_STANDING: Final = {ToolStatus.ACTIVE.value: 2, ToolStatus.DEPRECATED.value: 1}
_LIVE: Final = frozenset(status.value for status in LIVE)


class Version(NamedTuple):
    """A version of a tool, without what is big about it."""

    id: UUID
    name: str
    version: str
    status: str
    edited: list[str]
    bundle: str
    upstream: str
    spec_id: UUID | None
    import_status: str | None
    updated_at: datetime

    @property
    def is_live(self) -> bool:
        """Whether it is listed and callable."""
        return self.status in _LIVE

    @property
    def rank(self) -> tuple[int, Precedence]:
        """Active before deprecated before the rest, then by number."""
        return _STANDING.get(self.status, 0), precedence(self.version)


@dataclass(frozen=True, slots=True)
class Survey:
    """All versions by tool, and the imports of the same API that are in force and in waiting."""

    place: Place
    versions: Mapping[str, Sequence[Version]]
    published: StoredImport | None = None
    waiting: StoredImport | None = None

    def baseline(self, name: str) -> Version | None:
        """The version to compare with: the one in force, else one that was, but never a draft."""
        return baseline(self.versions.get(name, ()))

    @property
    def mark(self) -> object:
        """Equal as long as nobody changes any of it."""
        rows = {
            (one.id, one.status, one.updated_at) for all_ in self.versions.values() for one in all_
        }
        imports = [one and (one.id, one.status) for one in (self.published, self.waiting)]
        return self.place, frozenset(rows), tuple(imports)


def baseline(versions: Iterable[Version]) -> Version | None:
    """The one that counts among the versions of a tool."""
    counting = [
        one
        for one in versions
        if one.status != ToolStatus.DRAFT.value
        and not (
            one.status == ToolStatus.INACTIVE.value
            and one.import_status == ImportStatus.ROLLED_BACK.value
        )
    ]
    return max(counting, key=lambda one: one.rank, default=None)


class Surveys(Scoped):
    """Looks around before an import, and again before it is committed."""

    async def look(self, bundle: str, title: str, names: Sequence[str]) -> Survey:
        """What is stored under `names`, and of the API with that `title`.

        Raises:
            Conflict: a name belongs to another bundle.
        """
        found = await self._by_names(names)
        _spare_other_bundles(found, bundle)
        upstream = await self._upstream(bundle, title, found, len(names))
        return await self._complete(bundle, upstream, found)

    async def look_at(self, stored: StoredImport, names: Sequence[str]) -> Survey:
        """As `look`, for an import that is stored."""
        found = await self._by_names(names)
        return await self._complete(stored.bundle, stored.upstream, found)

    async def known(self, survey: Survey, *, replaced: UUID | None = None) -> dict[str, Known]:
        """What a plan has to know; drafts of the import that is `replaced` do not count."""
        steps: tuple[Step, ...] = ()
        if survey.published is not None:
            steps = await Imports(self._session, self._tenant_id).steps(survey.published.id)
        last = {step.name: step for step in steps}
        chosen = {name: survey.baseline(name) for name in survey.versions}
        tools = await self._tools([one for one in chosen.values() if one is not None])
        known: dict[str, Known] = {}
        for name, versions in survey.versions.items():
            best, step = chosen[name], last.get(name)
            known[name] = Known(
                tool=None if best is None else tools[best.id],
                edited=() if best is None else tuple(best.edited),
                versions=tuple(one.version for one in versions if not _is_of(one, replaced)),
                is_removed=step is not None and step.action in (Action.REMOVED, Action.GONE),
                deprecated=None if step is None else step.deprecated,
            )
        return known

    async def _complete(
        self, bundle: str, upstream: str, found: dict[str, list[Version]]
    ) -> Survey:
        for one in await self._versions(UpstreamRow.name == upstream):
            if one.name not in found:
                found[one.name] = []
            if all(one.id != other.id for other in found[one.name]):
                found[one.name].append(one)
        imports = Imports(self._session, self._tenant_id)
        url = await self._session.scalar(
            select(UpstreamRow.url).where(
                UpstreamRow.tenant_id == self._tenant_id, UpstreamRow.name == upstream
            )
        )
        is_called = any(
            one.is_live and one.upstream == upstream for all_ in found.values() for one in all_
        )
        published = await imports.published(upstream)
        place = Place(bundle, upstream, url if is_called or published else None)
        return Survey(place, found, published, await imports.waiting(upstream))

    async def _upstream(
        self, bundle: str, title: str, found: Mapping[str, Sequence[Version]], count: int
    ) -> str:
        """The service of that title, or the one that most of the tools call under another title."""
        name = upstream_name(bundle, title)
        exists = await self._session.scalar(
            select(UpstreamRow.id).where(
                UpstreamRow.tenant_id == self._tenant_id, UpstreamRow.name == name
            )
        )
        if exists is not None:
            return name
        owners = Counter(
            best.upstream for versions in found.values() if (best := baseline(versions))
        )
        for owner, tools in owners.most_common(1):
            if tools * 2 > count:
                return owner
        return name

    async def _by_names(self, names: Sequence[str]) -> dict[str, list[Version]]:
        found: dict[str, list[Version]] = {}
        ordered = sorted(set(names))
        for start in range(0, len(ordered), _PER_QUERY):
            some = ordered[start : start + _PER_QUERY]
            for one in await self._versions(ToolRow.name.in_(some)):
                found.setdefault(one.name, []).append(one)
        return found

    async def _versions(self, condition: ColumnElement[bool]) -> list[Version]:
        rows = await self._session.execute(
            select(
                ToolRow.id, ToolRow.name, ToolRow.version, ToolRow.status, ToolRow.edited,
                BundleRow.name, UpstreamRow.name, ToolRow.spec_id, ImportRow.status,
                ToolRow.updated_at,
            )
            .join(BundleRow, BundleRow.id == ToolRow.bundle_id)
            .join(UpstreamRow, UpstreamRow.id == ToolRow.upstream_id)
            .outerjoin(ImportRow, ImportRow.id == ToolRow.spec_id)
            .where(
                ToolRow.tenant_id == self._tenant_id,
                condition,
            )
        )  # fmt: skip
        return [Version(*row) for row in rows]

    async def _tools(self, versions: Sequence[Version]) -> dict[UUID, Tool]:
        found: dict[UUID, Tool] = {}
        bundles = {one.id: one.bundle for one in versions}
        ids = list(bundles)
        for start in range(0, len(ids), _PER_QUERY):
            some = ids[start : start + _PER_QUERY]
            rows = await self._session.scalars(
                select(ToolRow).where(ToolRow.tenant_id == self._tenant_id, ToolRow.id.in_(some))
            )
            found.update({row.id: tool_from(row, bundles[row.id]) for row in rows})
        return found


def upstream_name(bundle: str, title: str) -> str:
    """The same for a re-import, another for each other title in the bundle, but for its case."""
    slug = _NOT_IN_A_NAME.sub("-", title.lower()).strip("-")
    name = f"{bundle}.{slug}"
    if slug.split("-") == title.lower().split() and len(name) <= _LONGEST_NAME:
        return name
    # The title does not survive in the name (it may be in another script): its digest does.
    mark = hashlib.sha256(f"{bundle}.{title}".encode()).hexdigest()[:12]
    return f"{name[: _LONGEST_NAME - 13].rstrip('-.')}-{mark}"


def _spare_other_bundles(found: Mapping[str, Sequence[Version]], bundle: str) -> None:
    """A name belongs to one bundle: an import never takes another bundle's tool over."""
    foreign = {
        name: one.bundle
        for name, versions in sorted(found.items())
        for one in versions
        if one.bundle != bundle
    }
    if not foreign:
        return
    name, owner = next(iter(foreign.items()))
    if len(foreign) == 1:
        raise Conflict(
            f"Tool {name} exists already in bundle {owner}. Import into "
            "that bundle, or change the operationId.",
            details={"tool": name, "bundle": owner},
        )
    named = [f"{name} (bundle {owner})" for name, owner in list(foreign.items())[:_MOST_NAMED]]
    more = f" and {len(foreign) - _MOST_NAMED} more" if len(foreign) > _MOST_NAMED else ""
    raise Conflict(
        f"{len(foreign)} tools exist already in other bundles: {', '.join(named)}{more}. "
        "Import into that bundle, or change the operationIds.",
        details={"tool": name, "bundle": owner, "tools": list(foreign)[:_MOST_NAMED]},
    )


def _is_of(version: Version, import_id: UUID | None) -> bool:
    is_draft = version.status == ToolStatus.DRAFT.value
    return import_id is not None and version.spec_id == import_id and is_draft
