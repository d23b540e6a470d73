"""Why a policy does not apply, and what it would take; in words for people."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, cast

from bascule.gateway.decision import Question
from bascule.gateway.rule import EACH, Action, ArgumentTest, Effect, Operator, Rule, RuleKind
from bascule.gateway.tool import Tool
from bascule.policy.conditions import When
from bascule.policy.entries import Entry
from bascule.policy.hypothetical import SOMEONE
from bascule.policy.openings import next_opening
from bascule.policy.subjects import Face, face_of, faces_of

_MOST_NAMED: Final = 5
_LONGEST_VALUE: Final = 60


class Aspect(StrEnum):
    """What a policy did not match on."""

    ACTION = "action"
    WHO = "who"
    WHAT = "what"
    TIME = "time"
    ADDRESS = "address"
    ARGUMENTS = "arguments"


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that keeps a policy from applying.

    `sentence` has the policy as "it"; `needed` is what would make it apply, "" for nothing that
    anybody could do.
    """

    aspect: Aspect
    sentence: str
    needed: str = ""


def takes(rule: Rule) -> bool:
    """Whether `rule` takes something away where it applies: what cannot be told then counts."""
    return rule.kind is RuleKind.DENY_LIST or (
        rule.kind not in {RuleKind.ALLOW_LIST, RuleKind.REGO} and rule.effect is not Effect.ALLOW
    )


def faces(question: Question) -> tuple[Face, ...]:
    """What the subject of `question` is to the policies."""
    subject = question.subject
    if isinstance(subject, Tool):
        return faces_of(subject)
    return (face_of(subject.kind, subject),)


def reasons_of(rule: Rule, question: Question) -> tuple[Reason, ...]:
    """Everything that keeps `rule` from applying to `question`; empty where nothing does.

    Of a policy about something else the circumstances are not told.
    """
    kept = (
        *_about_action(rule, question),
        *_about_who(rule, question),
        *_about_what(rule, faces(question)),
    )
    if any(reason.aspect is not Aspect.WHO for reason in kept):
        return kept
    return (
        *kept,
        *_about_time(rule, question),
        *_about_address(rule, question),
        *_about_arguments(rule, question),
    )


def undecided_of(rule: Rule, question: Question) -> str:
    """Which arguments cannot be held against what `rule`, which takes something, wants; or ""."""
    arguments = question.circumstances.arguments
    if arguments is None or not takes(rule) or question.action is Action.DISCOVER:
        return ""
    told = [
        f"whether {path_text(test.path)}, {_found(arguments, test.path)}, is as it wants "
        f"({_wanted(test)}) cannot be told, and then it applies"
        for test in rule.arguments
        if not When(arguments=(test,)).opens(question.action, question.circumstances)
        and EACH not in test.path
    ]
    return "; ".join(told)


def _about_action(rule: Rule, question: Question) -> Iterator[Reason]:
    if question.action not in rule.actions:
        done = "calling" if question.action is Action.INVOKE else "seeing"
        other = "seeing" if question.action is Action.INVOKE else "calling"
        yield Reason(Aspect.ACTION, f"it is only about {other} things, not about {done} them")
    elif rule.effect is Effect.ELEVATE and question.action is Action.DISCOVER and takes(rule):
        yield Reason(Aspect.ACTION, "nobody needs an elevation to see something")


def _about_who(rule: Rule, question: Question) -> Iterator[Reason]:
    caller = question.principal
    if not rule.roles and rule.kind is RuleKind.RBAC:
        yield Reason(Aspect.WHO, "it names no role, so it is about nobody")
    if rule.roles and rule.roles.isdisjoint(caller.roles):
        wanted = _any_of(rule.roles)
        yield Reason(
            Aspect.WHO,
            f"it is for the role {wanted}, and the caller has {_all_of(caller.roles, 'no role')}",
            f"give the caller the role {wanted}",
        )
    if rule.groups and rule.groups.isdisjoint(caller.groups):
        wanted = _any_of(rule.groups)
        yield Reason(
            Aspect.WHO,
            f"it is for the group {wanted}, and the caller is in {_all_of(caller.groups, 'none')}",
            f"put the caller into the group {wanted}",
        )
    if rule.users and caller.subject not in rule.users:
        wanted = _any_of(rule.users)
        yield Reason(
            Aspect.WHO,
            f"it is for {wanted}, and {_named(caller.subject)}",
            f"call as {wanted}",
        )
    if rule.agents and caller.agent not in rule.agents:
        wanted = _any_of(rule.agents)
        agent = f"the agent is {caller.agent}" if caller.agent else "no agent is known"
        yield Reason(
            Aspect.WHO, f"it is for the agent {wanted}, and {agent}", f"call by the agent {wanted}"
        )


def _about_what(rule: Rule, shown: tuple[Face, ...]) -> Iterator[Reason]:
    within = [face for face in shown if face.is_within(rule)]
    if not within:
        yield Reason(Aspect.WHAT, "; ".join(_outside(rule, shown)))
        return
    if rule.kind is RuleKind.ALLOW_LIST:
        return
    entry, opens = Entry(rule), not takes(rule)
    if not any(entry.names(face, opens=opens) for face in within):
        named = _any_of(rule.tools | rule.prompts | rule.resources)
        name = shown[0].names[0]
        yield Reason(Aspect.WHAT, f"it is about {named}, and {name} is not among them")


def _outside(rule: Rule, shown: tuple[Face, ...]) -> Iterator[str]:
    face = shown[0]
    if rule.bundles and not any(one.bundle in rule.bundles for one in shown):
        bundle = face.bundle or "none"
        yield f"it is about the bundle {_any_of(rule.bundles)}, and this is in {bundle}"
    if rule.risks and face.risk not in rule.risks:
        yield f"it is about the risk {_any_of(rule.risks)}, and this has {face.risk}"
    if rule.tags and rule.tags.isdisjoint(face.tags):
        tags = _all_of(face.tags, "none")
        yield f"it is about the tag {_any_of(rule.tags)}, and this has {tags}"


def _about_time(rule: Rule, question: Question) -> Iterator[Reason]:
    if not rule.windows:
        return
    when = When(windows=rule.windows)
    if _holds(when, rule, question):
        return
    moment = question.circumstances.moment
    at = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")
    opens = next_opening(rule.windows, moment)
    if opens is None:
        yield Reason(Aspect.TIME, f"{at} is outside its times, and there is no later one")
        return
    later = opens.strftime("%A, %Y-%m-%d %H:%M %Z").strip()
    yield Reason(
        Aspect.TIME,
        f"{at} is outside its times; it applies again from {later}",
        f"wait until {later}",
    )


def _about_address(rule: Rule, question: Question) -> Iterator[Reason]:
    if not rule.networks or _holds(When(networks=rule.networks), rule, question):
        return
    peer, networks = question.circumstances.peer, _any_of(rule.networks)
    sentence = f"{peer} is outside {networks}" if peer else "the caller's address is not known"
    yield Reason(Aspect.ADDRESS, sentence, f"call from within {networks}")


def _about_arguments(rule: Rule, question: Question) -> Iterator[Reason]:
    arguments = question.circumstances.arguments
    if arguments is None or question.action is Action.DISCOVER:
        if rule.arguments and takes(rule):
            paths = _all_of({path_text(test.path) for test in rule.arguments}, "")
            yield Reason(Aspect.ARGUMENTS, f"it depends on the arguments {paths}: none is known")
        return
    for test in rule.arguments:
        if not _holds(When(arguments=(test,)), rule, question):
            wanted = f"the argument {path_text(test.path)} {_wanted(test)}"
            found = _found(arguments, test.path)
            yield Reason(Aspect.ARGUMENTS, f"it wants {wanted}, and it is {found}", wanted)


def _holds(when: When, rule: Rule, question: Question) -> bool:
    """Whether one condition holds, as `rule` counts what cannot be told."""
    action, circumstances = question.action, question.circumstances
    if takes(rule):
        return when.closes(action, circumstances)
    if rule.kind in {RuleKind.REGO, RuleKind.ALLOW_LIST}:
        return when.opens(action, circumstances) or when.closes(action, circumstances)
    return when.opens(action, circumstances)


_WORDS: Final[Mapping[Operator, str]] = {
    Operator.EQUALS: "to be",
    Operator.NOT_EQUALS: "to be other than",
    Operator.IN: "to be one of",
    Operator.NOT_IN: "to be none of",
    Operator.BELOW: "to be below",
    Operator.AT_MOST: "to be at most",
    Operator.ABOVE: "to be above",
    Operator.AT_LEAST: "to be at least",
    Operator.LIKE: "to be like",
    Operator.CONTAINS: "to contain",
    Operator.LONGER: "to be longer than",
    Operator.PRESENT: "to be given",
    Operator.ABSENT: "not to be given",
}


def _wanted(test: ArgumentTest) -> str:
    words = _WORDS[test.operator]
    if test.operator in {Operator.PRESENT, Operator.ABSENT}:
        return words
    return f"{words} {_value(test.value)}"


def _named(subject: str) -> str:
    return "no user is named" if subject == SOMEONE else f"the caller is {subject}"


def path_text(path: Iterable[str]) -> str:
    """A path to an argument as people write it: `items.*.price`."""
    return ".".join(path)


def _found(arguments: Mapping[str, object], path: tuple[str, ...]) -> str:
    values = list(_leaves(arguments, path))
    if not values:
        return "not given"
    more = ", ..." if len(values) > _MOST_NAMED else ""
    return ", ".join(map(_value, values[:_MOST_NAMED])) + more


def _leaves(value: object, path: tuple[str, ...]) -> Iterator[object]:
    if not path:
        yield value
        return
    name, rest = path[0], path[1:]
    if isinstance(value, Mapping):
        members = cast("Mapping[str, object]", value)
        below = members.values() if name == EACH else [members[name]] if name in members else []
    else:
        below = cast("list[object]", value) if name == EACH and isinstance(value, list) else []
    for one in below:
        yield from _leaves(one, rest)


def _value(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _any_of(names: Iterable[str]) -> str:
    return _joined(names, "or")


def _all_of(names: Iterable[str], none: str) -> str:
    return _joined(names, "and") or none


def _joined(names: Iterable[str], word: str) -> str:
    ordered = sorted(names)
    if len(ordered) > _MOST_NAMED:
        return f"{', '.join(ordered[:_MOST_NAMED])} {word} {len(ordered) - _MOST_NAMED} more"
    if len(ordered) < 2:
        return "".join(ordered)
    return f"{', '.join(ordered[:-1])} {word} {ordered[-1]}"
