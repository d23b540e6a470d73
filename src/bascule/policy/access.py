"""Rules compiled into tables: may this principal see, or call, this tool?

Default deny; deny wins over allow; a caller also needs the permission that goes with the action.
The tables for a set of roles are built on first use and kept for the life of a snapshot.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from bascule.gateway.principal import Principal
from bascule.gateway.rule import Action, Effect, RbacRule
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import Tool

_PERMISSIONS: Final = {Action.DISCOVER: "tools:list", Action.INVOKE: "tools:execute"}
_MOST_TABLES: Final = 1024
"""Distinct (tenant, roles, permissions) kept; beyond it all are dropped and built again."""

ADMIN_RULE: Final = "builtin:admin"
DEFAULT_RULE: Final = "builtin:default-deny"


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, and by which rule."""

    allowed: bool
    rule: str


@dataclass(frozen=True, slots=True)
class Reach:
    """The part of a tenant's catalogue that one kind of caller reaches.

    `visible` is in listing order. `invocable` maps a visible tool's name to the rule that
    allows calling it.
    """

    visible: Mapping[str, Tool]
    invocable: Mapping[str, str]


class Access:
    """Decides for one snapshot; build a new one with each."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._reaches: dict[tuple[str, frozenset[str], frozenset[str]], Reach] = {}

    def reach(self, principal: Principal) -> Reach:
        """Everything `principal` may see and call in its own tenant."""
        key = (principal.tenant, principal.roles, principal.permissions)
        found = self._reaches.get(key)
        if found is None:
            if len(self._reaches) >= _MOST_TABLES:
                self._reaches.clear()
            found = self._reaches[key] = _compile(
                self._snapshot.tenant(principal.tenant), principal
            )
        return found


def decide(rules: Iterable[RbacRule], principal: Principal, tool: Tool, action: Action) -> Decision:
    """Decide one case from the rules themselves; the tables hold exactly these answers."""
    if not principal.may(_PERMISSIONS[action]):
        return Decision(allowed=False, rule=f"builtin:needs {_PERMISSIONS[action]}")
    matching = [rule for rule in rules if _applies(rule, principal, tool, action)]
    for rule in matching:
        if rule.effect is Effect.DENY:
            return Decision(allowed=False, rule=rule.name)
    if not principal.roles.isdisjoint({"admin", "system_admin"}):
        return Decision(allowed=True, rule=ADMIN_RULE)
    if not matching:
        return Decision(allowed=False, rule=DEFAULT_RULE)
    return Decision(allowed=True, rule=max(matching, key=_precedence).name)


def _precedence(rule: RbacRule) -> tuple[int, str]:
    return (rule.priority, rule.name)


def _applies(rule: RbacRule, principal: Principal, tool: Tool, action: Action) -> bool:
    return (
        action in rule.actions
        and not rule.roles.isdisjoint(principal.roles)
        and (not rule.bundles or tool.bundle in rule.bundles)
        and (not rule.risks or tool.risk in rule.risks)
        and (not rule.tools or any(fnmatchcase(tool.name, name) for name in rule.tools))
    )


def _compile(view: TenantView, principal: Principal) -> Reach:
    rules = [rule for rule in view.rules if not rule.roles.isdisjoint(principal.roles)]
    visible: dict[str, Tool] = {}
    invocable: dict[str, str] = {}
    for name, tool in view.tools.items():
        if not decide(rules, principal, tool, Action.DISCOVER).allowed:
            continue
        visible[name] = tool
        decision = decide(rules, principal, tool, Action.INVOKE)
        if decision.allowed:
            invocable[name] = decision.rule
    return Reach(visible, invocable)
