"""What is found out about a document while it is analysed."""

from collections.abc import Iterable
from typing import Final

from bascule.policy.rego.inputs import Path
from bascule.policy.rego.syntax import Definition, NotUnderstood

_DEEPEST: Final = 8
_MOST_READS: Final = 256
_MOST_ALIASES: Final = 4096
_MOST_STEPS: Final = 500_000
"""About a second."""


class Findings:
    """The paths of `input` that are looked at, and what must be known to find them.

    An alias is a path of `input` whose value something has without having looked at it yet. Nothing
    is ever taken back.
    """

    def __init__(self, definitions: Iterable[Definition]) -> None:
        self._at: dict[Path, list[Definition]] = {}
        for one in definitions:
            self._at.setdefault(one.path, []).append(one)
        self._below: dict[Path, list[Path]] = {}
        for path in self._at:
            for size in range(len(path)):
                self._below.setdefault(path[:size], []).append(path)
        self._reached: dict[Definition, None] = {}
        self._variables: dict[tuple[Definition, str], set[Path]] = {}
        self._values: dict[Path, set[Path]] = {}
        self._held: set[Path] = set()
        self._read: set[Path] = set()
        self._steps = 0
        self.is_volatile = False

    def reads(self) -> frozenset[Path] | None:
        """The paths, without those that are part of others; None for the whole input."""
        # What was only handed on must be there for that, whatever it is.
        seen = {path[:size] for path in self._read for size in range(len(path) + 1)}
        every = self._read | (self._held - seen - {()})
        least = frozenset(
            one for one in every if not any(one[:size] in every for size in range(len(one)))
        )
        return None if () in least or len(least) > _MOST_READS else least

    def reached(self) -> tuple[Definition, ...]:
        """The definitions that an answer may depend on, as far as they are known."""
        return tuple(self._reached)

    def extent(self) -> int:
        """How much is known: the same number as before means that nothing is new.

        Raises:
            NotUnderstood: too much for it to be of use.
        """
        aliases = sum(map(len, (*self._variables.values(), *self._values.values())))
        if aliases > _MOST_ALIASES:
            raise NotUnderstood("too many ways for parts of the input")
        return aliases + len(self._reached) + len(self._held) + len(self._read) + self.is_volatile

    def spend(self) -> None:
        """Count a step.

        Raises:
            NotUnderstood: there were too many.
        """
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise NotUnderstood("too much to go through")

    def read(self, paths: Iterable[Path]) -> None:
        """Note that the values at `paths` are looked at as wholes."""
        self._read.update(paths)

    def hold(self, paths: Iterable[Path]) -> set[Path]:
        """Note that `paths` are handed on; what is too deep is looked at instead."""
        kept: set[Path] = set()
        for path in paths:
            if len(path) > _DEEPEST:
                self._read.add(path[:_DEEPEST])
            else:
                kept.add(path)
        self._held |= kept
        return kept

    def bind(self, where: Definition, name: str, paths: Iterable[Path]) -> None:
        """Note that the variable `name` may be one of `paths`."""
        self._variables.setdefault((where, name), set()).update(self.hold(paths))

    def bound(self, where: Definition, name: str) -> set[Path]:
        """What the variable `name` may be."""
        return set(self._variables.get((where, name), ()))

    def give(self, where: Definition, paths: Iterable[Path]) -> None:
        """Note that `where` may have one of `paths` as its value.

        Where there may be several values, they are compared with each other.
        """
        given = self._values.setdefault(where.path, set())
        given.update(self.hold(paths))
        if len(given) > 1 or len(self._at[where.path]) > 1 or not where.is_plain:
            self._read |= given

    def look_up(self, path: Path, *, is_whole: bool) -> set[Path]:
        """The aliases at `path` in `data`; without `is_whole` something below it is meant.

        What is defined at, above or below it is reached from now on.
        """
        found: set[Path] = set()
        for at in self._related(path):
            self.spend()
            self._reached.update(dict.fromkeys(self._at[at]))
            values = extended(self._values.get(at, ()), path[len(at) :])
            if len(at) > len(path) or not is_whole:
                self._read |= values
            else:
                found |= values
        return found

    def functions_at(self, path: Path) -> list[Definition]:
        """The definitions of the function at `path` in `data`, reached from now on."""
        found = [one for one in self._at.get(path, ()) if one.params is not None]
        self._reached.update(dict.fromkeys(found))
        return found

    def value_of(self, path: Path) -> set[Path]:
        """The aliases that the function at `path` may have as its value."""
        return set(self._values.get(path, ()))

    def has_functions(self, path: Path) -> bool:
        """Whether a function is at, above or below `path` in `data`."""
        return any(one.params is not None for at in self._related(path) for one in self._at[at])

    def has_rules(self, path: Path) -> bool:
        """Whether anything is defined at, above or below `path` in `data`."""
        return bool(self._related(path))

    def _related(self, path: Path) -> list[Path]:
        above = [path[:size] for size in range(len(path) + 1) if path[:size] in self._at]
        return above + self._below.get(path, [])


def extended(paths: Iterable[Path], by: Path) -> set[Path]:
    """The places at `by` below each of `paths`."""
    return {path + by for path in paths}
