"""Exact names and patterns, compiled, so that a name is found among very many at once."""

import re
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import Final

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

    @property
    def is_exact(self) -> bool:
        """Whether it has no patterns."""
        return not self.starts and not self.prefixes


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


@dataclass(frozen=True, slots=True, eq=False)
class Selector:
    """Some tools of a bundle and risk: by name, where `names` says so, and by one of `tags`."""

    names: Matcher | None = None
    tags: frozenset[str] = frozenset()

    @property
    def is_everything(self) -> bool:
        """Whether it leaves nothing out."""
        return self.names is None and not self.tags


NOBODY: Final = Selector(Matcher(frozenset(), (), (), _NOTHING_AT_ALL))
"""Selects no tool."""
