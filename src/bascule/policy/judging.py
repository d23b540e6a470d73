"""Rules sorted once for a kind of caller, so that very many tools are judged at once, for lists.

Holds exactly the answers of `bascule.policy.weighing.weigh`, where these are the same under all
circumstances.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

from bascule.gateway.rule import Rule
from bascule.gateway.tool import RiskLevel, Tool
from bascule.policy.entries import Entry
from bascule.policy.matching import NOBODY, Selector


@dataclass(frozen=True, slots=True)
class Ruling:
    """What holds for all tools of one bundle and risk.

    Of those that `denies` select, none is allowed; where `lists` cover a tool, one of them must
    have it on it (each is what it covers, and what is on it). Of the rest, all are allowed where
    `allows_rest`, and those that `allows` select.
    """

    allows_rest: bool
    denies: tuple[Selector, ...] = ()
    allows: tuple[Selector, ...] = ()
    lists: tuple[tuple[Selector, Selector], ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether it is the same for every tool."""
        return not (self.denies or self.allows or self.lists)


NOTHING: Final = Ruling(allows_rest=False)

Classes: TypeAlias = dict[RiskLevel, Ruling]


class Judge:
    """Judges tools for one kind of caller and one action."""

    def __init__(
        self,
        entries: Callable[[], Iterable[Entry]],
        *,
        administers: bool,
        decide: Callable[[Tool], str | None],
    ) -> None:
        """`entries` are those for this caller and action, without conditions; asked for once.

        `administers`: everything is allowed that no rule denies. `decide` names the rule that
        allows a tool.
        """
        self._entries = entries
        self._administers = administers
        self.rule_for = decide
        self._bundles: dict[str, Classes] = {}

    @cached_property
    def _about(self) -> list[Entry]:
        return [one for one in self._entries() if one.is_about_tools or one.is_list]

    @cached_property
    def _denies(self) -> list[Entry]:
        return [one for one in self._about if one.is_denial]

    @cached_property
    def _lists(self) -> list[Entry]:
        return [one for one in self._about if one.is_list]

    @cached_property
    def _allows(self) -> list[Entry]:
        return [one for one in self._about if one.is_about_tools and not one.is_denial]

    @property
    def allows_all(self) -> bool:
        """Whether nothing can be refused."""
        if self._denies or self._lists:
            return False
        return self._administers or any(
            not (one.rule.bundles or one.rule.risks) and one.selector.is_everything
            for one in self._allows
        )

    @property
    def allows_none(self) -> bool:
        """Whether nothing can be allowed."""
        return not self._administers and not self._allows

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
        def covering(entries: Sequence[Entry]) -> list[Entry]:
            return [one for one in entries if _covers(one.rule, bundle, risk)]

        denies = tuple(one.selector for one in covering(self._denies))
        if any(one.is_everything for one in denies):
            return NOTHING
        listing = covering(self._lists)
        lists = tuple(
            (one.cover, one.selector if one.is_about_tools else NOBODY) for one in listing
        )
        allows = tuple(one.selector for one in covering(self._allows))
        if self._administers or any(one.is_everything for one in allows):
            return Ruling(allows_rest=True, denies=denies, lists=lists)
        return (
            Ruling(allows_rest=False, denies=denies, allows=allows, lists=lists)
            if allows
            else NOTHING
        )


def _covers(rule: Rule, bundle: str, risk: RiskLevel) -> bool:
    return (not rule.bundles or bundle in rule.bundles) and (not rule.risks or risk in rule.risks)
