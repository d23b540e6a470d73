"""Between the desk and the REST API."""

from uuid import UUID

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.elevated import Wanted
from bascule.api.elevating import ElevationDesk
from bascule.api.resources.elevations.schemas import (
    Elevation,
    ElevationList,
    ElevationSeen,
    ElevationWanted,
)
from bascule.gateway.errors import InvalidValue
from bascule.storage.repositories.elevations import StoredElevation
from bascule.storage.repositories.page import Page


async def request(control: Control, caller: Caller, wanted: ElevationWanted) -> Elevation:
    """Ask for elevation, by a link or by name.

    Raises:
        InvalidValue: it is both, or neither.
        GatewayError: as `ElevationDesk.request` and `ElevationDesk.open_link`.
    """
    desk = ElevationDesk(control)
    if bool(wanted.link) == bool(wanted.name):
        raise InvalidValue(
            "Give either the link that the refused call named, or the name of a tool or bundle.",
            details={"field": "name"},
        )
    if wanted.link and wanted.arguments is not None:
        raise InvalidValue(
            "With a link the arguments are those of the call that was held back.",
            details={"field": "arguments"},
        )
    token = wanted.link.rstrip("/").rpartition("/")[2]
    made = await desk.request(
        caller,
        Wanted(
            wanted.reason,
            wanted.scope,
            wanted.name,
            wanted.arguments,
            await desk.open_link(caller, token) if token else None,
            wanted.ticket,
            wanted.minutes,
        ),
    )
    return shown(made)


async def seen(control: Control, caller: Caller, elevation_id: UUID) -> ElevationSeen:
    """One request, with its user's history."""
    found = await ElevationDesk(control).get(caller, elevation_id)
    one = shown(found.elevation)
    return ElevationSeen(**one.model_dump(), history=dict(found.history))


def listed(found: Page[StoredElevation]) -> ElevationList:
    """A page of requests."""
    return ElevationList(
        elevations=[shown(one) for one in found.items],
        total=found.total,
        page=found.page,
        limit=found.limit,
    )


def shown(stored: StoredElevation) -> Elevation:
    """One request."""
    return Elevation(
        elevation_id=stored.id,
        status=stored.status,
        user=stored.holder.subject,
        asked_by=stored.asked_by,
        scope=stored.scope.kind,
        name=stored.scope.name,
        asked_scope=stored.asked_scope,
        tool=stored.tool,
        bundle=stored.bundle,
        arguments=stored.arguments,
        reason=stored.reason,
        ticket=stored.ticket,
        minutes=stored.minutes,
        asked_minutes=stored.asked_minutes,
        requested_at=stored.requested_at,
        void_at=stored.void_at,
        decided_by=stored.decided_by,
        decided_at=stored.decided_at,
        comment=stored.comment,
        approval_reference=stored.reference,
        expires_at=stored.expires_at,
        ended_by=stored.ended_by,
        ended_at=stored.ended_at,
        end_comment=stored.end_comment,
    )
