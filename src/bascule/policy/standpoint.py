"""What one kind of caller reaches in its tenant, found out as far as it is asked for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from bascule.gateway.decision import Circumstances, Decision
from bascule.gateway.inventory import ItemKind, Listed
from bascule.gateway.principal import Principal
from bascule.gateway.rego import RegoAnswer
from bascule.gateway.rule import Action, Rule
from bascule.gateway.snapshot import TenantView
from bascule.gateway.tool import Tool
from bascule.policy.books import Book, Index
from bascule.policy.conditions import When
from bascule.policy.entries import Entry, entries_of
from bascule.policy.judging import Judge
from bascule.policy.reaching import Groups, Invocable, Renamed, Visible
from bascule.policy.settling import is_open, places_of, settled
from bascule.policy.subjects import Face, face_of, faces_of
from bascule.policy.weighing import Matter, weigh

_MOST_HELD: Final = 20_000
"""Tools whose rules are kept, for one kind of caller: a few hundred bytes each."""
_MOST_SIGHTS: Final = 64
"""Different lists that are kept, for one kind of caller, where they change with time or place."""
_ANY: Final = Circumstances(0.0)
"""For what is the same under all circumstances."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The part of a tenant's catalogue that one kind of caller reaches whatever the circumstances.

    `visible` is in listing order. `invocable` maps a visible tool's name to the rule that
    allows calling it at once. `renamed` are visible tools by upstream and the name they have there,
    where that is another.
    """

    visible: Visible
    invocable: Mapping[str, str]
    renamed: Mapping[tuple[str, str], Tool]
    catalogue: Groups
    """All tools there are, reached or not."""


@dataclass(frozen=True, slots=True)
class Sight:
    """The tools a caller sees as things are: `sure` ones, and of `unsure` those that Rego shows.

    Both are in listing order.
    """

    sure: Sequence[Tool]
    unsure: Sequence[Tool] = ()


@dataclass(frozen=True, slots=True)
class Offers:
    """Prompts and templates that a kind of caller may see, in listing order.

    Whether those in `unsure` are seen depends on more than the kind of caller.
    """

    prompts: tuple[Listed, ...]
    templates: tuple[Listed, ...]
    unsure: frozenset[Listed] = frozenset()


class Held(NamedTuple):
    """What counts for a tool; `decision` is None where circumstances decide, or Rego.

    `is_lasting`: the same caller is always answered the same.
    """

    tool: Tool
    matter: Matter
    decision: Decision | None
    is_lasting: bool


class Laws:
    """The rules of a tenant and what they are about, compiled once for all callers."""

    def __init__(self, view: TenantView, *, opa: bool, elevates: bool) -> None:
        self.view = view
        self.elevates = elevates
        self.entries: tuple[Entry, ...] = entries_of(view.rules, opa=opa)
        self._groups: dict[str, Groups] = {}
        self._indexes: dict[Action, Index] = {}

    def groups(self, bundle: str) -> Groups:
        """The tools, or those that a bundle serves, sorted once for all kinds of callers."""
        tools = self.view.bundle_tools[bundle] if bundle else self.view.tools
        found = self._groups.get(bundle)
        return found or self._groups.setdefault(bundle, Groups(tools))

    def prepare(self) -> None:
        """Do what the first calls and lists would have to do."""
        for action in Action:
            self.index(action)
        self.groups("").prepare(one.selector for one in self.entries if one.rule.tools)

    def index(self, action: Action) -> Index:
        """The rules about `action`."""
        found = self._indexes.get(action)
        return found or self._indexes.setdefault(action, Index(self.entries, action))

    def book(self, principal: Principal, action: Action) -> Book:
        """The rules for `principal` and its like."""
        version = self.view.policy_version
        return Book(self.index(action), principal, version=version, elevates=self.elevates)


class Standpoint:
    """One kind of caller in one tenant."""

    def __init__(self, laws: Laws, principal: Principal) -> None:
        self._laws = laws
        self._books = {action: laws.book(principal, action) for action in Action}
        # By identity: tools are as many as they are, and live as long as the snapshot.
        self._seeing: dict[int, Held] = {}
        self._using: dict[int, Held] = {}
        self._served: dict[str, Reach] = {}
        self._sights: dict[tuple[object, ...], Sight] = {}
        self._offers: Offers | None = None
        self.whole: Reach = self._reach(laws.groups(""))
        """What is reached of all tools."""

    @property
    def is_fixed(self) -> bool:
        """Whether lists are the same under all circumstances."""
        return not self._places and not self._is_open

    @cached_property
    def _places(self) -> list[When]:
        return places_of(self._books[Action.DISCOVER].entries)

    @cached_property
    def _is_open(self) -> bool:
        return is_open(self._books[Action.DISCOVER].entries)

    def served(self, bundle: str) -> Reach:
        """What is reached of what `bundle` serves."""
        found = self._served.get(bundle)
        if found is None:
            found = self._served[bundle] = self._reach(self._laws.groups(bundle))
        return found

    def held(self, tool: Tool, action: Action) -> "Held":
        """What counts for `tool`, with as few rules as there can be."""
        kept = self._seeing if action is Action.DISCOVER else self._using
        found = kept.get(id(tool))
        if found is not None and found.tool is tool:
            return found
        if len(kept) >= _MOST_HELD:
            kept.clear()
        matter = self.whole_matter(faces_of(tool), action).reduced()
        decision = weigh(matter, _ANY, _unknown) if matter.is_settled else None
        found = kept[id(tool)] = Held(tool, matter, decision, matter.is_lasting)
        return found

    def whole_matter(self, faces: Sequence[Face], action: Action) -> Matter:
        """Everything that counts for a subject."""
        return self._books[action].matter(faces)

    def sight(self, bundle: str, circumstances: Circumstances) -> Sight:
        """The tools seen as things are, all or those that `bundle` serves."""
        action = Action.DISCOVER
        truths = tuple(
            (one.opens(action, circumstances), one.closes(action, circumstances))
            for one in self._places
        )
        found = self._sights.get((bundle, *truths))
        if found is None:
            if len(self._sights) >= _MOST_SIGHTS:
                self._sights.clear()
            found = self._sights[(bundle, *truths)] = self._look(bundle, circumstances)
        return found

    def offers(self) -> Offers:
        """Prompts and templates."""
        if self._offers is None:
            unsure: set[Listed] = set()

            def seen(kind: ItemKind, item: Listed) -> bool:
                matter = self.whole_matter((face_of(kind, item),), Action.DISCOVER)
                if not matter.is_settled:
                    unsure.add(item)
                return not matter.is_settled or _rule(weigh(matter, _ANY, _unknown)) is not None

            inventories = self._laws.view.inventories.values()
            prompts = (one for each in inventories for one in each.prompts.values())
            templates = (one for each in inventories for one in each.templates)
            self._offers = Offers(
                tuple(one for one in prompts if seen(ItemKind.PROMPT, one)),
                tuple(one for one in templates if seen(ItemKind.TEMPLATE, one)),
                frozenset(unsure),
            )
        return self._offers

    def _look(self, bundle: str, circumstances: Circumstances) -> Sight:
        groups = self._laws.groups(bundle)
        if self.is_fixed:
            reach = self.served(bundle) if bundle else self.whole
            return Sight(reach.visible.listed())
        book = self._books[Action.DISCOVER]
        if book.lacks:
            return Sight(())
        fixed, unsure = settled(book.entries, circumstances)

        def shown(tool: Tool) -> str | None:
            held = self.held(tool, Action.DISCOVER)
            decision = held.decision or weigh(held.matter, circumstances, _unknown)
            return decision.rule if decision is not None and decision.allowed else None

        def asked(tool: Tool) -> str | None:
            held = self.held(tool, Action.DISCOVER)
            is_known = held.decision or weigh(held.matter, circumstances, _unknown)
            return None if is_known else "unsure"

        sure = groups.visible(Judge(lambda: fixed, administers=book.administers, decide=shown))
        if not unsure:
            return Sight(sure)
        return Sight(sure, groups.visible(Judge(lambda: unsure, administers=False, decide=asked)))

    def _reach(self, groups: Groups) -> Reach:
        def surely_seen(tool: Tool) -> str | None:
            return _rule(self.held(tool, Action.DISCOVER).decision)

        def surely_used(tool: Tool) -> str | None:
            return _rule(self.held(tool, Action.INVOKE).decision)

        book = self._books[Action.DISCOVER]

        def fixed() -> Iterable[Entry]:
            return () if book.lacks else settled(book.entries, None)[0]

        administers = book.administers and not book.lacks
        visible = Visible(groups, Judge(fixed, administers=administers, decide=surely_seen))
        return Reach(visible, Invocable(visible, surely_used), Renamed(groups, visible), groups)


def _rule(decision: Decision | None) -> str | None:
    """The rule that allows it, if one does."""
    return decision.rule if decision is not None and decision.allowed else None


def _unknown(rule: Rule) -> RegoAnswer | None:
    del rule
