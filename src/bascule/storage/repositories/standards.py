"""The metadata standard of one tenant, and who falls short of it."""

from collections.abc import Iterable
from typing import Final

import msgspec
from sqlalchemy import select

from bascule.catalogue.standards import ANYTHING_GOES, Standard, violations
from bascule.gateway.errors import InvalidValue
from bascule.gateway.tool import Tool
from bascule.storage.counter import author_of
from bascule.storage.registry_tables import MetadataStandardRow
from bascule.storage.repositories.scope import Scoped

_MOST_NAMED: Final = 5


class Standards(Scoped):
    """A tenant's one standard; read once, as nothing changes within a transaction but here."""

    _known: Standard | None = None

    async def get(self) -> Standard:
        """The standard in force; one that asks for nothing where none was set."""
        if self._known is None:
            row = await self._row()
            self._known = ANYTHING_GOES if row is None else msgspec.convert(row.document, Standard)
        return self._known

    async def set(self, standard: Standard) -> None:
        """Put `standard` in force. Tools that are published stay so."""
        document = msgspec.json.decode(msgspec.json.encode(standard))
        row = await self._row()
        if row is None:
            row = MetadataStandardRow(tenant_id=self._tenant_id)
            self._session.add(row)
        row.document, row.updated_by = document, author_of(self._session)
        self._known = standard
        await self._session.flush()

    async def check(self, tools: Iterable[Tool]) -> None:
        """Pass where every tool meets the standard: to be asked before any is published.

        Raises:
            InvalidValue: names the tools and what each lacks.
        """
        standard = await self.get()
        if standard == ANYTHING_GOES:
            return
        lacking = [(tool, found) for tool in tools if (found := violations(standard, tool))]
        if not lacking:
            return
        named = "; ".join(
            f"{tool.name} {tool.version}: {', '.join(one.message for one in found)}"
            for tool, found in lacking[:_MOST_NAMED]
        )
        more = f"; and {len(lacking) - _MOST_NAMED} more" if len(lacking) > _MOST_NAMED else ""
        raise InvalidValue(
            f"The metadata standard is not met. {named}{more}. Add what is missing, then publish.",
            details={
                "field": lacking[0][1][0].field.value,
                "violations": [
                    {"tool": tool.name, "version": tool.version, "field": one.field.value,
                     "message": one.message}
                    for tool, found in lacking[:100]
                    for one in found
                ],
            },
        )  # fmt: skip

    async def _row(self) -> MetadataStandardRow | None:
        return (
            await self._session.scalars(
                select(MetadataStandardRow).where(MetadataStandardRow.tenant_id == self._tenant_id)
            )
        ).one_or_none()
