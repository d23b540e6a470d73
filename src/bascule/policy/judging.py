"""Rules sorted once for a kind of caller, so that a tool is judged in a fraction of a microsecond.

Holds exactly the answers of `bascule.policy.access.decide`, which says what the rules mean.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import Final, TypeAlias

from bascule.gateway.rule import Effect, RbacRule
from bascule.gateway.tool import McpSource, RiskLevel, Tool

_SPECIAL: Final = re.compile(r"[*?\[]")
_NOTHING_AT_ALL: Final = re.compile(r"(?!)")
_MOST_MATCHERS: Final = 4096


@dataclass(frozen=True, slots=True)
class Matcher:
    """The names that a rule is about: `exact` ones, and all that begin as one of `starts`.

    `pattern` is for the rest; what it matches begins as one of `prefixes`.
    """

    exact: frozenset[str]
    starts: tuple[str, ...]
    prefixes: tuple[str, ...]
    pattern: re.Pattern[str]

    def hits(self, name: str) -> bool:
        """Whether `name` is one of them."""
        return (
            name in self.exact
            or name.startswith(self.starts)
            or self.pattern.match(name) is not None
        )


@lru_cache(_MOST_MATCHERS)
def matcher_of(patterns: frozenset[str]) -> Matcher:
    """A matcher for exact names and `fnmatch` patterns."""
    special = sorted(one for one in patterns if _SPECIAL.search(one))
    open_ended = [one for one in special if _SPECIAL.search(one[:-1]) is None and one[-1] == "*"]
    rest = [one for one in special if one not in open_ended]
    return Matcher(
        patterns.difference(special),
        tuple(one[:-1] for one in open_ended),
        tuple(_SPECIAL.split(one, 1)[0] for one in rest),
        re.compile("|".join(map(translate, rest))) if rest else _NOTHING_AT_ALL,
    )


@dataclass(frozen=True, slots=True)
class Ruling:
    """What holds for all tools of one bundle and risk.

    `rule` allows them, None where none does. Of those that `denies` hit, none is allowed; the rule
    of the first of `allows` that hits goes before `rule`.
    """

    rule: str | None
    denies: tuple[Matcher, ...] = ()
    allows: tuple[tuple[Matcher, str], ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether it is the same for every name."""
        return not self.denies and not self.allows

    def rule_for(self, names: Sequence[str]) -> str | None:
        """The rule that allows a tool of these names, if one does."""
        if any(deny.hits(name) for deny in self.denies for name in names):
            return None
        for matcher, rule in self.allows:
            if any(map(matcher.hits, names)):
                return rule
        return self.rule


NOTHING: Final = Ruling(None)

Classes: TypeAlias = dict[RiskLevel, Ruling]


class Judge:
    """Judges tools for one kind of caller and one action."""

    def __init__(
        self,
        rules: Iterable[RbacRule],
        *,
        administrator: str | None,
        decide: Callable[[Tool], str | None],
    ) -> None:
        """`rules` are those for this caller and action; `decide` is for what is no plain tool.

        `administrator` names what allows everything that no rule denies, where anything does.
        """
        about_tools = [one for one in rules if one.tools or not (one.prompts or one.resources)]
        self._denies = [one for one in about_tools if one.effect is Effect.DENY]
        allows = (one for one in about_tools if one.effect is Effect.ALLOW)
        # The order in which `decide` prefers them.
        self._allows = sorted(allows, key=lambda one: (one.priority, one.name), reverse=True)
        self._administrator = administrator
        self._decide = decide
        self._bundles: dict[str, Classes] = {}

    @property
    def allows_all(self) -> bool:
        """Whether nothing can be refused."""
        if self._denies:
            return False
        return self._administrator is not None or any(
            not (one.bundles or one.risks or one.tools) for one in self._allows
        )

    @property
    def allows_none(self) -> bool:
        """Whether nothing can be allowed."""
        return self._administrator is None and not self._allows

    def rule_for(self, tool: Tool) -> str | None:
        """The rule that allows the action on `tool`, if one does."""
        if tool.home is not None:
            return self._decide(tool)
        ruling = self.ruling(tool.bundle, tool.risk)
        return ruling.rule if ruling.is_plain else ruling.rule_for(names_of(tool))

    def ruling(self, bundle: str, risk: RiskLevel) -> Ruling:
        """What holds for the tools of `bundle` with that risk."""
        classes = self._bundles.get(bundle)
        if classes is None:
            classes = self._bundles[bundle] = {}
        found = classes.get(risk)
        if found is None:
            found = classes[risk] = self._rule(bundle, risk)
        return found

    def _rule(self, bundle: str, risk: RiskLevel) -> Ruling:
        denies = [one for one in self._denies if _covers(one, bundle, risk)]
        if not all(one.tools for one in denies):
            return NOTHING
        matchers = tuple(matcher_of(one.tools) for one in denies)
        if self._administrator is not None:
            return Ruling(self._administrator, matchers)
        named: list[tuple[Matcher, str]] = []
        for one in self._allows:
            if _covers(one, bundle, risk):
                if not one.tools:
                    return Ruling(one.name, matchers, tuple(named))
                named.append((matcher_of(one.tools), one.name))
        return Ruling(None, matchers, tuple(named)) if named else NOTHING


def names_of(tool: Tool) -> tuple[str, ...]:
    """All that a tool is called: a server's own name counts as well where it is another."""
    source = tool.source
    if isinstance(source, McpSource) and source.name != tool.name:
        return (tool.name, source.name)
    return (tool.name,)


def _covers(rule: RbacRule, bundle: str, risk: RiskLevel) -> bool:
    return (not rule.bundles or bundle in rule.bundles) and (not rule.risks or risk in rule.risks)
