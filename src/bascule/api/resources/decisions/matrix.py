"""Who can see and call what: cells of a matrix of tools and callers, some at a time."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import islice
from typing import Final

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.resources.decisions.schemas import Cell, Matrix, Only, PartyKind, Said, WhoCan
from bascule.api.resources.decisions.service import (
    DEADLINE_SECONDS,
    circumstances_of,
    dependencies,
)
from bascule.api.resources.decisions.whom import keys_of, principal_of
from bascule.gateway.decision import Circumstances, Decision, Question
from bascule.gateway.principal import Principal
from bascule.gateway.rule import Action, Effect
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import Tool
from bascule.policy.access import Access
from bascule.policy.hypothetical import Case, caller_of, missing, subject_of, tools_of

_MOST_LOOKED_AT: Final = 5_000
"""Cells that one answer goes through at most."""
_SLICE: Final = 100
"""Cells between which others have their turn."""


@dataclass(frozen=True, slots=True)
class Party:
    """One caller of the matrix."""

    kind: PartyKind
    name: str
    principal: Principal
    id: str | None = None


async def who_can(control: Control, caller: Caller, wanted: WhoCan) -> Matrix:
    """The cells that are wanted, from `wanted.after` on.

    Raises:
        InvalidValue: no tool is meant, or there is no such caller.
    """
    snapshot = control.snapshot()
    view = snapshot.tenant(caller.tenant)
    tools = _tools(view, wanted)
    parties = _parties(control, caller, wanted, snapshot)
    asked = {action: circumstances_of(wanted, action) for action in Action}
    access, found, number = control.access(), list[Cell](), wanted.after
    cells = _cells(tools, parties, number, _MOST_LOOKED_AT)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while piece := list(islice(cells, _SLICE)):
        for cell in await _judged(access, piece, asked, deadline):
            number += 1
            if _is_wanted(cell, wanted.only):
                found.append(cell)
            if len(found) == wanted.limit:
                break
        else:
            await asyncio.sleep(0)
            continue
        break
    total = len(tools) * len(parties)
    return Matrix(
        cells=found,
        next=number if number < total else None,
        total=total,
        tools=len(tools),
        callers=len(parties),
        policy_version=view.policy_version,
    )


def _cells(
    tools: Sequence[Tool], parties: Sequence[Party], start: int, most: int
) -> Iterator[tuple[Tool, Party]]:
    """At most so many, from one on; those before are not gone through, and may be very many."""
    each = len(parties)
    for number in range(start, min(start + most, len(tools) * each)):
        yield tools[number // each], parties[number % each]


async def _judged(
    access: Access,
    cells: Sequence[tuple[Tool, Party]],
    asked: dict[Action, Circumstances],
    deadline: float,
) -> list[Cell]:
    questions = [
        Question(party.principal, tool, action, asked[action])
        for tool, party in cells
        for action in (Action.DISCOVER, Action.INVOKE)
    ]
    decisions = iter(await access.decide_many(questions, deadline=deadline))
    return [_cell(tool, party, next(decisions), next(decisions)) for tool, party in cells]


def _cell(tool: Tool, party: Party, sees: Decision, calls: Decision) -> Cell:
    depends_on = {*dependencies(sees), *dependencies(calls)}
    if not sees.possible:
        calls = sees  # what a caller does not see, it cannot call
    return Cell(
        tool=tool.name,
        bundle=tool.bundle,
        risk=tool.risk,
        kind=party.kind,
        name=party.name,
        id=party.id,
        discover=Said(effect=sees.effect, rule=sees.rule),
        invoke=Said(effect=calls.effect, rule=calls.rule),
        depends_on=sorted(depends_on),
    )


def _is_wanted(cell: Cell, only: Only) -> bool:
    if only is Only.DISCOVER:
        return cell.discover.effect is not Effect.DENY
    if only is Only.INVOKE:
        return cell.invoke.effect is not Effect.DENY
    return only is Only.ALL or cell.invoke.effect is Effect.ELEVATE


def _tools(view: TenantView, wanted: WhoCan) -> list[Tool]:
    tools = tools_of(view, wanted.bundle)
    found = [tool for name, tool in tools.items() if fnmatchcase(name, wanted.tool)]
    if not found and tools and not any(one in wanted.tool for one in "*?["):
        subject_of(view, Case(wanted.tool, bundle=wanted.bundle))  # says what was meant
        raise missing("tool", wanted.tool, tools)
    return found


def _parties(control: Control, caller: Caller, wanted: WhoCan, snapshot: Snapshot) -> list[Party]:
    if wanted.user or wanted.key or wanted.roles or wanted.groups or wanted.agent:
        principal = principal_of(control, caller, wanted)
        return [Party(PartyKind.CALLER, principal.subject, principal, principal.key_id)]
    view = snapshot.tenant(caller.tenant)
    kinds = frozenset(wanted.kinds or PartyKind)
    made: Iterable[Party] = _known(view, snapshot)
    return [one for one in made if one.kind in kinds]


def _known(view: TenantView, snapshot: Snapshot) -> Iterator[Party]:
    """Everybody whom the tenant knows: roles, groups, users that are active, and keys."""
    for role in sorted(view.roles):
        case = Case("", user=f"(role {role})", roles=(role,))
        yield Party(PartyKind.ROLE, role, caller_of(view, case))
    for group in sorted(view.group_roles):
        case = Case("", user=f"(group {group})", groups=(group,))
        yield Party(PartyKind.GROUP, group, caller_of(view, case))
    # To find a caller by name takes a look at all people, and there may be very many.
    alike: dict[frozenset[str], Principal] = {}
    for person in sorted(view.people.values(), key=lambda one: one.name):
        if person.is_active:
            like = alike.get(person.roles)
            if like is None:
                like = alike[person.roles] = caller_of(view, Case("", roles=tuple(person.roles)))
            made = replace(like, subject=person.name, user_id=person.user_id)
            yield Party(PartyKind.USER, person.name, made)
    now = time.time()
    keys = keys_of(snapshot, view.tenant).values()
    for key in sorted(keys, key=lambda one: (one.principal.subject, one.key_id)):
        if key.expires_at is None or key.expires_at > now:
            yield Party(PartyKind.KEY, key.principal.subject, key.principal, key.key_id)
