"""Showing conditions, and closing a breaker."""

from typing import Literal, cast

from bascule.api.caller import Caller
from bascule.api.condition import Condition as Known
from bascule.api.control import Control
from bascule.api.resources.traffic.schemas import Breaker, Condition, Health
from bascule.gateway.errors import NotFound


def list_conditions(control: Control, caller: Caller) -> list[Condition]:
    """Of every upstream of the caller's tenant."""
    if control.conditions is None:
        return []
    found = control.conditions.all(caller.tenant)
    return [
        Condition(upstream=name, breaker=_breaker(name, one), health=_health(name, one))
        for name, one in found.items()
    ]


def get_breaker(control: Control, caller: Caller, name: str) -> Breaker:
    """Of one upstream.

    Raises:
        NotFound: there is none of that name.
    """
    return _breaker(name, _require(control, caller, name))


def get_health(control: Control, caller: Caller, name: str) -> Health:
    """Of one upstream.

    Raises:
        NotFound: there is none of that name.
    """
    return _health(name, _require(control, caller, name))


async def reset_breaker(control: Control, caller: Caller, name: str) -> Breaker:
    """Close a breaker; the record of it is durable before.

    Raises:
        NotFound: there is no upstream of that name.
        RecordingFailed: it could not be recorded, and was not done.
    """
    _require(control, caller, name)
    await control.note_action(caller, "breaker.reset", name)
    if control.conditions is not None:
        control.conditions.reset(caller.tenant, name)
    return get_breaker(control, caller, name)


def _require(control: Control, caller: Caller, name: str) -> Known:
    found = None if control.conditions is None else control.conditions.of(caller.tenant, name)
    if found is None:
        raise NotFound(f"There is no upstream named {name} in force.")
    return found


def _breaker(name: str, known: Known) -> Breaker:
    return Breaker(
        upstream=name,
        state=cast("Literal['closed', 'half_open', 'open']", known.breaker),
        failures=known.failures,
        retry_after_seconds=known.retry_after_seconds,
    )


def _health(name: str, known: Known) -> Health:
    return Health(
        upstream=name,
        health=cast("Literal['healthy', 'degraded', 'down'] | None", known.health or None),
        reason=known.reason,
        probe_seconds=known.probe_seconds,
    )
