"""What bundles borrow and have released, read as the kernel's values and written from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from bascule.gateway.tool import Bundle, Member, Release
from bascule.storage.registry_tables import BundleMemberRow, BundleReleaseRow
from bascule.storage.semver import precedence


@dataclass(slots=True)
class Selection:
    """The members and releases of one bundle; `releases` are newest first."""

    members: list[Member] = field(default_factory=list[Member])
    releases: list[Release] = field(default_factory=list[Release])
    served: str = ""


NO_SELECTION = Selection()


async def load_selections(
    session: AsyncSession, tenant_id: UUID | None = None
) -> Mapping[UUID, Selection]:
    """By the bundle's id, of one tenant or of all; bundles without any are left out."""
    found: dict[UUID, Selection] = {}
    members = select(BundleMemberRow).order_by(BundleMemberRow.shown_name)
    for row in await session.scalars(_within(members, BundleMemberRow, tenant_id)):
        found.setdefault(row.bundle_id, Selection()).members.append(member_from(row))
    for row in await session.scalars(
        _within(select(BundleReleaseRow), BundleReleaseRow, tenant_id)
    ):
        selection = found.setdefault(row.bundle_id, Selection())
        selection.releases.append(Release(row.version, read_members(row.members)))
        if row.is_served:
            selection.served = row.version
    for selection in found.values():
        selection.releases.sort(key=lambda one: precedence(one.version), reverse=True)
    return found


def selecting(bundle: Bundle, selection: Selection | None) -> Bundle:
    """`bundle` with its members and releases."""
    chosen = selection or NO_SELECTION
    return replace(
        bundle,
        members=tuple(chosen.members),
        releases=tuple(chosen.releases),
        served=chosen.served,
    )


def member_from(row: BundleMemberRow) -> Member:
    """The member in `row`."""
    name = "" if row.shown_name == row.tool else row.shown_name
    return Member(row.tool, row.version, name, row.description, row.defaults, row.server)


def member_columns(member: Member) -> dict[str, Any]:
    """The columns that hold `member`."""
    return {
        "shown_name": member.shown_name,
        "tool": member.tool,
        "server": member.server,
        "version": member.version,
        "description": member.description,
        "defaults": dict(member.defaults),
    }


def member_documents(members: Sequence[Member]) -> list[dict[str, Any]]:
    """The JSON form of a release's members."""
    return msgspec.json.decode(msgspec.json.encode(members))


def read_members(documents: Sequence[Mapping[str, Any]]) -> tuple[Member, ...]:
    """The members of a release."""
    return msgspec.convert(documents, tuple[Member, ...])


def _within(statement: Select[Any], table: type[Any], tenant_id: UUID | None) -> Select[Any]:
    return statement if tenant_id is None else statement.where(table.tenant_id == tenant_id)
