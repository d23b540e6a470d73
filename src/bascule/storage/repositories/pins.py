"""What was decided about the tools that one tenant's MCP servers define."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import Select, select

from bascule.gateway.errors import Conflict, NotFound
from bascule.storage.counter import author_of
from bascule.storage.pin_tables import PinRow
from bascule.storage.repositories.scope import Scoped
from bascule.storage.tables import UpstreamRow
from bascule.storage.types import utc_now

LONGEST_TOOL_NAME: Final = 500
MOST_PINS: Final = 5_000
"""Tools of one server that are ever noted; any beyond these are held back."""


class PinStatus(StrEnum):
    """How a tool stands: `new` and `changed` ones wait for a decision, and are not served."""

    APPROVED = "approved"
    NEW = "new"
    CHANGED = "changed"
    REJECTED = "rejected"


class Definition(NamedTuple):
    """A Tool object, JSON, and its digest."""

    digest: bytes
    text: bytes


@dataclass(frozen=True, slots=True)
class StoredPin:
    """What was decided about `tool` of `server`. None where there is no such definition."""

    server: str
    tool: str
    status: PinStatus
    approved: Definition | None
    approved_by: str
    approved_at: datetime | None
    seen: Definition | None
    seen_at: datetime | None


class Noted(NamedTuple):
    """What a listing brought: names of tools, in its order."""

    approved: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()


class Pins(Scoped):
    """A tenant's pins."""

    async def note(
        self, server: str, listed: Mapping[str, Definition], *, trust_new: bool
    ) -> Noted:
        """Take in what `server` lists.

        A tool never seen before is approved where `trust_new`; else it waits. So does one that
        is not as approved; one that is as approved again waits no more.

        Raises:
            NotFound: there is no such server.
        """
        upstream_id = await self._upstream_id(server)
        rows = await self._session.scalars(
            select(PinRow).where(
                PinRow.tenant_id == self._tenant_id, PinRow.upstream_id == upstream_id
            )
        )
        known = {row.tool_name: row for row in rows}
        noted: dict[str, list[str]] = {word: [] for word in Noted._fields}
        for name, definition in listed.items():
            row = known.get(name)
            if row is None and len(known) + len(noted["approved"]) + len(noted["new"]) >= MOST_PINS:
                continue  # without a pin it is held back; a server cannot fill the database
            if row is None:
                row = PinRow(
                    tenant_id=self._tenant_id,
                    upstream_id=upstream_id,
                    tool_name=name,
                    approved_by="",
                )
                self._session.add(row)
                if trust_new:
                    _approve(row, definition, author_of(self._session))
                else:
                    _see(row, definition)
                noted["approved" if trust_new else "new"].append(name)
            elif row.approved_digest == definition.digest:
                if row.seen_digest is not None:
                    _unsee(row)
                    noted["returned"].append(name)
            elif row.seen_digest != definition.digest:
                _see(row, definition)
                noted["changed" if row.approved_digest else "new"].append(name)
        await self._session.flush()
        return Noted(**{word: tuple(names) for word, names in noted.items()})

    async def list(
        self, *, server: str | None = None, waiting: bool = False
    ) -> tuple[StoredPin, ...]:
        """Every pin by server and tool; only those of `server`; only what waits."""
        statement = self._all()
        if server is not None:
            statement = statement.where(UpstreamRow.name == server)
        if waiting:
            statement = statement.where(PinRow.seen_digest.is_not(None))
        found = [_stored(row, name) for row, name in await self._session.execute(statement)]
        if waiting:
            found = [one for one in found if one.status is not PinStatus.REJECTED]
        return tuple(found)

    async def get(self, server: str, tool: str) -> StoredPin:
        """One pin.

        Raises:
            NotFound: no such tool was ever seen there.
        """
        return _stored(await self._row(server, tool), server)

    async def approve(self, server: str, tool: str, digest: bytes) -> StoredPin:
        """Let the definition that waits be served, if it is the one with this digest.

        Raises:
            NotFound: no such tool was ever seen there.
            Conflict: another definition waits, or none.
        """
        row = await self._waiting(server, tool, digest)
        definition = Definition(row.seen_digest or b"", row.seen_definition or b"")
        _approve(row, definition, author_of(self._session))
        await self._session.flush()
        return _stored(row, server)

    async def reject(self, server: str, tool: str, digest: bytes) -> StoredPin:
        """Do not serve the definition that waits, and do not ask about it again.

        Raises:
            NotFound: no such tool was ever seen there.
            Conflict: another definition waits, or none.
        """
        row = await self._waiting(server, tool, digest)
        row.rejected_digest = row.seen_digest
        await self._session.flush()
        return _stored(row, server)

    async def _waiting(self, server: str, tool: str, digest: bytes) -> PinRow:
        row = await self._row(server, tool)
        if row.seen_digest is None:
            raise Conflict(f"Nothing of {tool} at {server} waits for a decision.")
        if row.seen_digest != digest:
            raise Conflict(
                f"{tool} at {server} has changed again since you looked. Look at it once more.",
                details={"digest": row.seen_digest.hex()},
            )
        return row

    async def _row(self, server: str, tool: str) -> PinRow:
        found = await self._session.execute(
            self._all().where(UpstreamRow.name == server, PinRow.tool_name == tool)
        )
        row = found.one_or_none()
        if row is None:
            raise NotFound(f"No tool named {tool[:100]} was seen at a server named {server[:100]}.")
        return row[0]

    def _all(self) -> Select[PinRow, str]:
        return (
            select(PinRow, UpstreamRow.name)
            .join(UpstreamRow, UpstreamRow.id == PinRow.upstream_id)
            .where(PinRow.tenant_id == self._tenant_id)
            .order_by(UpstreamRow.name, PinRow.tool_name)
        )

    async def _upstream_id(self, server: str) -> UUID:
        found = await self._session.scalar(
            select(UpstreamRow.id).where(
                UpstreamRow.tenant_id == self._tenant_id, UpstreamRow.name == server
            )
        )
        if found is None:
            raise NotFound(f"There is no server named {server}.")
        return found


def storable(names: Sequence[str]) -> list[str]:
    """Those of `names` that fit into a row; tools of other names are never served."""
    return [name for name in names if len(name) <= LONGEST_TOOL_NAME and "\0" not in name]


def _approve(row: PinRow, definition: Definition, author: str) -> None:
    row.approved_digest, row.approved_definition = definition
    row.approved_by, row.approved_at = author, utc_now()
    _unsee(row)


def _see(row: PinRow, definition: Definition) -> None:
    row.seen_digest, row.seen_definition = definition
    row.seen_at = utc_now()


def _unsee(row: PinRow) -> None:
    row.seen_digest = row.seen_definition = row.seen_at = row.rejected_digest = None


def _stored(row: PinRow, server: str) -> StoredPin:
    return StoredPin(
        server,
        row.tool_name,
        _status(row),
        _definition(row.approved_digest, row.approved_definition),
        row.approved_by,
        row.approved_at,
        _definition(row.seen_digest, row.seen_definition),
        row.seen_at,
    )


def _definition(digest: bytes | None, text: bytes | None) -> Definition | None:
    return None if digest is None or text is None else Definition(digest, text)


def _status(row: PinRow) -> PinStatus:
    if row.seen_digest is None:
        return PinStatus.APPROVED
    if row.seen_digest == row.rejected_digest:
        return PinStatus.REJECTED
    return PinStatus.CHANGED if row.approved_digest else PinStatus.NEW
