"""A use that nobody asked for yet: made into the question that a real one would be."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from bascule.gateway.decision import Circumstances, Decision, Question
from bascule.gateway.errors import InvalidValue
from bascule.gateway.inventory import ItemKind, Target
from bascule.gateway.likeness import closest
from bascule.gateway.principal import Principal
from bascule.gateway.rule import Action
from bascule.gateway.snapshot import TenantView
from bascule.gateway.tool import Tool
from bascule.gateway.versions import choose
from bascule.policy.pinning import split_pin

SOMEONE: Final = "someone"
"""The name of a caller of whom only roles, groups or the agent were given."""
_LONGEST_SHOWN: Final = 128
_MOST_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Case:
    """Somebody who wants to use something, as far as decisions look at it.

    `tool` is a name as callers write it, with a version (`refund@1.2`) or without; with `kind` the
    name of a prompt or the URI template of resources instead. `bundle` is the one through which it
    is reached. `groups` bring the roles that the tenant maps them to, besides `roles`. `moment` is
    in seconds since the epoch, None for now. `arguments` of None are not known yet.
    """

    tool: str
    action: Action = Action.INVOKE
    user: str = SOMEONE
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    agent: str | None = None
    arguments: Mapping[str, object] | None = field(default_factory=dict[str, object])
    moment: float | None = None
    peer: str = ""
    bundle: str = ""
    kind: ItemKind | None = None


class Decides(Protocol):
    """What answers questions; `bascule.policy.access.Access` is one."""

    async def decide_use(
        self, question: Question, *, deadline: float, steps: bool = False
    ) -> Decision:
        """The decision. `deadline` is in seconds of `time.monotonic`."""
        ...


async def decide_case(
    access: Decides, view: TenantView, case: Case, *, deadline: float, steps: bool = False
) -> Decision:
    """What is decided about `case` in the tenant of `view`, which `access` has the rules of.

    As with real calls, a tool that the caller does not see is not called: then it is the decision
    about that. `deadline` is in seconds of `time.monotonic`.

    Raises:
        InvalidValue: as `question_of`.
    """
    _, decision = await decide_call(access, question_of(view, case), deadline=deadline, steps=steps)
    return decision


async def decide_call(
    access: Decides, question: Question, *, deadline: float, steps: bool = False
) -> tuple[Question, Decision]:
    """What is decided about a use, and the question that decided it: seen first, then called."""
    if question.action is Action.INVOKE and isinstance(question.subject, Tool):
        unknown_yet = replace(question.circumstances, arguments=None)
        seeing = replace(question, action=Action.DISCOVER, circumstances=unknown_yet)
        seen = await access.decide_use(seeing, deadline=deadline, steps=steps)
        if not seen.possible:
            return seeing, seen
    return question, await access.decide_use(question, deadline=deadline, steps=steps)


def question_of(
    view: TenantView, case: Case, permissions: frozenset[str] | None = None
) -> Question:
    """The question that a real use like `case` would be.

    `permissions` are those that the caller's roles give where it is None.

    Raises:
        InvalidValue: there is no such tool, bundle or role; the closest one is named.
    """
    subject = subject_of(view, case)
    return Question(
        caller_of(view, case, permissions), subject, case.action, circumstances_of_case(case)
    )


def circumstances_of_case(case: Case) -> Circumstances:
    """When, from where and with what; what is only looked for has no arguments."""
    moment = time.time() if case.moment is None else case.moment
    arguments = None if case.action is Action.DISCOVER else case.arguments
    return Circumstances(moment, case.peer, arguments)


def caller_of(view: TenantView, case: Case, permissions: frozenset[str] | None = None) -> Principal:
    """The caller of `case`.

    Raises:
        InvalidValue: the tenant has no such role.
    """
    roles = frozenset(case.roles)
    _refuse_unknown("role", roles, view.roles)
    groups = frozenset(case.groups)
    roles = roles.union(*(view.group_roles.get(group, ()) for group in groups))
    if permissions is None:
        permissions = permissions_of(view, roles)
    return Principal(
        tenant=view.tenant,
        subject=case.user,
        roles=roles,
        permissions=permissions,
        agent=case.agent,
        groups=groups,
        user_id=user_id_of(view, case.user),
    )


def permissions_of(view: TenantView, roles: Iterable[str]) -> frozenset[str]:
    """What `roles` permit together; a role that is gone permits nothing."""
    return frozenset[str]().union(*(view.roles.get(role, ()) for role in roles))


def user_id_of(view: TenantView, name: str) -> str | None:
    """The id of the account of that name, if there is one."""
    return next((one.user_id for one in view.people.values() if one.name == name), None)


def subject_of(view: TenantView, case: Case) -> Tool | Target:
    """What `case` is about.

    Raises:
        InvalidValue: there is no such thing; the closest one is named.
    """
    if case.kind is not None:
        return _target_of(view, case, case.kind)
    tools = tools_of(view, case.bundle)
    found = tools.get(case.tool)
    if found is not None:
        return found
    name, pin = split_pin(case.tool)
    versions = view.versions.get(name) or tuple(filter(None, (tools.get(name),)))
    pinned = choose(versions, pin) if pin and name in tools else None
    if pinned is not None:
        return pinned
    if pin and versions:
        there = ", ".join(one.version for one in versions[:_MOST_SHOWN])
        raise InvalidValue(
            f"{name} is here in version {there}, not {pin[:_LONGEST_SHOWN]}.",
            details={"field": "tool", "available": there},
        )
    if case.tool in view.disabled or case.tool in view.quarantined:
        raise InvalidValue(
            f"The tool {case.tool} is not in force: it is inactive, quarantined, or its bundle is. "
            "Nobody can call it, whatever the policies say.",
            details={"field": "tool"},
        )
    raise missing("tool", case.tool, tools)


def tools_of(view: TenantView, bundle: str) -> Mapping[str, Tool]:
    """What can be called, at all or by way of one bundle."""
    if not bundle:
        return view.tools
    served = view.bundle_tools.get(bundle)
    if served is not None:
        return served
    if bundle not in view.bundles:
        raise missing("bundle", bundle, view.bundles)
    return {name: tool for name, tool in view.tools.items() if tool.bundle == bundle}


def _target_of(view: TenantView, case: Case, kind: ItemKind) -> Target:
    inventories = view.inventories.values()
    if kind is ItemKind.PROMPT:
        items = {name: one for held in inventories for name, one in held.prompts.items()}
    elif kind is ItemKind.TEMPLATE:
        items = {one.name: one for held in inventories for one in held.templates}
    else:
        raise InvalidValue(
            "Ask about a tool, a prompt or a resource template.", details={"field": "kind"}
        )
    item = items.get(case.tool)
    if item is None:
        raise missing(kind, case.tool, items)
    return Target(kind, item.upstream, item.name, item.bundle, item.inner, item.risk)


def _refuse_unknown(sort: str, names: frozenset[str], known: Iterable[str]) -> None:
    for name in sorted(names.difference(known)):
        raise missing(sort, name, known)


def missing(sort: str, name: str, known: Iterable[str]) -> InvalidValue:
    """The failure where no `sort` of thing has this name; says which one was probably meant."""
    names = sorted(known)
    guess = closest(name, names)
    if guess:
        hint = f"Did you mean {guess}?"
    elif names:
        more = ", ..." if len(names) > _MOST_SHOWN else ""
        hint = f"There are {', '.join(names[:_MOST_SHOWN])}{more}."
    else:
        hint = f"There is no {sort} yet."
    return InvalidValue(
        f"There is no {sort} named {name[:_LONGEST_SHOWN]}. {hint}", details={"field": sort}
    )
