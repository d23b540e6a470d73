"""What policies mean, in the plainest words: shares no code with what decides.

Knows patterns of at most one star, and paths of arguments with a single name.
"""

import operator as operators
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from bascule.gateway.decision import Circumstances
from bascule.gateway.principal import Principal
from bascule.gateway.rule import (
    Action,
    ArgumentTest,
    Effect,
    Operator,
    Rule,
    RuleKind,
    TimeWindow,
)
from bascule.gateway.tool import RiskLevel, Tool

Says = Callable[[Rule], bool]
"""Whether Rego allows, by a rule."""


class Outcome(NamedTuple):
    """The effect, and the name of the rule."""

    effect: Effect
    rule: str


NEEDED = {Action.DISCOVER: "tools:list", Action.INVOKE: "tools:execute"}


def meant(
    rules: Sequence[Rule],
    principal: Principal,
    tool: Tool,
    action: Action,
    circumstances: Circumstances,
    says: Says,
    *,
    privileged_needs_grant: bool = True,
) -> Outcome:
    """What must be decided."""
    if not {NEEDED[action], "system_admin"} & principal.permissions:
        return Outcome(Effect.DENY, f"builtin:needs {NEEDED[action]}")
    votes: dict[str, list[Rule]] = {
        one: [] for one in ("allow", "deny", "elevate", "on list", "off list", "nothing")
    }
    for rule in rules:
        if action in rule.actions and is_for(rule, principal) and is_at(rule, tool):
            gives, takes = holds(rule, action, circumstances)
            votes[vote_of(rule, tool, says, gives=gives, takes=takes)].append(rule)
    denies = votes["deny"] + ([] if votes["on list"] else votes["off list"])
    allows = votes["allow"] + votes["on list"]
    if denies:
        return Outcome(Effect.DENY, highest(denies))
    administers = {"admin", "system_admin"} & principal.roles
    if not administers and not allows:
        return Outcome(Effect.DENY, "builtin:default-deny")
    if action is Action.INVOKE and votes["elevate"]:
        return Outcome(Effect.ELEVATE, highest(votes["elevate"]))
    if action is Action.INVOKE and privileged_needs_grant and tool.risk is RiskLevel.PRIVILEGED:
        return Outcome(Effect.ELEVATE, "builtin:privileged")
    return Outcome(Effect.ALLOW, "builtin:admin" if administers else highest(allows))


def vote_of(rule: Rule, tool: Tool, says: Says, *, gives: bool, takes: bool) -> str:
    """What a rule that is for the caller and about the place of the tool has to say."""
    named = not (rule.tools or rule.prompts or rule.resources) or any(
        fits(pattern, tool.name) for pattern in rule.tools
    )
    if rule.kind is RuleKind.ALLOW_LIST:
        said = "on list" if named else "off list"
    elif not named or rule.kind is RuleKind.RATE_LIMIT:
        said = "nothing"
    elif rule.kind is RuleKind.REGO:
        said = "allow" if says(rule) else "deny"
    else:
        said = "deny" if rule.kind is RuleKind.DENY_LIST else rule.effect.value
    counts = gives if said in {"allow", "on list"} else takes
    return said if counts else "nothing"


def highest(rules: Sequence[Rule]) -> str:
    """The rule that is named of several."""
    return max(rules, key=lambda rule: (rule.priority, rule.name)).name


def is_for(rule: Rule, principal: Principal) -> bool:
    """Who."""
    everybody = not rule.roles and rule.kind is not RuleKind.RBAC
    return (
        (everybody or bool(rule.roles & principal.roles))
        and (not rule.users or principal.subject in rule.users)
        and (not rule.groups or bool(rule.groups & principal.groups))
        and (not rule.agents or principal.agent in rule.agents)
    )


def is_at(rule: Rule, tool: Tool) -> bool:
    """What, but for the names."""
    return (
        (not rule.bundles or tool.bundle in rule.bundles)
        and (not rule.risks or tool.risk in rule.risks)
        and (not rule.tags or bool(rule.tags & set(tool.tags)))
    )


def fits(pattern: str, name: str) -> bool:
    """By plain comparison."""
    head, star, tail = pattern.partition("*")
    if not star:
        return pattern == name
    return name.startswith(head) and name.endswith(tail) and len(name) >= len(head) + len(tail)


def holds(rule: Rule, action: Action, circumstances: Circumstances) -> tuple[bool, bool]:
    """Whether its conditions hold: should it give something, and should it take something."""
    gives = takes = True
    if rule.windows:
        inside = any(is_within(one, circumstances.moment) for one in rule.windows)
        gives, takes = gives and inside, takes and inside
    if rule.networks:
        gives_here, takes_here = is_from(rule.networks, circumstances.peer, action)
        gives, takes = gives and gives_here, takes and takes_here
    for test in rule.arguments:
        if action is Action.DISCOVER or circumstances.arguments is None:
            takes = False
            continue
        found = outcome_of(test, circumstances.arguments)
        gives = gives and found is True
        takes = takes and found is not False
    return gives, takes


def is_within(window: TimeWindow, moment: float) -> bool:
    """By the wall clocks of the zone."""
    at = datetime.fromtimestamp(moment, UTC)
    if window.not_before is not None and at < window.not_before:
        return False
    if window.not_after is not None and at > window.not_after:
        return False
    wall = at.astimezone(ZoneInfo(window.zone)).replace(tzinfo=None)
    midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0)
    for day in (midnight - timedelta(days=1), midnight):
        if window.days and day.weekday() not in window.days:
            continue
        start = day + timedelta(minutes=window.start_minute)
        end = day + timedelta(minutes=window.end_minute)
        if window.end_minute <= window.start_minute:
            end += timedelta(days=1)
        if start <= wall < end:
            return True
    return False


def is_from(networks: frozenset[str], peer: str, action: Action) -> tuple[bool, bool]:
    """Nobody knows where an unknown peer is."""
    if not peer:
        return False, action is Action.INVOKE
    address = ip_address(peer)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    inside = any(address in ip_network(one) for one in networks)
    return inside, inside


def outcome_of(test: ArgumentTest, arguments: Mapping[str, object]) -> bool | None:
    """One test on a plain value; None where it cannot be told."""
    (name,) = test.path
    operator = test.operator
    if name not in arguments:
        return operator in {Operator.ABSENT, Operator.NOT_EQUALS, Operator.NOT_IN}
    if operator in _ORDERS:
        value = arguments[name]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return _ORDERS[operator](value, test.value) if number else None
    return _OTHERS[operator](arguments[name], test.value)


def equal(one: object, other: object) -> bool:
    """As JSON: true is no number."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def contains(value: Any, wanted: Any) -> bool | None:
    """Of texts and arrays."""
    if isinstance(value, list):
        return any(equal(one, wanted) for one in value)
    return wanted in value if isinstance(value, str) and isinstance(wanted, str) else None


_ORDERS: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.BELOW: operators.lt,
    Operator.AT_MOST: operators.le,
    Operator.ABOVE: operators.gt,
    Operator.AT_LEAST: operators.ge,
}
_OTHERS: dict[Operator, Callable[[Any, Any], bool | None]] = {
    Operator.PRESENT: lambda _, __: True,
    Operator.ABSENT: lambda _, __: False,
    Operator.EQUALS: equal,
    Operator.NOT_EQUALS: lambda value, wanted: not equal(value, wanted),
    Operator.IN: lambda value, wanted: any(equal(value, one) for one in wanted),
    Operator.NOT_IN: lambda value, wanted: not any(equal(value, one) for one in wanted),
    Operator.LIKE: lambda value, wanted: fits(wanted, value) if isinstance(value, str) else None,
    Operator.CONTAINS: contains,
    Operator.LONGER: lambda value, wanted: (
        len(value) > wanted if isinstance(value, str | list) else None
    ),
}
