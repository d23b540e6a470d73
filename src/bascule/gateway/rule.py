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

    An empty set in `bundles` or `risks` means "any"; an empty `roles` matches nobody. `tools`,
    `prompts` and `resources` hold exact names (URIs) or `fnmatch` patterns. A rule that names none
    of the three covers everything in its bundles; one that names some covers only those.
    """

    name: str
    effect: Effect
    roles: frozenset[str]
    actions: frozenset[Action] = frozenset(Action)
    bundles: frozenset[str] = frozenset()
    tools: frozenset[str] = frozenset()
    risks: frozenset[RiskLevel] = frozenset()
    priority: int = 0
    prompts: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()
