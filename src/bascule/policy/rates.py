"""The stage that refuses calls beyond the rates that policies allow.

Windows are fixed and aligned to the clock. Counts are in the store that gateways share, so that a
rate holds for all of them together, and a store that cannot be asked refuses the call.
"""

import json
import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Final

from bascule.gateway.call import Call, Method
from bascule.gateway.circumstances import circumstances_of
from bascule.gateway.decision import Circumstances
from bascule.gateway.errors import ErrorCode
from bascule.gateway.inventory import ItemKind, Target
from bascule.gateway.principal import Principal
from bascule.gateway.rule import Action, Per, Rate, Rule, RuleKind
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.stage import FailureMode
from bascule.gateway.state import MOST_TTL_SECONDS, StateStore
from bascule.gateway.tool import Tool
from bascule.gateway.verdict import PASS, Refuse, Verdict
from bascule.gateway.whom import concerns
from bascule.policy.entries import Entry
from bascule.policy.kinds import Names
from bascule.policy.subjects import Face, face_of, faces_of

_COUNTED: Final = frozenset({Method.TOOLS_CALL, Method.PROMPTS_GET, Method.RESOURCES_READ})
_MOST_KINDS: Final = 4096
"""Kinds of callers with what they call that are kept; beyond it all are dropped and found anew."""
_LINGERING_SECONDS: Final = 60.0
"""How long a count outlives its window: clocks differ, and calls wait on their way here."""
_DIGEST_BYTES: Final = 16
_SECONDS_IN_WORDS: Final[Mapping[float, str]] = {
    1: "a second",
    60: "a minute",
    3600: "an hour",
    86_400: "a day",
}


class Limit:
    """One rule with a rate, ready to be counted."""

    def __init__(self, tenant: str, rule: Rule, rate: Rate) -> None:
        self.rule = rule
        self.rate = rate
        self._entry = Entry(rule)
        self._name = (tenant, rule.name, rate.window_seconds)

    @property
    def order(self) -> tuple[bool, bool, bool, int, str]:
        """First what is counted for the fewest.

        Who is beyond a rate of their own does not use up one that is for all.
        """
        per = self.rate.per
        shared = (Per.USER not in per, Per.AGENT not in per, Per.TOOL not in per)
        return (*shared, -self.rule.priority, self.rule.name)

    def concerns(self, principal: Principal, faces: Sequence[Face]) -> bool:
        """Whether calls by `principal` of what has `faces` are counted, as far as that is fixed."""
        rule, names = self.rule, self._entry.names
        return concerns(rule, principal) and any(
            one.is_within(rule) and names(one, opens=False) for one in faces
        )

    def holds(self, circumstances: Circumstances) -> bool:
        """Whether calls under `circumstances` are counted; those of which it is not known are."""
        when = self._entry.when
        return when is None or when.closes(Action.INVOKE, circumstances)

    def key(self, principal: Principal, subject: Tool | Target, window: int) -> str:
        """Under which name calls are counted together, of a length that nobody chooses."""
        per = self.rate.per
        counted = (
            *self._name,
            principal.owner if Per.USER in per else None,
            (principal.agent or "") if Per.AGENT in per else None,
            _named(subject) if Per.TOOL in per else None,
        )
        digest = blake2b(json.dumps(counted).encode(), digest_size=_DIGEST_BYTES).hexdigest()
        return f"rate:{digest}:{window}"


def _named(subject: Tool | Target) -> str:
    """What `subject` is counted as: a tool or prompt as the registry knows it, all resources of a
    server as one. Callers make up URIs as they like."""
    if isinstance(subject, Tool):
        return f"tool:{subject.name if subject.home is None else subject.home.name}"
    if subject.kind is ItemKind.PROMPT:
        return f"prompt:{subject.upstream}:{subject.inner}"
    return f"resources:{subject.upstream}"


class _Limits:
    """The limits of one tenant, sorted once for each kind of caller and thing called."""

    def __init__(self, limits: Iterable[Limit]) -> None:
        self._limits = sorted(limits, key=lambda one: one.order)
        self._names = Names(one.rule for one in self._limits)
        self._found: dict[Hashable, tuple[object, Sequence[Limit]]] = {}

    def about(self, principal: Principal, subject: Tool | Target) -> Sequence[Limit]:
        """Those that `principal` falls under with `subject`, in the order they are counted in."""
        if isinstance(subject, Target) and subject.kind is not ItemKind.PROMPT:
            # Callers make up URIs: what is kept must not be swept out by them.
            return self._find(principal, subject)
        key = (
            principal.roles,
            self._names.of(principal),
            # A tool cannot be hashed, and is the same one for as long as the snapshot.
            id(subject) if isinstance(subject, Tool) else subject,
        )
        found = self._found.get(key)
        if found is None:
            if len(self._found) >= _MOST_KINDS:
                self._found.clear()
            # With the tool, so that no other one comes to stand where it was.
            found = self._found[key] = (subject, self._find(principal, subject))
        return found[1]

    def _find(self, principal: Principal, subject: Tool | Target) -> Sequence[Limit]:
        faces = _faces(subject)
        return [one for one in self._limits if one.concerns(principal, faces)]


class RateLimits:
    """Counts the calls that rules with a rate are about; one that is too many is refused.

    Every use is counted, each round of one that asks its caller something too. Comes after what
    finds out what is called, and refuses more than it: a call that no rule allows is not counted.
    """

    name = "rates"
    on_failure = FailureMode.CLOSED

    def __init__(
        self,
        snapshot: Snapshot,
        store: StateStore,
        circumstances: Callable[[Call], Circumstances] = circumstances_of,
    ) -> None:
        self._store = store
        self._circumstances = circumstances
        self._tenants = {
            name: _Limits(limits)
            for name, view in snapshot.tenants.items()
            if (limits := list(_limits_of(name, view.rules)))
        }

    @property
    def is_idle(self) -> bool:
        """Whether no rule of any tenant limits anything."""
        return not self._tenants

    async def inbound(self, call: Call) -> Verdict:
        """Count `call` for each limit it falls under; the rule that refuses it becomes its rule."""
        principal = call.principal
        if principal is None:
            return Refuse(ErrorCode.INTERNAL, "The caller is unknown.", "no principal was set")
        limits = self._tenants.get(principal.tenant)
        subject = call.tool or call.target
        if limits is None or subject is None or call.method not in _COUNTED:
            return PASS
        mine = limits.about(principal, subject)
        return await self._count(call, principal, subject, mine) if mine else PASS

    async def _count(
        self, call: Call, principal: Principal, subject: Tool | Target, limits: Sequence[Limit]
    ) -> Verdict:
        circumstances = self._circumstances(call)
        for limit in limits:
            if not limit.holds(circumstances):
                continue
            window_seconds = limit.rate.window_seconds
            window = math.floor(circumstances.moment / window_seconds)
            left_seconds = (window + 1) * window_seconds - circumstances.moment
            reached = await self._store.count(
                limit.key(principal, subject, window),
                min(left_seconds + _LINGERING_SECONDS, MOST_TTL_SECONDS),
            )
            if reached > limit.rate.calls:
                call.rule = limit.rule.name
                return _refuse(limit, reached, max(1, math.ceil(left_seconds)))
        return PASS


def _limits_of(tenant: str, rules: Iterable[Rule]) -> Iterable[Limit]:
    for rule in rules:
        is_limit = rule.kind is RuleKind.RATE_LIMIT and Action.INVOKE in rule.actions
        if is_limit and rule.rate is not None:
            yield Limit(tenant, rule, rule.rate)


def _refuse(limit: Limit, reached: int, retry_after_seconds: int) -> Refuse:
    rule, rate = limit.rule, limit.rate
    public = rule.public or f"Too many calls: {rate.calls} in {_in_words(rate)} are allowed."
    return Refuse(
        ErrorCode.RATE_LIMITED,
        public=f"{public} Try again in {retry_after_seconds} s.",
        private=f"rate limit {rule.name}: call {reached} of {rate.calls} in {_in_words(rate)}",
        details={
            "retry_after_seconds": retry_after_seconds,
            "limit": rate.calls,
            "remaining": 0,
        },
    )


def _in_words(rate: Rate) -> str:
    seconds = rate.window_seconds
    return _SECONDS_IN_WORDS.get(seconds) or f"{seconds:g} seconds"


def _faces(subject: Tool | Target) -> Sequence[Face]:
    return faces_of(subject) if isinstance(subject, Tool) else (face_of(subject.kind, subject),)
