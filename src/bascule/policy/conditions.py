"""When a rule applies: windows of time, networks, and tests on arguments, compiled once.

A condition that cannot be decided counts against the caller: what opens something does not apply,
what closes something does. Arguments that are not known yet count for the caller, as in lists: what
opens applies, what closes does not.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import Enum
from fnmatch import translate
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, cast
from zoneinfo import ZoneInfo

from bascule.gateway.decision import Circumstances
from bascule.gateway.rule import EACH, Action, ArgumentTest, Operator, Rule, TimeWindow

_MOST_KEPT: Final = 4096
_MAPPED: Final = 96
"""Bits before the IPv4 address in an IPv6 address that stands for one."""
_ABSENT: Final = object()
_UNDECIDED: Final = object()
_PASSED_BY_ABSENCE: Final = frozenset({Operator.ABSENT, Operator.NOT_EQUALS, Operator.NOT_IN})


class Truth(Enum):
    """What came of a condition: whether it counts for a rule that opens, and one that closes."""

    YES = (True, True)
    NO = (False, False)
    UNDECIDED = (False, True)
    UNKNOWN_YET = (True, False)

    def __init__(self, opens: bool, closes: bool) -> None:  # noqa: FBT001 - members of a tuple
        self.opens = opens
        self.closes = closes


class When:
    """The conditions of a rule, ready to be held against circumstances."""

    def __init__(
        self,
        windows: Iterable[TimeWindow] = (),
        networks: Iterable[str] = (),
        arguments: Iterable[ArgumentTest] = (),
    ) -> None:
        self._windows = [_span(one) for one in windows]
        self._networks = _Networks(networks) if networks else None
        self._tests = [_Test(one) for one in arguments]

    def opens(self, action: Action, circumstances: Circumstances) -> bool:
        """Whether a rule that gives something applies."""
        return self.holds(action, circumstances, closes=False)

    def closes(self, action: Action, circumstances: Circumstances) -> bool:
        """Whether a rule that takes something applies."""
        return self.holds(action, circumstances, closes=True)

    def holds(self, action: Action, circumstances: Circumstances, *, closes: bool) -> bool:
        """Whether a rule applies that takes something (`closes`), or gives something."""
        if self._windows:
            truth = _any_span(self._windows, circumstances.moment)
            if not (truth.closes if closes else truth.opens):
                return False
        if self._networks is not None:
            truth = self._networks.truth(action, circumstances.peer)
            if not (truth.closes if closes else truth.opens):
                return False
        if not self._tests:
            return True
        arguments = None if action is Action.DISCOVER else circumstances.arguments
        if arguments is None:
            return Truth.UNKNOWN_YET.closes if closes else Truth.UNKNOWN_YET.opens
        for test in self._tests:
            truth = test.truth(arguments, closes=closes)
            if not (truth.closes if closes else truth.opens):
                return False
        return True

    def truths(
        self, action: Action, circumstances: Circumstances, *, closes: bool
    ) -> Iterator[tuple[str, Truth]]:
        """What comes of each condition, with what it looks at: a path of `Decision.inputs`.

        `closes`: the rule takes something; of several values then any counts, not all.
        """
        if self._windows:
            yield "time", _any_span(self._windows, circumstances.moment)
        if self._networks is not None:
            yield "ip", self._networks.truth(action, circumstances.peer)
        if self._tests:
            # What is discovered is used later, with arguments nobody knows yet.
            arguments = None if action is Action.DISCOVER else circumstances.arguments
            for test in self._tests:
                known = arguments is not None
                yield (
                    test.reads,
                    test.truth(arguments, closes=closes) if known else Truth.UNKNOWN_YET,
                )


def when_of(rule: Rule) -> When | None:
    """The conditions of `rule`; None where it applies at any time, from anywhere, to any call."""
    if rule.windows or rule.networks or rule.arguments:
        return When(rule.windows, rule.networks, rule.arguments)
    return None


@lru_cache(_MOST_KEPT)
def place_and_time(windows: tuple[TimeWindow, ...], networks: frozenset[str]) -> When:
    """These conditions, compiled; equal ones once."""
    return When(windows, networks)


def reads_of(rule: Rule) -> Iterator[str]:
    """What the conditions of `rule` look at, as paths of `Decision.inputs`."""
    if rule.windows:
        yield "time"
    if rule.networks:
        yield "ip"
    for test in rule.arguments:
        yield _path_of(test)


# Time.


@dataclass(frozen=True, slots=True)
class _Span:
    """A window of time; times in seconds since the epoch."""

    days: frozenset[int]
    start: int
    end: int
    zone: tzinfo
    first: float
    last: float

    def holds(self, moment: float) -> bool:
        if not self.first <= moment <= self.last:
            return False
        local = datetime.fromtimestamp(moment, self.zone)
        minute, day = local.hour * 60 + local.minute, local.weekday()
        if self.end > self.start:
            return self._on(day) and self.start <= minute < self.end
        return (self._on(day) and minute >= self.start) or (
            self._on((day - 1) % 7) and minute < self.end
        )

    def _on(self, day: int) -> bool:
        return not self.days or day in self.days


def _span(window: TimeWindow) -> _Span | None:
    """None for one that cannot be told: an unknown zone."""
    try:
        zone = UTC if window.zone == "UTC" else ZoneInfo(window.zone)
    except (ValueError, OSError, KeyError):
        return None
    return _Span(
        window.days,
        window.start_minute,
        window.end_minute,
        zone,
        _seconds(window.not_before, zone, float("-inf")),
        _seconds(window.not_after, zone, float("inf")),
    )


def _seconds(bound: datetime | None, zone: tzinfo, otherwise: float) -> float:
    """A bound without a time zone is in that of its window."""
    if bound is None:
        return otherwise
    return (bound if bound.tzinfo is not None else bound.replace(tzinfo=zone)).timestamp()


def _any_span(spans: Iterable[_Span | None], moment: float) -> Truth:
    is_undecided = False
    for span in spans:
        try:
            if span is not None and span.holds(moment):
                return Truth.YES
            is_undecided = is_undecided or span is None
        except (ValueError, OverflowError, OSError):
            is_undecided = True
    return Truth.UNDECIDED if is_undecided else Truth.NO


# Networks.


class _Networks:
    """Networks of both families; an IPv4 address is the same however it is written."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._prefixes: dict[tuple[int, int], set[int]] = {}
        self._is_broken = False
        for text in networks:
            try:
                version, bits, start = _prefix_of(ip_network(text.strip(), strict=False))
            except ValueError:
                self._is_broken = True
            else:
                self._prefixes.setdefault((version, bits), set()).add(start)

    def truth(self, action: Action, peer: str) -> Truth:
        address = _address_of(peer)
        if address is None:
            return Truth.NO if action is Action.DISCOVER else Truth.UNDECIDED
        version, number = address
        length = 32 if version == 4 else 128
        for (family, bits), starts in self._prefixes.items():
            if family == version and number >> (length - bits) in starts:
                return Truth.YES
        return Truth.UNDECIDED if self._is_broken else Truth.NO


def _prefix_of(network: IPv4Network | IPv6Network) -> tuple[int, int, int]:
    """The version, the length of the prefix, and the prefix as a number."""
    start, bits = int(network.network_address), network.prefixlen
    if isinstance(network, IPv4Network):
        return 4, bits, start >> (32 - bits)
    mapped = network.network_address.ipv4_mapped
    if mapped is not None and bits >= _MAPPED:
        return 4, bits - _MAPPED, int(mapped) >> (128 - bits)
    return 6, bits, start >> (128 - bits)


@lru_cache(_MOST_KEPT)
def _address_of(peer: str) -> tuple[int, int] | None:
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.version, int(address)


# Arguments.


class _Test:
    """A test on an argument."""

    def __init__(self, test: ArgumentTest) -> None:
        self.reads = _path_of(test)
        self._path = test.path
        self._alone = test.path[0] if len(test.path) == 1 and test.path[0] != EACH else None
        self._passes = _comparison(test.operator, test.value)
        self._if_absent = Truth.YES if test.operator in _PASSED_BY_ABSENCE else Truth.NO

    def truth(self, arguments: Mapping[str, object], *, closes: bool) -> Truth:
        if self._alone is not None:
            return self._of(arguments.get(self._alone, _ABSENT))
        truths = [self._of(value) for value in _leaves(arguments, self._path)]
        # Of several values, what opens wants all, what closes any.
        if closes:
            return Truth.YES if any(one.closes for one in truths) else Truth.NO
        return Truth.YES if truths and all(one.opens for one in truths) else Truth.NO

    def _of(self, value: object) -> Truth:
        if value is _ABSENT:
            return self._if_absent
        if value is _UNDECIDED:
            return Truth.UNDECIDED
        try:
            passes = self._passes(value)
        except _NotJsonError:
            return Truth.UNDECIDED
        if passes is None:
            return Truth.UNDECIDED
        return Truth.YES if passes else Truth.NO


def _path_of(test: ArgumentTest) -> str:
    return ".".join(("arguments", *test.path))


def _leaves(value: object, path: Sequence[str]) -> Iterator[object]:
    """All that `path` leads to; `_UNDECIDED` where there is nothing that could have members."""
    if not path:
        yield value
        return
    name, rest = path[0], path[1:]
    if isinstance(value, Mapping):
        members = cast("Mapping[str, object]", value)
        if name != EACH:
            yield from _leaves(members[name], rest) if name in members else [_ABSENT]
            return
        found: Iterable[object] = members.values()
    elif name == EACH and isinstance(value, list | tuple):
        found = cast("Sequence[object]", value)
    else:
        yield _UNDECIDED
        return
    for one in found:
        yield from _leaves(one, rest)


class _NotJsonError(Exception):
    """A value that is not known to be any JSON."""


_Comparison = Callable[[object], bool | None]
"""None: the types do not go together."""


def _comparison(operator: Operator, wanted: object) -> _Comparison:
    """What holds an argument that is there against `wanted`."""
    make = _COMPARISONS[operator]
    return make(wanted)


def _equals(wanted: object) -> _Comparison:
    return lambda value: _same(value, wanted)


def _not_equals(wanted: object) -> _Comparison:
    return lambda value: not _same(value, wanted)


def _in(wanted: object) -> _Comparison:
    if not isinstance(wanted, list | tuple):
        return _never_decided
    choices = cast("Sequence[object]", wanted)
    if all(isinstance(one, str) for one in choices):
        texts = frozenset(cast("Sequence[str]", choices))
        return lambda value: (
            value in texts if isinstance(value, str) else _is_one_of(value, choices)
        )
    return lambda value: _is_one_of(value, choices)


def _not_in(wanted: object) -> _Comparison:
    within = _in(wanted)

    def outside(value: object) -> bool | None:
        found = within(value)
        return None if found is None else not found

    return outside


def _is_one_of(value: object, choices: Sequence[object]) -> bool:
    _type_of(value)
    return any(_same(value, one) for one in choices)


def _order(holds: Callable[[float, float], bool]) -> Callable[[object], _Comparison]:
    def make(wanted: object) -> _Comparison:
        if not _is_number(wanted):
            return _never_decided
        bound = cast("float", wanted)
        return lambda value: holds(cast("float", value), bound) if _is_number(value) else None

    return make


def _like(wanted: object) -> _Comparison:
    if not isinstance(wanted, str):
        return _never_decided
    match = re.compile(translate(wanted)).match
    return lambda value: match(value) is not None if isinstance(value, str) else None


def _contains(wanted: object) -> _Comparison:
    def contains(value: object) -> bool | None:
        if isinstance(value, str):
            return wanted in value if isinstance(wanted, str) else None
        if isinstance(value, list | tuple):
            return any(_same(one, wanted) for one in cast("Sequence[object]", value))
        return None

    return contains


def _longer(wanted: object) -> _Comparison:
    if not _is_number(wanted):
        return _never_decided
    most = cast("float", wanted)

    def longer(value: object) -> bool | None:
        if isinstance(value, str | list | tuple):
            return len(cast("Sequence[object]", value)) > most
        return None

    return longer


def _never_decided(value: object) -> None:
    """Of a rule whose own value makes no sense."""
    del value


_COMPARISONS: Final[Mapping[Operator, Callable[[object], _Comparison]]] = {
    Operator.EQUALS: _equals,
    Operator.NOT_EQUALS: _not_equals,
    Operator.IN: _in,
    Operator.NOT_IN: _not_in,
    Operator.BELOW: _order(lambda value, bound: value < bound),
    Operator.AT_MOST: _order(lambda value, bound: value <= bound),
    Operator.ABOVE: _order(lambda value, bound: value > bound),
    Operator.AT_LEAST: _order(lambda value, bound: value >= bound),
    Operator.LIKE: _like,
    Operator.CONTAINS: _contains,
    Operator.LONGER: _longer,
    Operator.PRESENT: lambda _: lambda _: True,
    Operator.ABSENT: lambda _: lambda _: False,
}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _type_of(value: object) -> str:
    """The JSON type of `value`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, list | tuple):
        return "array"
    if isinstance(value, Mapping):
        return "object"
    raise _NotJsonError


def _same(one: object, other: object) -> bool:
    """Whether two values are the same JSON."""
    kind = _type_of(one)
    if kind != _type_of(other):
        return False
    if kind == "array":
        ours, theirs = cast("Sequence[object]", one), cast("Sequence[object]", other)
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    if kind == "object":
        mine, its = cast("Mapping[str, object]", one), cast("Mapping[str, object]", other)
        return mine.keys() == its.keys() and all(_same(mine[name], its[name]) for name in mine)
    return one == other
