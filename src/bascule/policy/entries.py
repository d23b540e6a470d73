"""Rules of a tenant, compiled once for all its callers, and what each is to a subject."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from typing import Final

from bascule.gateway.inventory import ItemKind
from bascule.gateway.rego import RegoDocument
from bascule.gateway.rule import Action, Effect, Rule, RuleKind
from bascule.policy.conditions import When, place_and_time, reads_of, when_of
from bascule.policy.matching import Matcher, Selector, matcher_of
from bascule.policy.subjects import BY_URI, Face
from bascule.protocol.uris import without_query

OPA_RULE: Final = "builtin:opa"
_NO_NAMES: Final = frozenset[str]()
_WITHOUT_EFFECT: Final = frozenset({RuleKind.ALLOW_LIST, RuleKind.RATE_LIMIT, RuleKind.REGO})
_LEAST: Final = -(2**63)
_ALL_INPUTS: Final = (
    "action", "agent", "arguments", "groups", "ip", "kind", "means", "roles", "tenant", "time",
    "tool", "user", "user_id",
)  # fmt: skip


class Part(Enum):
    """What a rule does about a subject, once its conditions hold."""

    GIVES = "gives"
    LISTED = "listed"
    """An allow list that the subject is on: gives, and no other list takes it."""
    UNLISTED = "unlisted"
    """An allow list that the subject is not on."""
    DENIES = "denies"
    ELEVATES = "elevates"
    ASKS = "asks"
    """Rego says what."""


@dataclass(frozen=True, slots=True, eq=False)
class Bearing:
    """A rule that is about a subject and a caller, and what it does where `when` holds.

    `opens` and `closes` are for rules in Rego: whether their yes and their no count.
    """

    part: Part
    rule: Rule
    when: When | None
    opens: bool = True
    closes: bool = True


class Entry:
    """A rule with what is compiled of it."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.precedence = (rule.priority, rule.name)
        self.when = when_of(rule)

    @cached_property
    def placed(self) -> When | None:
        """Its conditions of place and time alone, shared with other rules that have them."""
        rule = self.rule
        if not rule.windows and not rule.networks:
            return None
        return place_and_time(rule.windows, rule.networks)

    @cached_property
    def selector(self) -> Selector:
        """The tools in its bundles that it is about."""
        return Selector(self._tools if self._is_picky else None, self.rule.tags)

    @cached_property
    def cover(self) -> Selector:
        """The tools in its bundles that it is about, whatever their names."""
        return Selector(None, self.rule.tags)

    @cached_property
    def is_about_tools(self) -> bool:
        """Whether any tool can be meant by its names."""
        return bool(self.rule.tools) or not self._is_picky

    @cached_property
    def exact(self) -> frozenset[str] | None:
        """The names of the only tools it can be about; None where others may be, too."""
        if not self._is_picky or self.rule.kind is RuleKind.ALLOW_LIST:
            return None
        return self._tools.exact if self._tools.is_exact else None

    @property
    def is_denial(self) -> bool:
        """Whether it denies what it is about."""
        rule = self.rule
        if rule.kind is RuleKind.DENY_LIST:
            return True
        return rule.effect is Effect.DENY and rule.kind not in _WITHOUT_EFFECT

    @property
    def is_list(self) -> bool:
        """Whether it denies what it does not name."""
        return self.rule.kind is RuleKind.ALLOW_LIST

    @cached_property
    def giving(self) -> "Entry":
        """One that allows what it names, under no conditions."""
        return Entry(_unconditioned(self.rule, Effect.ALLOW))

    @cached_property
    def barring(self) -> "Entry":
        """One that denies all that it can be about, under no conditions."""
        rule = _unconditioned(self.rule, Effect.DENY)
        if self.is_list:
            rule = replace(rule, tools=_NO_NAMES, prompts=_NO_NAMES, resources=_NO_NAMES)
        return Entry(rule)

    @cached_property
    def opening(self) -> "Entry":
        """One that allows all that it can be about, under no conditions."""
        return Entry(replace(self.barring.rule, effect=Effect.ALLOW))

    @cached_property
    def _is_picky(self) -> bool:
        return bool(self.rule.tools or self.rule.prompts or self.rule.resources)

    @cached_property
    def _tools(self) -> Matcher:
        return matcher_of(self.rule.tools)

    @cached_property
    def _prompts(self) -> Matcher:
        return matcher_of(self.rule.prompts)

    @cached_property
    def _resources(self) -> Matcher:
        return matcher_of(self.rule.resources)

    def names(self, face: Face, *, opens: bool) -> bool:
        """Whether it is about what `face` is called; `opens`: as a rule that gives something."""
        if not self._is_picky:
            return True
        if face.kind is None:
            return any(map(self._tools.hits, face.names))
        if face.kind is ItemKind.PROMPT:
            return any(map(self._prompts.hits, face.names))
        hits, names = self._resources.hits, face.names
        # A URI is allowed only if all its spellings are: a server may follow any of them.
        if opens and face.kind in BY_URI:
            return all(map(hits, names))
        return any(map(hits, (*names, *map(without_query, names))))

    def bearing(self, faces: Sequence[Face], action: Action) -> Bearing | None:
        """What it does about the subject; None where it is not about it, or does nothing."""
        rule = self.rule
        within = [face for face in faces if face.is_within(rule)]
        if not within or rule.kind is RuleKind.RATE_LIMIT:
            return None
        opens = any(self.names(face, opens=True) for face in within)
        if rule.kind is RuleKind.REGO:
            if not opens and not any(self.names(face, opens=False) for face in within):
                return None
            return self._asking(action, opens=opens)
        part = self._part(opens=opens)
        if part in _TAKES and not any(self.names(face, opens=False) for face in within):
            return None
        if part is Part.GIVES and not opens:
            return None
        return self._conditioned(part, action)

    def _part(self, *, opens: bool) -> Part:
        rule = self.rule
        if self.is_list:
            return Part.LISTED if opens else Part.UNLISTED
        if self.is_denial:
            return Part.DENIES
        return Part.GIVES if rule.effect is Effect.ALLOW else Part.ELEVATES

    def _asking(self, action: Action, *, opens: bool) -> Bearing:
        if action is Action.DISCOVER:
            closes = not self.rule.arguments
            return Bearing(Part.ASKS, self.rule, self.placed, opens=opens, closes=closes)
        return Bearing(Part.ASKS, self.rule, self.when, opens=opens)

    def _conditioned(self, part: Part, action: Action) -> Bearing | None:
        if action is not Action.DISCOVER:
            return Bearing(part, self.rule, self.when)
        # Nobody is elevated to see something, and arguments come with the use.
        takes = part in _TAKES or part is Part.UNLISTED
        if part is Part.ELEVATES or (takes and self.rule.arguments):
            return None
        return Bearing(part, self.rule, self.placed)


_TAKES: Final = frozenset({Part.DENIES, Part.ELEVATES})


def _unconditioned(rule: Rule, effect: Effect) -> Rule:
    kind = RuleKind.CONDITION
    return replace(
        rule, kind=kind, effect=effect, windows=(), networks=_NO_NAMES, arguments=(), rego=None
    )


def entries_of(rules: Iterable[Rule], *, opa: bool) -> tuple[Entry, ...]:
    """The rules in the order in which they are named: highest priority first, then last name.

    `opa`: with one that asks the engine itself about everything, and is named last.
    """
    entries = [Entry(rule) for rule in rules]
    if opa:
        asking = Rule(OPA_RULE, Effect.ALLOW, frozenset(), priority=_LEAST, kind=RuleKind.REGO)
        entries.append(Entry(asking))
    return tuple(sorted(entries, key=lambda one: one.precedence, reverse=True))


def inputs_of_whom(rule: Rule) -> list[str]:
    """What is looked at to find out whether `rule` is about a caller."""
    parts = (
        ("agent", rule.agents),
        ("groups", rule.groups),
        ("user", rule.users),
    )
    return [name for name, wanted in parts if wanted]


def inputs_of_what(rule: Rule) -> tuple[str, ...]:
    """What is looked at to find out whether `rule` is about a subject."""
    parts = (
        ("tool.bundle", rule.bundles),
        ("tool.name", rule.tools or rule.prompts or rule.resources),
        ("tool.risk", rule.risks),
        ("tool.tags", rule.tags),
    )
    return tuple(name for name, wanted in parts if wanted)


def inputs_of_when(rule: Rule, action: Action) -> set[str]:
    """What is looked at to find out whether `rule` applies, and what it says."""
    reads = set(reads_of(rule))
    if rule.kind is RuleKind.REGO:
        reads |= _document_reads(rule.rego)
    if action is Action.DISCOVER:
        return {one for one in reads if one.partition(".")[0] != "arguments"}
    return reads


def _document_reads(document: RegoDocument | None) -> set[str]:
    if document is None or document.reads is None:
        return set(_ALL_INPUTS)
    reads = {".".join(path) for path in document.reads}
    return reads | {"time"} if document.uses_time else reads
