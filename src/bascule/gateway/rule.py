"""A policy as the snapshot carries it; `policy` compiles and decides.

A rule says who (`roles`, `users`, `groups`, `agents`) may or may not do what (`actions`) with which
tools, prompts and resources, and under which circumstances (`windows`, `networks`, `arguments`).
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from bascule.gateway.rego import RegoDocument
from bascule.gateway.tool import RiskLevel


class Effect(StrEnum):
    """What follows where a rule applies. Deny wins over all others at any priority.

    ELEVATE allows nothing by itself: what other rules allow needs a live grant as well.
    """

    ALLOW = "allow"
    DENY = "deny"
    ELEVATE = "elevate"


class Action(StrEnum):
    """What is asked of a tool."""

    DISCOVER = "discover"
    INVOKE = "invoke"


class RuleKind(StrEnum):
    """What sort of policy it is; each kind uses the fields of a rule in its own way.

    RBAC: `effect` for the `roles` it names; without a role it is about nobody.
    ALLOW_LIST: allows the tools it names to whom it is about, and denies them all others in its
    bundles; where several lists apply, what is on one of them is not denied.
    DENY_LIST: denies, to everybody unless it says to whom.
    RATE_LIMIT: neither allows nor denies; calls beyond `rate` are refused for a while.
    CONDITION: `effect` under circumstances, for everybody unless it says for whom.
    REGO: `rego` decides: what it allows is allowed, all else (also no answer) is denied.
    """

    RBAC = "rbac"
    ALLOW_LIST = "allow_list"
    DENY_LIST = "deny_list"
    RATE_LIMIT = "rate_limit"
    CONDITION = "condition"
    REGO = "rego"


class Operator(StrEnum):
    """How the argument of a call is held against the value in a rule.

    EQUALS and IN compare as JSON does: 1 equals 1.0, true is no number. Order is of numbers only.
    LIKE is an `fnmatch` pattern on text, CONTAINS is of text or arrays, LONGER is of text and
    arrays (more characters or items than the value). The types of an argument and a value that do
    not go together leave a comparison undetermined, as does an argument that is not known; an
    argument that is absent fails every test but ABSENT, NOT_EQUALS and NOT_IN.
    """

    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    IN = "in"
    NOT_IN = "not_in"
    BELOW = "below"
    AT_MOST = "at_most"
    ABOVE = "above"
    AT_LEAST = "at_least"
    LIKE = "like"
    CONTAINS = "contains"
    LONGER = "longer"
    PRESENT = "present"
    ABSENT = "absent"


EACH: Final = "*"
"""In the path of a test: every item of the array, or member of the object, that stands there."""


@dataclass(frozen=True, slots=True)
class ArgumentTest:
    """One condition on an argument; a rule applies only where all of its tests hold.

    `path` leads to the argument: names of members, and `EACH`. Where a path leads to several
    values, a rule that allows wants the test of all of them (and of at least one), one that denies
    or asks for elevation of any.
    """

    path: tuple[str, ...]
    operator: Operator
    value: object = field(default=None, hash=False)
    """JSON, as decoded."""


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """When a rule applies: on these `days` (0 is Monday; empty: all) between two times of day.

    `start_minute` and `end_minute` count from midnight in the IANA time zone `zone`; the end is
    not within. An end at or before the start is on the next day, and belongs to the day of the
    start. `not_before` and `not_after` bound it as a whole.
    """

    days: frozenset[int] = frozenset()
    start_minute: int = 0
    end_minute: int = 1440
    zone: str = "UTC"
    not_before: datetime | None = None
    not_after: datetime | None = None


class Per(StrEnum):
    """Whose calls are counted together."""

    USER = "user"
    AGENT = "agent"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `calls` in each `window_seconds`, for each combination of `per`; all calls together
    where `per` is empty."""

    calls: int
    window_seconds: float = 60.0
    per: frozenset[Per] = frozenset({Per.USER})


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy.

    Who: `roles`, `users` (names), `groups` and `agents`: each that is not empty must match by one
    of its names. An empty `roles` matches nobody where `kind` is RBAC, and everybody elsewhere.

    What: an empty set in `bundles` or `risks` means "any", one in `tags` too (otherwise one of the
    tags must be the tool's). `tools`, `prompts` and `resources` hold exact names (URIs) or
    `fnmatch` patterns. A rule that names none of the three covers everything in its bundles; one
    that names some covers only those. Prompts and resources have no tags.

    When: one of `windows`, one of `networks` (CIDR), and all of `arguments`, where there are any.

    `public` is what a caller who is refused by it is told; empty: nothing of its own.
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
    kind: RuleKind = RuleKind.RBAC
    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    agents: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    windows: tuple[TimeWindow, ...] = ()
    networks: frozenset[str] = frozenset()
    arguments: tuple[ArgumentTest, ...] = ()
    rate: Rate | None = None
    rego: RegoDocument | None = field(default=None, repr=False)
    public: str = ""
