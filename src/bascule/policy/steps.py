"""How a decision came about, rule by rule and in words."""

from collections.abc import Iterator, Sequence
from typing import Final

from bascule.gateway.decision import Circumstances, Decision, Step
from bascule.gateway.principal import Principal
from bascule.gateway.rule import Action, Effect, Rule, RuleKind
from bascule.gateway.whom import concerns
from bascule.policy.books import PERMISSIONS
from bascule.policy.entries import Bearing, Entry, Part
from bascule.policy.subjects import Face
from bascule.policy.weighing import ADMIN_RULE, DEFAULT_RULE, PRIVILEGED_RULE, Known, Matter

_MOST_NAMED: Final = 5
_GIVING: Final = frozenset({Part.GIVES, Part.LISTED})
_EFFECTS: Final = {
    Part.GIVES: "allow",
    Part.LISTED: "allow",
    Part.UNLISTED: "deny",
    Part.DENIES: "deny",
    Part.ELEVATES: "elevate",
}


def steps_of(
    entries: Sequence[Entry],
    principal: Principal,
    faces: Sequence[Face],
    circumstances: Circumstances,
    known: Known,
    found: tuple[Matter, Decision],
) -> tuple[Step, ...]:
    """Every rule of the tenant in the order in which rules are named, and what is built in."""
    matter, decision = found
    permission = PERMISSIONS[matter.action]
    if matter.lacks:
        return (Step(matter.lacks, "deny", applied=True, why=f"the caller lacks {permission}"),)
    steps = [
        _step(entry, principal, faces, matter.action, circumstances, known) for entry in entries
    ]
    return (*steps, *_built_in(matter, decision))


def _built_in(matter: Matter, decision: Decision) -> Iterator[Step]:
    if matter.administers:
        yield Step(ADMIN_RULE, "allow", applied=True, why="the caller administers")
    if matter.holds_back:
        why = "the tool is privileged: its use needs a grant"
        yield Step(PRIVILEGED_RULE, "elevate", applied=True, why=why)
    if decision.rule == DEFAULT_RULE:
        yield Step(DEFAULT_RULE, "deny", applied=True, why="no rule allows it")


def _step(
    entry: Entry,
    principal: Principal,
    faces: Sequence[Face],
    action: Action,
    circumstances: Circumstances,
    known: Known,
) -> Step:
    rule = entry.rule
    effect = _effect_of(rule)
    reason = _no_concern(entry, principal, faces, action)
    if reason:
        return Step(rule.name, effect, applied=False, why=reason)
    bearing = entry.bearing(faces, action)
    if bearing is None:
        why = "it takes effect when the tool is used, not when it is seen"
        return Step(rule.name, effect, applied=False, why=why)
    applied, why = _conditions(bearing, action, circumstances)
    if bearing.part is Part.ASKS:
        if applied is not False:
            answer = known(rule)
            effect, said = _said(answer is not None and answer.allow, answer and answer.reason)
            why = f"{said}; {why}" if why else said
        return Step(rule.name, effect, applied, why or "asked")
    effect = _EFFECTS[bearing.part]
    what = {
        Part.LISTED: "it is on this list",
        Part.UNLISTED: "it is not on this list, which covers its place",
    }.get(bearing.part, "caller and subject match")
    return Step(rule.name, effect, applied, f"{what}; {why}" if why else what)


def _said(allow: bool, reason: str | None) -> tuple[str, str]:  # noqa: FBT001 - one caller
    said = "Rego allows it" if allow else "Rego does not allow it"
    return ("allow" if allow else "deny"), f"{said}: {reason}" if reason else said


def _effect_of(rule: Rule) -> str:
    if rule.kind in {RuleKind.REGO, RuleKind.RATE_LIMIT}:
        return rule.kind.value
    if rule.kind is RuleKind.ALLOW_LIST:
        return Effect.ALLOW.value
    return Effect.DENY.value if rule.kind is RuleKind.DENY_LIST else rule.effect.value


def _no_concern(entry: Entry, principal: Principal, faces: Sequence[Face], action: Action) -> str:
    """Why the rule says nothing of this caller and subject; empty where it does."""
    rule = entry.rule
    if rule.kind is RuleKind.RATE_LIMIT:
        return "it limits how often, and allows or denies nothing"
    if action not in rule.actions:
        return f"it is not about {action.value}"
    if not concerns(rule, principal):
        return _whom(rule, principal)
    within = [face for face in faces if face.is_within(rule)]
    if not within:
        return _where(rule, faces)
    named = entry.is_list or any(entry.names(face, opens=_opens(rule)) for face in within)
    names = rule.tools | rule.prompts | rule.resources
    return "" if named else f"it names {_some(names)}, none of which it is"


def _opens(rule: Rule) -> bool:
    taking = rule.kind in {RuleKind.DENY_LIST, RuleKind.REGO}
    return rule.effect is Effect.ALLOW and not taking


def _whom(rule: Rule, principal: Principal) -> str:
    if rule.kind is RuleKind.RBAC and not rule.roles:
        return "it names no role, so it is about nobody"
    if rule.roles and rule.roles.isdisjoint(principal.roles):
        return f"it is about the roles {_some(rule.roles)}; the caller has {_some(principal.roles)}"
    if rule.users and principal.subject not in rule.users:
        return f"it is about the users {_some(rule.users)}"
    if rule.groups and rule.groups.isdisjoint(principal.groups):
        return f"it is about the groups {_some(rule.groups)}; the caller has " + _some(
            principal.groups
        )
    return f"it is about the agents {_some(rule.agents)}"


def _where(rule: Rule, faces: Sequence[Face]) -> str:
    if rule.bundles and rule.bundles.isdisjoint(face.bundle for face in faces):
        return f"it is about the bundles {_some(rule.bundles)}, not {faces[0].bundle}"
    if rule.risks and faces[0].risk not in rule.risks:
        return f"it is about the risks {_some(rule.risks)}, not {faces[0].risk.value}"
    return f"it is about the tags {_some(rule.tags)}, which are not its"


def _conditions(
    bearing: Bearing, action: Action, circumstances: Circumstances
) -> tuple[bool | None, str]:
    """Whether its conditions hold (None: cannot be said), and in words on what it hangs."""
    if bearing.when is None:
        return True, ""
    closes = bearing.part not in _GIVING
    found = list(bearing.when.truths(action, circumstances, closes=closes))
    failed = [reads for reads, truth in found if not (truth.opens or truth.closes)]
    if failed:
        return False, f"{_some(failed)} does not fit"
    unsure = [reads for reads, truth in found if truth.opens is not truth.closes]
    if unsure:
        counts = all((truth.closes if closes else truth.opens) for _, truth in found)
        return None, f"{_some(unsure)} cannot be told, so it counts as " + (
            "applying" if counts else "not applying"
        )
    return True, f"{_some([reads for reads, _ in found])} fits"


def _some(names: "frozenset[str] | list[str]") -> str:
    ordered = sorted(names)
    shown = ", ".join(ordered[:_MOST_NAMED])
    return f"{shown} and others" if len(ordered) > _MOST_NAMED else shown or "none"
