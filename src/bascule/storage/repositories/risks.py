"""The risks of a tenant's tools, in every version that is kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import select

from bascule.gateway.tool import RiskLevel, ToolStatus
from bascule.storage.mapping import LISTABLE, rank
from bascule.storage.repositories.scope import Scoped
from bascule.storage.tables import ToolRow

_NAMES_PER_QUERY: Final = 500


@dataclass(frozen=True, slots=True)
class Standing:
    """How the versions of a tool stand whose name was privileged in one of them.

    `is_privileged` says that the version in force is; where none is in force, that one is that is
    kept and no draft. `milder` are the versions that can be called and are less.
    """

    is_privileged: bool
    is_mild_in_force: bool
    is_remembered: bool
    """Whether a version is kept, other than drafts, that is privileged."""
    milder: frozenset[str]


class _Version(NamedTuple):
    name: str
    version: str
    status: str
    risk_level: str

    @property
    def is_privileged(self) -> bool:
        return self.risk_level == RiskLevel.PRIVILEGED.value


class Risks(Scoped):
    """What is privileged in a tenant."""

    async def privileged(self) -> Mapping[str, Standing]:
        """Every tool of which a version is kept that is privileged and no draft."""
        named = select(ToolRow.name).where(
            ToolRow.tenant_id == self._tenant_id,
            ToolRow.risk_level == RiskLevel.PRIVILEGED.value,
            ToolRow.status != ToolStatus.DRAFT.value,
        )
        return await self.standings((await self._session.scalars(named.distinct())).all())

    async def standings(self, names: Iterable[str]) -> Mapping[str, Standing]:
        """Those of the tools named, without those of which no version is kept."""
        wanted, found = sorted(set(names)), dict[str, list[_Version]]()
        for start in range(0, len(wanted), _NAMES_PER_QUERY):
            columns = (ToolRow.name, ToolRow.version, ToolRow.status, ToolRow.risk_level)
            rows = await self._session.execute(
                select(*columns).where(
                    ToolRow.tenant_id == self._tenant_id,
                    ToolRow.name.in_(wanted[start : start + _NAMES_PER_QUERY]),
                )
            )
            for row in rows:
                found.setdefault(row.name, []).append(_Version(*row))
        return {name: _standing(versions) for name, versions in found.items()}


def _standing(versions: list[_Version]) -> Standing:
    best = max(versions, key=rank)
    is_in_force = best.status in LISTABLE
    is_remembered = any(
        one.is_privileged and one.status != ToolStatus.DRAFT.value for one in versions
    )
    milder = {one.version for one in versions if one.status in LISTABLE and not one.is_privileged}
    return Standing(
        is_privileged=best.is_privileged if is_in_force else is_remembered,
        is_mild_in_force=is_in_force and not best.is_privileged,
        is_remembered=is_remembered,
        milder=frozenset(milder),
    )
