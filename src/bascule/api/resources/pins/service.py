"""Looking at definitions that wait, and deciding about them."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.resources.pins.schemas import Decisions, Pin, PinChange, PinDetails
from bascule.catalogue.drift import changes_between
from bascule.storage.repositories.pins import Definition, Pins, StoredPin


async def list_pins(
    control: Control, caller: Caller, server: str | None, *, waiting: bool
) -> list[Pin]:
    """The tenant's pins; only those of `server`, only what waits."""
    async with control.read(caller) as rows:
        found = await Pins(rows.session, rows.tenant_id).list(server=server, waiting=waiting)
    return [_shown(one) for one in found]


async def get_pin(control: Control, caller: Caller, server: str, tool: str) -> PinDetails:
    """One pin with its definitions and what differs between them.

    Raises:
        NotFound: no such tool was ever seen there.
    """
    async with control.read(caller) as rows:
        found = await Pins(rows.session, rows.tenant_id).get(server, tool)
    approved, waiting = _document(found.approved), _document(found.seen)
    changes = changes_between(approved, waiting) if approved and waiting else ()
    return PinDetails(
        **_shown(found).model_dump(),
        approved=approved,
        waiting=waiting,
        changes=[
            PinChange(severity=one.severity, place=one.place, message=one.message)
            for one in changes
        ],
    )


async def approve(control: Control, caller: Caller, wanted: Decisions) -> list[Pin]:
    """Serve what was looked at.

    Raises:
        NotFound: no such tool was ever seen there.
        Conflict: one of them changed since, so nothing was approved.
    """
    return await _decide(control, caller, wanted, "pin.approve", lambda pins: pins.approve)


async def reject(control: Control, caller: Caller, wanted: Decisions) -> list[Pin]:
    """Go on holding back what was looked at. Raises as `approve`."""
    return await _decide(control, caller, wanted, "pin.reject", lambda pins: pins.reject)


_Act = Callable[[str, str, bytes], Awaitable[StoredPin]]


async def _decide(
    control: Control,
    caller: Caller,
    wanted: Decisions,
    action: str,
    act_of: Callable[[Pins], _Act],
) -> list[Pin]:
    target = ", ".join(sorted({one.server for one in wanted.pins}))
    details = {"pins": [one.model_dump() for one in wanted.pins]}
    async with control.change(caller, action, target, details) as rows:
        act = act_of(Pins(rows.session, rows.tenant_id))
        decided = [
            await act(one.server, one.tool, bytes.fromhex(one.digest)) for one in wanted.pins
        ]
    return [_shown(one) for one in decided]


def _document(definition: Definition | None) -> dict[str, Any] | None:
    return None if definition is None else msgspec.json.decode(definition.text)


def _shown(pin: StoredPin) -> Pin:
    return Pin(
        server=pin.server,
        tool=pin.tool,
        status=pin.status,
        digest=pin.seen.digest.hex() if pin.seen else None,
        approved_by=pin.approved_by,
        approved_at=pin.approved_at,
        seen_at=pin.seen_at,
    )
