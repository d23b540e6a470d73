"""What follows from the rules that are about a subject and a caller, under circumstances."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bascule.gateway.decision import Circumstances, Decision
from bascule.gateway.rego import RegoAnswer
from bascule.gateway.rule import Action, Effect, Rule
from bascule.policy.entries import Bearing, Part

ADMIN_RULE: Final = "builtin:admin"
DEFAULT_RULE: Final = "builtin:default-deny"
PRIVILEGED_RULE: Final = "builtin:privileged"

Known = Callable[[Rule], RegoAnswer | None]
"""What Rego says by a rule; None where it must be asked first."""


_OF_WHOM_AND_WHAT: Final = frozenset(
    ("action", "agent", "groups", "kind", "means", "roles", "tenant", "tool", "user", "user_id")
)
"""Members of `input` that say nothing of when, from where and with which arguments."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What is decided about: the rules about a subject and a caller, and what holds anyway.

    `bearings` are in the order in which rules are named. `lacks` is the permission that is missing,
    `holds_back` says that the use needs a grant whatever the rules say. `inputs` is what was looked
    at to find all this, and will be.
    """

    action: Action
    bearings: tuple[Bearing, ...]
    administers: bool = False
    lacks: str = ""
    holds_back: bool = False
    version: int = 0
    inputs: tuple[str, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Whether the decision is the same under all circumstances."""
        return bool(self.lacks) or not any(
            one.when is not None or one.part is Part.ASKS for one in self.bearings
        )

    @property
    def is_lasting(self) -> bool:
        """Whether the same caller is always answered the same about the same subject."""
        return bool(self.lacks) or all(
            one.when is None and (one.part is not Part.ASKS or _is_lasting(one.rule))
            for one in self.bearings
        )

    def reduced(self) -> "Matter":
        """The same decisions with as few rules as there can be; it does not know what applied."""
        seen: set[Part] = set()
        kept: list[Bearing] = []
        for one in self.bearings:
            if one.when is None and one.part is not Part.ASKS:
                if one.part in seen:
                    continue
                seen.add(one.part)
            kept.append(one)
        return replace(self, bearings=tuple(kept))


def _is_lasting(rule: Rule) -> bool:
    document = rule.rego
    if document is None or document.uses_time or document.reads is None:
        return False
    return all(path[:1] and path[0] in _OF_WHOM_AND_WHAT for path in document.reads)


class _Sums:
    """What applies, each in the order in which rules are named."""

    __slots__ = ("applied", "asks", "elevates", "gives", "takes")

    def __init__(self) -> None:
        self.gives: list[Rule] = []
        self.takes: list[Rule] = []
        self.elevates: list[Rule] = []
        self.applied: list[Rule] = []
        self.asks: list[tuple[Bearing, bool, bool]] = []


def weigh(
    matter: Matter, circumstances: Circumstances, known: Known, *, is_whole: bool = False
) -> Decision | None:
    """Decide; None where Rego must be asked first.

    Rego is not asked where the answer makes no difference, unless `is_whole`.
    """
    if matter.lacks:
        return _decision(matter, Effect.DENY, matter.lacks)
    sums = _sum(matter, circumstances)
    denial = sums.takes[0] if sums.takes else None
    reason = ""
    for bearing, opens, closes in sums.asks:
        rule = bearing.rule
        # Of several denies the highest is named: those below it change nothing.
        if denial is not None and not is_whole and _order(rule) < _order(denial):
            continue
        answer = known(rule)
        if answer is None:
            return None
        if answer.allow:
            if opens and bearing.opens:
                sums.gives.append(rule)
                sums.applied.append(rule)
        elif closes and bearing.closes:
            sums.applied.append(rule)
            if denial is None or _order(rule) > _order(denial):
                denial, reason = rule, answer.reason
    if sums.asks and len(sums.applied) > 1:
        sums.gives.sort(key=_order, reverse=True)
        sums.applied.sort(key=_order, reverse=True)
    return _settled(matter, sums, denial, reason)


def unanswered(
    matter: Matter, circumstances: Circumstances, known: Known, *, is_whole: bool = False
) -> list[Rule]:
    """The rules in Rego that must be asked before this can be decided."""
    if matter.lacks:
        return []
    sums = _sum(matter, circumstances)
    least = None if is_whole or not sums.takes else _order(sums.takes[0])
    return [
        bearing.rule
        for bearing, _, _ in sums.asks
        if (least is None or _order(bearing.rule) > least) and known(bearing.rule) is None
    ]


def _sum(matter: Matter, circumstances: Circumstances) -> _Sums:
    sums = _Sums()
    unlisted: list[Rule] = []
    is_listed = False
    for one in matter.bearings:
        part, when, rule = one.part, one.when, one.rule
        if part is Part.ASKS:
            opens, closes = _holds(one, matter.action, circumstances)
            if opens or closes:
                sums.asks.append((one, opens, closes))
            continue
        is_gift = part is Part.GIVES or part is Part.LISTED
        if when is not None and not when.holds(matter.action, circumstances, closes=not is_gift):
            continue
        sums.applied.append(rule)
        if is_gift:
            sums.gives.append(rule)
            is_listed = is_listed or part is Part.LISTED
        else:
            _taking(sums, unlisted, part).append(rule)
    if unlisted and not is_listed:
        sums.takes = sorted((*sums.takes, *unlisted), key=_order, reverse=True)
    return sums


def _taking(sums: _Sums, unlisted: list[Rule], part: Part) -> list[Rule]:
    if part is Part.DENIES:
        return sums.takes
    return sums.elevates if part is Part.ELEVATES else unlisted


def _holds(bearing: Bearing, action: Action, circumstances: Circumstances) -> tuple[bool, bool]:
    when = bearing.when
    if when is None:
        return True, True
    return when.opens(action, circumstances), when.closes(action, circumstances)


def _settled(matter: Matter, sums: _Sums, denial: Rule | None, reason: str) -> Decision:
    applied = sums.applied
    if denial is not None:
        private = reason or f"denied by {denial.name}"
        return _decision(
            matter, Effect.DENY, denial.name, applied, public=denial.public, private=private
        )
    if matter.administers:
        rule = ADMIN_RULE
    elif sums.gives:
        rule = sums.gives[0].name
    else:
        return _decision(matter, Effect.DENY, DEFAULT_RULE, applied)
    if matter.action is Action.INVOKE and (sums.elevates or matter.holds_back):
        if not sums.elevates:
            return _decision(matter, Effect.ELEVATE, PRIVILEGED_RULE, applied)
        first = sums.elevates[0]
        return _decision(matter, Effect.ELEVATE, first.name, applied, public=first.public)
    return _decision(matter, Effect.ALLOW, rule, applied)


def _decision(
    matter: Matter,
    effect: Effect,
    rule: str,
    applied: Sequence[Rule] = (),
    *,
    public: str = "",
    private: str = "",
) -> Decision:
    names = tuple([one.name for one in applied])
    return Decision(effect, rule, names, matter.version, matter.inputs, public, private)


def _order(rule: Rule) -> tuple[int, str]:
    return (rule.priority, rule.name)
