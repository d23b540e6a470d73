"""An access rule as the snapshot carries it; `policy` compiles and decides."""

from dataclasses import dataclass
from enum import StrEnum

from bascule.gateway.tool import RiskLevel


class Effect(StrEnum):
    """Deny wins over allow at any priority."""

    ALLOW = "allow"
    DENY = "deny"


class Action(StrEnum):
    """What is asked of a tool."""

    DISCOVER = "discover"
    INVOKE = "invoke"


@dataclass(frozen=True, slots=True)
class RbacRule:
    """Who (`roles`) may or may not do what (`actions`) with which tools.

    An empty set in `bundles`, `tools` or `risks` means "any"; an empty `roles` matches nobody.
    `tools` holds exact names or `fnmatch` patterns.
    """

    name: str
    effect: Effect
    roles: frozenset[str]
    actions: frozenset[Action] = frozenset(Action)
    bundles: frozenset[str] = frozenset()
    tools: frozenset[str] = frozenset()
    risks: frozenset[RiskLevel] = frozenset()
    priority: int = 0
