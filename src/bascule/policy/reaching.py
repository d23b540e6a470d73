"""What one kind of caller reaches of a catalogue, found out as far as somebody asks.

A call asks about one tool, and must not wait until all have been judged; a list needs all that are
visible, in order. Both ask the same judge.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, ValuesView
from functools import cached_property
from itertools import compress, filterfalse
from operator import attrgetter
from typing import Any, Final, TypeVar, overload

from bascule.gateway.tool import McpSource, Tool
from bascule.policy.judging import Judge, Ruling
from bascule.policy.matching import Matcher, Selector

_MOST_LISTED: Final = 1_000_000
"""Tools in the lists that are kept, all kinds of callers together: 8 bytes each."""
_LEAST_LISTED: Final = 64
"""What a list counts for at least, in tools."""
_LAST: Final = "\U0010ffff"

# Taken from very many tools at once, which is quicker than from one after the other.
_BUNDLE: Final = attrgetter("bundle")
_HOME: Final = attrgetter("home")
_RISK: Final = attrgetter("risk")
_SOURCE: Final = attrgetter("source")

_T = TypeVar("_T")


class Groups:
    """The tools of a catalogue, by what rules tell apart; sorted when a list first needs it."""

    def __init__(self, tools: Mapping[str, Tool]) -> None:
        self.tools = tools
        self._hits: dict[tuple[Selector, ...], frozenset[int]] = {}
        self._lists: dict[Judge, tuple[Tool, ...]] = {}
        self._listed = 0

    def visible(self, judge: Judge) -> tuple[Tool, ...]:
        """The tools that `judge` allows, in listing order."""
        found = self._lists.get(judge)
        if found is None:
            found = self._list(judge)
            self._listed += len(found) + _LEAST_LISTED
            while self._lists and self._listed > _MOST_LISTED:
                self._listed -= len(self._lists.pop(next(iter(self._lists)))) + _LEAST_LISTED
            self._lists[judge] = found
        return found

    def prepare(self, selectors: Iterable[Selector]) -> None:
        """Do now what the first lists would have to; it does not matter in which thread."""
        self._hit(*selectors)
        len(self._groups)

    @cached_property
    def renamed(self) -> Mapping[tuple[str, str], Sequence[Tool]]:
        """Tools by upstream and the name they have there, where that is another."""
        if McpSource not in set(map(type, map(_SOURCE, self.tools.values()))):
            return {}
        found: defaultdict[tuple[str, str], list[Tool]] = defaultdict(list)
        for tool in self.tools.values():
            source = tool.source
            if isinstance(source, McpSource) and source.name != tool.name:
                found[source.upstream, source.name].append(tool)
        return dict(found)

    @cached_property
    def _ordered(self) -> tuple[Tool, ...]:
        return tuple(self.tools.values())

    @cached_property
    def _groups(self) -> tuple[Mapping[tuple[str, int], list[int]], Sequence[int]]:
        """The positions of plain tools by bundle and risk (its identity: an enumeration's own hash
        is slow), and those of others."""
        tools = self._ordered
        groups: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
        keys = zip(map(_BUNDLE, tools), map(id, map(_RISK, tools)), strict=True)
        if not any(map(_HOME, tools)):
            for number, key in enumerate(keys):
                groups[key].append(number)
            return groups, ()
        odd: list[int] = []
        for number, key in enumerate(keys):
            (odd if tools[number].home is not None else groups[key]).append(number)
        return groups, odd

    @cached_property
    def _names(self) -> tuple[Sequence[str], Sequence[int]]:
        """The names of all tools, sorted, and their positions; most catalogues are in order."""
        names = list(self.tools)
        ordered = sorted(names)
        if ordered == names:
            return names, range(len(names))
        return ordered, sorted(range(len(names)), key=names.__getitem__)

    @cached_property
    def _own_names(self) -> Sequence[tuple[str, int]]:
        """The names that servers have for their tools, where these are others."""
        if not self.renamed:
            return ()
        return [
            (tool.source.name, number)
            for number, tool in enumerate(self._ordered)
            if isinstance(tool.source, McpSource) and tool.source.name != tool.name
        ]

    def _list(self, judge: Judge) -> tuple[Tool, ...]:
        if judge.allows_none:
            return ()
        ordered = self._ordered
        if judge.allows_all:
            return ordered
        seen = bytearray(len(ordered))
        groups, odd = self._groups
        for positions in groups.values():
            first = ordered[positions[0]]
            for position in self._allowed(judge.ruling(first.bundle, first.risk), positions):
                seen[position] = 1
        for position in odd:
            seen[position] = judge.rule_for(ordered[position]) is not None
        return tuple(compress(ordered, seen))

    def _allowed(self, ruling: Ruling, positions: Sequence[int]) -> Iterable[int]:
        if ruling.is_plain:
            return positions if ruling.allows_rest else ()
        allowed: Iterable[int] = positions
        if ruling.denies:
            allowed = filterfalse(self._hit(*ruling.denies).__contains__, allowed)
        if ruling.lists:
            listed = self._hit(*(on for _, on in ruling.lists))
            covers = [cover for cover, _ in ruling.lists]
            if any(one.is_everything for one in covers):
                allowed = filter(listed.__contains__, allowed)
            else:
                allowed = filterfalse((self._hit(*covers) - listed).__contains__, allowed)
        if ruling.allows_rest:
            return allowed
        return filter(self._hit(*ruling.allows).__contains__, allowed)

    def _hit(self, *selectors: Selector) -> frozenset[int]:
        """The positions of all tools that one of `selectors` selects, by whichever name."""
        found = self._hits.get(selectors)
        if found is None:
            if len(selectors) == 1:
                found = frozenset(self._select(selectors[0]))
            else:
                found = frozenset[int]().union(*map(self._hit, selectors))
            self._hits[selectors] = found
        return found

    def _select(self, selector: Selector) -> Iterable[int]:
        named = (
            range(len(self._ordered)) if selector.names is None else self._search(selector.names)
        )
        if not selector.tags:
            return named
        tagged = frozenset[int]().union(*(self._tags.get(one, ()) for one in selector.tags))
        return tagged.intersection(named)

    @cached_property
    def _tags(self) -> Mapping[str, Sequence[int]]:
        """The positions of tools by tag."""
        found: defaultdict[str, list[int]] = defaultdict(list)
        for number, tool in enumerate(self._ordered):
            for tag in tool.tags:
                found[tag].append(number)
        return dict(found)

    def _search(self, matcher: Matcher) -> Iterator[int]:
        names, positions = self._names
        for name in matcher.exact:
            yield from positions[_between(names, name, name)]
        for start in matcher.starts:
            yield from positions[_between(names, start, start + _LAST)]
        match = matcher.pattern.match
        for prefix in matcher.prefixes:
            some = _between(names, prefix, prefix + _LAST)
            yield from compress(positions[some], map(match, names[some]))
        yield from (position for name, position in self._own_names if matcher.hits(name))


def _between(names: Sequence[str], first: str, last: str) -> slice:
    return slice(bisect_left(names, first), bisect_right(names, last))


class Visible(Mapping[str, Tool]):
    """The visible tools by name, in listing order."""

    def __init__(self, groups: Groups, judge: Judge) -> None:
        self._groups = groups
        self._judge = judge
        self._asked: dict[str, Tool] = {}

    @overload
    def get(self, key: str, default: None = None, /) -> Tool | None: ...
    @overload
    def get(self, key: str, default: Tool | _T, /) -> Tool | _T: ...
    def get(self, key: str, default: Any = None, /) -> Any:
        """The tool, if it is visible."""
        found = self._asked.get(key)
        if found is None:
            found = self._groups.tools.get(key)
            if found is None or self._judge.rule_for(found) is None:
                return default
            self._asked[key] = found
        return found

    def __getitem__(self, key: str) -> Tool:
        found = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key) is not None

    def __iter__(self) -> Iterator[str]:
        return (tool.name for tool in self._groups.visible(self._judge))

    def __len__(self) -> int:
        return len(self._groups.visible(self._judge))

    def values(self) -> ValuesView[Tool]:
        """The tools in listing order, without asking for each by its name."""
        return _Values(self)

    def listed(self) -> tuple[Tool, ...]:
        """The tools in listing order; the same tuple whenever it is kept."""
        return self._groups.visible(self._judge)


class _Values(ValuesView[Tool]):
    def __init__(self, visible: Visible) -> None:
        super().__init__(visible)
        self._listed = visible.listed

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._listed())


class Invocable(Mapping[str, str]):
    """The rules that allow calling visible tools, by the tools' names."""

    def __init__(self, visible: Visible, rule_for: Callable[[Tool], str | None]) -> None:
        self._visible = visible
        self._rule_for = rule_for
        self._asked: dict[str, str] = {}

    @overload
    def get(self, key: str, default: None = None, /) -> str | None: ...
    @overload
    def get(self, key: str, default: str | _T, /) -> str | _T: ...
    def get(self, key: str, default: Any = None, /) -> Any:
        """The rule, if there is one and the tool is visible."""
        found = self._asked.get(key)
        if found is None:
            tool = self._visible.get(key)
            found = None if tool is None else self._rule_for(tool)
            if found is None:
                return default
            self._asked[key] = found
        return found

    def __getitem__(self, key: str) -> str:
        found = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[str]:
        rule_for = self._rule_for
        return (tool.name for tool in self._visible.listed() if rule_for(tool) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Renamed(Mapping[tuple[str, str], Tool]):
    """The visible tools by upstream and the name they have there, where that is another.

    Of several the last one that is visible.
    """

    def __init__(self, groups: Groups, visible: Visible) -> None:
        self._groups = groups
        self._visible = visible

    def __getitem__(self, key: tuple[str, str]) -> Tool:
        for tool in reversed(self._groups.renamed[key]):
            if tool.name in self._visible:
                return tool
        raise KeyError(key)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        renamed = self._groups.renamed.items()
        return (key for key, tools in renamed if any(one.name in self._visible for one in tools))

    def __len__(self) -> int:
        return sum(1 for _ in self)
