"""A decision in sentences: what decided, what lost, what did not apply, and what it would take."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bascule.gateway.decision import Decision, Question
from bascule.gateway.principal import Principal
from bascule.gateway.rule import Action, Effect, Rule, RuleKind
from bascule.gateway.snapshot import TenantView
from bascule.gateway.tool import Tool
from bascule.policy.entries import OPA_RULE, Entry
from bascule.policy.hypothetical import SOMEONE
from bascule.policy.reasons import Reason, faces, path_text, reasons_of, takes, undecided_of
from bascule.policy.weighing import ADMIN_RULE, DEFAULT_RULE, PRIVILEGED_RULE

_NEEDS: Final = "builtin:needs "
_MOST_WAYS: Final = 5
"""Ways to be allowed that are named; the nearest first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One policy, and what it did. `effect` is what it says where it applies."""

    policy: str
    kind: RuleKind
    effect: str
    applied: bool
    decisive: bool
    why: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why something was decided.

    `findings` begin with the policy that decided and those that applied besides; then come the
    nearest of the others. `left_out` counts those that are not among them. `needed` is what would
    have to be otherwise for it to be allowed at once, one way in each sentence.
    """

    summary: str
    findings: tuple[Finding, ...]
    left_out: int
    needed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Looked:
    """A policy, and what kept it from applying."""

    rule: Rule
    applied: bool
    reasons: tuple[Reason, ...]

    @property
    def gives(self) -> bool:
        """Whether it allows what it applies to."""
        return not takes(self.rule) and self.rule.kind is not RuleKind.ALLOW_LIST


def explain(
    view: TenantView, question: Question, decision: Decision, most: int = 100
) -> Explanation:
    """Say why `decision` was made about `question` by the policies of `view`.

    At most `most` policies are gone into, but all are looked at: with thousands of them this is
    nothing for an event loop.
    """
    looked = list(_looked(view, question, decision))
    looked.sort(key=lambda one: _order(one, decision))
    said = {step.policy: step.why for step in decision.steps}
    findings = tuple(
        _finding(one, question, decision, said.get(one.rule.name, "")) for one in looked[:most]
    )
    needed = () if decision.allowed else tuple(_needed(view, question, decision, looked))
    return Explanation(_summary(question, decision), findings, len(looked) - len(findings), needed)


def _looked(view: TenantView, question: Question, decision: Decision) -> Iterator[_Looked]:
    applied = frozenset(decision.evaluated)
    for rule in view.rules:
        if rule.kind is not RuleKind.RATE_LIMIT:
            did = rule.name in applied
            yield _Looked(rule, did, () if did else reasons_of(rule, question))


def _order(one: _Looked, decision: Decision) -> tuple[bool, bool, int, int, str]:
    rule = one.rule
    is_other = rule.name != decision.rule
    return is_other, not one.applied, len(one.reasons), -rule.priority, rule.name


def _summary(question: Question, decision: Decision) -> str:
    name, subject = _name(question), _caller(question.principal)
    verb = "call" if question.action is Action.INVOKE else "see"
    if question.action is Action.INVOKE and not isinstance(question.subject, Tool):
        verb = "use"
    if decision.effect is Effect.ELEVATE:
        return f"{subject} may {verb} {name} once an elevation is approved: {_asked_by(decision)}."
    if decision.allowed:
        return f"{subject} may {verb} {name}: {_allowed_by(decision)}."
    return f"{subject} may not {verb} {name}: {_denied_by(decision)}."


def _name(question: Question) -> str:
    return question.subject.name


def quoted(policy: str) -> str:
    """The name of a policy within a sentence: in quotes where it is more than one word."""
    return policy if policy.split() == [policy] else f"'{policy}'"


def _caller(principal: Principal) -> str:
    """Who it is, at the start of a sentence: by name, or by what was given instead of one."""
    if principal.subject != SOMEONE:
        return principal.subject
    roles, groups = sorted(principal.roles), sorted(principal.groups)
    told = [_such("role", roles) if roles else "without a role"]
    told += [_such("group", groups)] if groups else []
    told += [f"with the agent {principal.agent}"] if principal.agent else []
    return f"A caller {', '.join(told)}"


def _such(noun: str, names: Sequence[str]) -> str:
    *first, last = names
    if not first:
        return f"with the {noun} {last}"
    return f"with the {noun}s {', '.join(first)} and {last}"


def _asked_by(decision: Decision) -> str:
    if decision.rule == PRIVILEGED_RULE:
        return "it has the risk privileged, and such tools need one here"
    return f"the policy {quoted(decision.rule)} asks for one"


def _allowed_by(decision: Decision) -> str:
    if decision.rule == ADMIN_RULE:
        return "administrators may use everything that no policy denies, and none denies this"
    return f"the policy {quoted(decision.rule)} allows it, and none denies it"


def _denied_by(decision: Decision) -> str:
    rule = decision.rule
    if rule.startswith(_NEEDS):
        return f"the permission {rule.removeprefix(_NEEDS)} is missing, whatever the policies say"
    if rule == DEFAULT_RULE:
        return "no policy allows it, and what no policy allows is denied"
    if rule == OPA_RULE:
        return f"the OPA server does not allow it{_because(decision)}"
    return f"the policy {quoted(rule)} denies it{_because(decision)}"


def _because(decision: Decision) -> str:
    """The reason that a document gave."""
    said = decision.private
    return "" if not said or said == f"denied by {decision.rule}" else f" ({said})"


def _finding(one: _Looked, question: Question, decision: Decision, said: str) -> Finding:
    rule = one.rule
    decisive = rule.name == decision.rule
    why = _did(one, question, decision, said) if one.applied else _did_not(one, decision, said)
    effect = "allow" if rule.kind is RuleKind.ALLOW_LIST else rule.effect.value
    if rule.kind in {RuleKind.REGO, RuleKind.DENY_LIST}:
        effect = "rego" if rule.kind is RuleKind.REGO else "deny"
    return Finding(rule.name, rule.kind, effect, one.applied, decisive, why)


def _did(one: _Looked, question: Question, decision: Decision, said: str) -> str:
    rule, denied = one.rule, decision.effect is Effect.DENY
    decisive = rule.name == decision.rule
    if rule.kind is RuleKind.REGO:
        return _answered(decision, said, decisive=decisive)
    if rule.kind is RuleKind.ALLOW_LIST:
        return _listed(rule, question, denied=denied)
    if rule.kind is not RuleKind.DENY_LIST and rule.effect is Effect.ELEVATE:
        return "asks for an elevation" + (", which does not help here" if denied else "")
    undecided = undecided_of(rule, question)
    deed = "denies it" if takes(rule) else "allows it"
    deed += f" ({undecided})" if undecided else ""
    return deed if decisive else f"{deed}, {_beside(rule, decision)}"


def _beside(rule: Rule, decision: Decision) -> str:
    """How what `rule` does goes together with what was decided."""
    if decision.effect is Effect.ELEVATE:
        return "after an elevation"
    if decision.effect is Effect.DENY and not takes(rule):
        return f"but that loses against {quoted(decision.rule)}"
    return f"as does {quoted(decision.rule)}"


def _answered(decision: Decision, said: str, *, decisive: bool) -> str:
    """What a document in Rego did."""
    if decision.effect is not Effect.DENY:
        return "allows it"
    return f"does not allow it{_because(decision)}" if decisive else said or "was asked"


def _listed(rule: Rule, question: Question, *, denied: bool) -> str:
    entry = Entry(rule)
    if any(entry.names(face, opens=True) for face in faces(question) if face.is_within(rule)):
        return "allows it: it is on this list" + (", but a denial wins" if denied else "")
    return "denies it: it is not on this list" + ("" if denied else ", but on another one")


def _did_not(one: _Looked, decision: Decision, said: str) -> str:
    if one.reasons:
        return f"does not apply: {'; '.join(reason.sentence for reason in one.reasons)}"
    if decision.rule.startswith(_NEEDS):
        return "is not looked at, as the permission is missing"
    return said or "makes no difference here"


def _needed(
    view: TenantView, question: Question, decision: Decision, looked: Sequence[_Looked]
) -> Iterator[str]:
    if decision.effect is Effect.ELEVATE:
        yield f"Ask for an elevation for {_name(question)}, and have somebody else approve it."
        return
    if decision.rule.startswith(_NEEDS):
        yield _permission(view, question, decision.rule.removeprefix(_NEEDS))
        return
    decisive = next((one.rule for one in looked if one.rule.name == decision.rule), None)
    if decisive is not None:
        yield _around(decisive, question)
    if decision.rule == OPA_RULE:
        yield "The documents of the OPA server would have to allow it."
    elif not any(one.applied and one.gives for one in looked):
        yield from _ways(question, looked)


def _permission(view: TenantView, question: Question, permission: str) -> str:
    if permission in question.principal.withheld:
        return (
            f"The credential was limited to less than the caller's roles permit: use one with "
            f"the scope {permission}."
        )
    roles = sorted(name for name, permits in view.roles.items() if permission in permits)
    named = f" such as {', '.join(roles[:_MOST_WAYS])}" if roles else ""
    return f"Give the caller a role with the permission {permission}{named}."


def _around(rule: Rule, question: Question) -> str:
    """How the policy that denied would not."""
    if rule.kind is RuleKind.ALLOW_LIST:
        on = f"on the allow list {quoted(rule.name)}, or on another that applies"
        return f"Put {_name(question)} {on}."
    if rule.kind is RuleKind.REGO:
        return f"The document of the policy {quoted(rule.name)} would have to allow it."
    looks = [f"the argument {path_text(test.path)}" for test in rule.arguments]
    looks += ["the time"] if rule.windows else []
    looks += ["the address"] if rule.networks else []
    if not looks:
        return f"Change the policy {quoted(rule.name)}: nothing else can outweigh a denial."
    looks = list(dict.fromkeys(looks))
    return (
        f"Change the policy {quoted(rule.name)}, or call so that it does not apply: it depends on "
        f"{', '.join(looks)}."
    )


def _ways(question: Question, looked: Iterable[_Looked]) -> Iterator[str]:
    """The policies that come nearest to allowing it, and what they want."""
    near = [
        one
        for one in looked
        if one.gives and one.reasons and all(reason.needed for reason in one.reasons)
    ]
    for one in near[:_MOST_WAYS]:
        wanted = "; ".join(reason.needed for reason in one.reasons)
        yield f"The policy {quoted(one.rule.name)} would allow it: {wanted}."
    if not near:
        yield (
            f"No policy is about {_name(question)} in a way that could allow it: make one, for a "
            "role of the caller."
        )
