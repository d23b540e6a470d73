"""One set of policies, and what it decides where some of them are read one way or the other."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from functools import lru_cache
from itertools import product
from typing import Final, NamedTuple, Protocol, TypeAlias

from bascule.gateway.decision import Decision, Question
from bascule.gateway.principal import Principal
from bascule.gateway.rule import Action, Rule, RuleKind
from bascule.gateway.snapshot import TenantView
from bascule.gateway.tool import McpSource, Tool
from bascule.gateway.whom import concerns
from bascule.policy.matching import matcher_of
from bascule.policy.reasons import takes
from bascule.policy.unknowns import Path, Reading, depends_on_arguments, readings_of

_MOST_VARIANTS: Final = 128
_MOST_KNOWN: Final = 20_000
_MOST_OPEN: Final = 4
"""Policies that are tried each way together, up to 81 ways; more of them only all for the caller
and all against."""
_STATIC: Final = frozenset(
    {"action", "user", "user_id", "agent", "means", "roles", "groups", "tenant", "kind", "tool"}
)
_NAMING: Final = frozenset({"user", "user_id"})
"""What tells callers of a kind apart."""
_MOST_INPUTS: Final = 1024
_MEANS: Final[tuple[Path, ...]] = (("means",),)


class Decider(Protocol):
    """Decides by one set of policies; `bascule.policy.access.Access` is one."""

    def quick(self, question: Question) -> Decision | None:
        """The decision; None where Rego must be asked first."""
        ...

    async def decide_many(
        self, questions: Sequence[Question], *, deadline: float
    ) -> list[Decision]:
        """The decisions, in order, with Rego asked."""
        ...


Deciders: TypeAlias = Callable[[TenantView], Decider]


class Pair(NamedTuple):
    """A caller and a tool. `open` are the policies about them that look at arguments.

    `kind` is the same number for callers who differ by nothing but their names and keys.
    """

    kind: int
    principal: Principal
    tool: Tool
    open: tuple[Rule, ...]


class Use(NamedTuple):
    """A call, as policies are asked about it: nobody calls what they do not see."""

    sees: Question
    calls: Question


class _Reach(Enum):
    """For whom a decision is the same, whatever the circumstances."""

    NOBODY = 0
    CALLER = 1
    KIND = 2


class Variant:
    """A set of policies that decides, and remembers what depends on nothing but who and what."""

    def __init__(self, decider: Decider) -> None:
        self.decider = decider
        self._of_kinds: dict[tuple[int, int, bool], Decision] = {}
        self._of_callers: dict[tuple[str, int, int, bool], Decision] = {}

    def weigh(self, pair: Pair, question: Question) -> Decision | None:
        """As the decider's. The tool of `pair` outlives this."""
        kind, tool = pair.kind, id(pair.tool)
        calls = question.action is Action.INVOKE
        known = self._of_kinds.get((kind, tool, calls))
        if known is not None:
            return known
        user = pair.principal.subject
        if self._of_callers:
            known = self._of_callers.get((user, kind, tool, calls))
            if known is not None:
                return known
        decision = self.decider.quick(question)
        reach = _Reach.NOBODY if decision is None else _reach_of(decision.inputs)
        if decision is not None and reach is not _Reach.NOBODY:
            if len(self._of_kinds) + len(self._of_callers) >= _MOST_KNOWN:
                self._of_kinds.clear()
                self._of_callers.clear()
            if reach is _Reach.KIND:
                self._of_kinds[kind, tool, calls] = decision
            else:
                self._of_callers[user, kind, tool, calls] = decision
        return decision


@lru_cache(_MOST_INPUTS)
def _reach_of(inputs: tuple[str, ...]) -> _Reach:
    """For whom a decision that looked at `inputs` holds."""
    if not all(path in _STATIC or path.startswith("tool.") for path in inputs):
        return _Reach.NOBODY
    return _Reach.KIND if _NAMING.isdisjoint(inputs) else _Reach.CALLER


class Weighed(NamedTuple):
    """What one set of policies says to a use, as far as it is known without asking Rego."""

    plain: Variant
    sees: Decision | None
    variant: Variant
    calls: Decision | None

    @property
    def decision(self) -> Decision | None:
        """What it comes to."""
        return self.sees if self.sees is None or not self.sees.possible else self.calls


class Side:
    """The policies in force, or those of a draft."""

    def __init__(self, view: TenantView, rules: tuple[Rule, ...], decider: Deciders) -> None:
        self._view = view
        self._rules = rules
        self._decider = decider
        self._variants: dict[frozenset[tuple[Rule, Reading]], Variant] = {}
        self.conditional = frozenset(filter(depends_on_arguments, rules))
        """The policies that look at arguments."""
        self.plain = self._made({})

    def weigh(self, pair: Pair, use: Use, readings: Mapping[Rule, Reading]) -> Weighed:
        """What these policies say to `use`, with some of them read as `readings` say.

        Whether something is seen does not depend on arguments: that is read as it is.
        """
        sees = self.plain.weigh(pair, use.sees)
        variant = self._reading(readings)
        is_needed = sees is None or sees.possible
        return Weighed(
            self.plain, sees, variant, variant.weigh(pair, use.calls) if is_needed else None
        )

    def _reading(self, readings: Mapping[Rule, Reading]) -> Variant:
        if not readings:
            return self.plain
        mine = {
            rule: one
            for rule, one in readings.items()
            if rule in self.conditional and one != (rule,)
        }
        if not mine:
            return self.plain
        key = frozenset(mine.items())
        found = self._variants.get(key)
        if found is None:
            if len(self._variants) >= _MOST_VARIANTS:
                self._variants.clear()
            found = self._variants[key] = self._made(mine)
        return found

    def _made(self, readings: Mapping[Rule, Reading]) -> Variant:
        rules = tuple(one for rule in self._rules for one in readings.get(rule, (rule,)))
        return Variant(self._decider(replace(self._view, rules=rules)))


class Ways(NamedTuple):
    """Every way to read the policies, given what a record leaves open.

    `is_whole` is False where only the best and the worst of very many are there. Then what lies
    between them is not told; nor are these the bounds where `are_bounds` is False.
    """

    readings: Sequence[Mapping[Rule, Reading]]
    is_whole: bool = True
    are_bounds: bool = True


_ONE_WAY: Final = Ways(({},))


def ways_of(pair: Pair, arguments: Mapping[str, object] | None) -> Ways:
    """How the policies about `pair` can be read, given recorded `arguments` (None: all unknown)."""
    if not pair.open:
        return _ONE_WAY
    unknown = _MEANS if pair.principal.key_id is None else ()
    readings = {rule: readings_of(rule, arguments, unknown=unknown) for rule in pair.open}
    uncertain = {rule: ways for rule, ways in readings.items() if len(ways) > 1}
    if not uncertain:
        return _ONE_WAY
    if len(uncertain) <= _MOST_OPEN:
        chosen = product(*uncertain.values())
        return Ways([dict(zip(uncertain, ways, strict=True)) for ways in chosen])
    best = {rule: _best(rule, ways) for rule, ways in uncertain.items()}
    worst = {rule: _worst(rule, ways) for rule, ways in uncertain.items()}
    has_lists = any(rule.kind is RuleKind.ALLOW_LIST for rule in uncertain)
    return Ways((best, worst), is_whole=False, are_bounds=not has_lists)


def _best(rule: Rule, ways: Sequence[Reading]) -> Reading:
    """The reading that is best for the caller."""
    return ways[0] if _opens(rule) else ways[-1]


def _worst(rule: Rule, ways: Sequence[Reading]) -> Reading:
    if rule.kind is RuleKind.REGO:
        return ways[1]
    return ways[-1] if _opens(rule) else ways[0]


def _opens(rule: Rule) -> bool:
    return not takes(rule)


def may_concern(rule: Rule, principal: Principal, tool: Tool) -> bool:
    """False only where `rule` is not about this caller, or not about this tool.

    It looks at less than decisions do: what it lets through may still not apply.
    """
    if rule.kind is RuleKind.RATE_LIMIT or not concerns(rule, principal):
        return False
    bundles, names = {tool.bundle}, {tool.name}
    if isinstance(tool.source, McpSource):
        names.add(tool.source.name)
    if tool.home is not None:
        bundles.add(tool.home.bundle)
        names.add(tool.home.name)
    if rule.bundles and bundles.isdisjoint(rule.bundles):
        return False
    if rule.kind is RuleKind.ALLOW_LIST or not (rule.tools or rule.prompts or rule.resources):
        return True
    return any(map(matcher_of(rule.tools).hits, names))


def concerned(rules: Iterable[Rule], principal: Principal, tool: Tool) -> tuple[Rule, ...]:
    """Those of `rules` that may be about this caller and this tool."""
    return tuple(rule for rule in rules if may_concern(rule, principal, tool))
