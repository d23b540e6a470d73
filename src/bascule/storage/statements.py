"""What an SQL text touches of the rows that belong to tenants, and whether it keeps to one of them.

Read from the very text that goes to the driver, whoever wrote it: what is not seen to be kept to a
tenant does not run (`storage.tenancy`).
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from bascule.storage.metadata import metadata
from bascule.storage.search_tables import TOOL_TEXT

TENANT_COLUMN: Final = "tenant_id"
OWNED: Final = frozenset(
    name for name, table in metadata.tables.items() if TENANT_COLUMN in table.columns
)
"""The tables whose rows belong to tenants."""

_TEXT: Final = TOOL_TEXT.name
_TEXT_JOIN: Final = ("tool_index", ".", "number", "=", _TEXT, ".", "rowid")
"""The only way to rows of the index over texts, which knows no tenants, is by way of the rows that
it was made of."""
_MOST_KNOWN: Final = 2048
_TOKEN: Final = re.compile(
    r"""'(?:[^']|'')*'            # a text, which is left out
      | "(?:[^"]|"")+"            # a name in quotes
      | --[^\n]* | /\*.*?\*/      # a comment, left out as well
      | \$\d+ | %\(\w+\)s | (?<!:):\w+ | \?   # a value
      | [A-Za-z_]\w*
      | \S""",
    re.VERBOSE | re.DOTALL,
)
_VALUE: Final = "?"
_NAMED: Final = ":tenant_id"
_NAME: Final = "name"
_OF_TENANT: Final = (_NAME, ".", TENANT_COLUMN, "=")
_ADDED: Final = (("+", *_OF_TENANT, _VALUE), ("case", "when", "(", *_OF_TENANT, _VALUE))
"""As `storage.tenancy` writes the condition for SQLite, and for the other engine."""
_WRITTEN: Final = ((*_OF_TENANT, _NAMED),)
_OPENING: Final = frozenset(
    {"FROM", "JOIN", "UPDATE", "INTO", "USING", "TABLE", "TRUNCATE", "COPY"}
)
_CLOSING: Final = frozenset(
    {"WHERE", "ON", "SET", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "SELECT"}
    | {"RETURNING", "VALUES", "WINDOW", "UNION", "EXCEPT", "INTERSECT"}
)
_JOINING: Final = frozenset({"LEFT", "RIGHT", "FULL", "INNER", "OUTER", "CROSS", "NATURAL"})
_LOOKING: Final = frozenset({"ONLY", "LATERAL", "OR", "IGNORE", "REPLACE", "IF", "NOT", "EXISTS"})


@dataclass(frozen=True, slots=True)
class Touched:
    """What a statement touches.

    `loose` are names, or aliases, of tables that are not all kept to a tenant by a condition;
    `inserts` the tables that rows are put into, `is_merging` where such a row may alter another,
    found by something else than its tenant.
    """

    tables: frozenset[str] = frozenset()
    loose: tuple[str, ...] = ()
    inserts: tuple[str, ...] = ()
    is_merging: bool = False


_NOTHING: Final = Touched()


@lru_cache(_MOST_KNOWN)
def touched_by(sql: str) -> Touched:
    """What `sql`, as SQLAlchemy compiled it, touches of tenants' rows.

    Only the conditions that `storage.tenancy` adds count: they apply to whole statements.
    """
    return _read(sql, _ADDED)


@lru_cache(_MOST_KNOWN)
def touched_by_text(sql: str) -> Touched:
    """As `touched_by`, of what somebody wrote: conditions are `name.tenant_id = :tenant_id`."""
    return _read(sql, _WRITTEN)


def _read(sql: str, conditions: Sequence[tuple[str, ...]]) -> Touched:
    sql = sql.lower()  # as both engines take names that are not in quotes
    if not any(name in sql for name in OWNED) and _TEXT not in sql:
        return _NOTHING
    tokens = tuple(_tokens(sql))
    reading = _Reading(tokens)
    reading.run()
    if not reading.found and not reading.inserts:
        return _NOTHING
    kept = Counter(_kept(tokens, conditions))
    if _TEXT in reading.found:
        kept[_TEXT] = _count(tokens, _TEXT_JOIN) if kept["tool_index"] else 0
    loose = tuple(name for name, count in reading.found.items() if kept[name] < count)
    tables = reading.tables | frozenset(reading.inserts)
    return Touched(tables, loose, tuple(reading.inserts), _is_merging(tokens))


@dataclass(slots=True)
class _Reading:
    """A walk over the tokens that notes each place where rows of a table come from."""

    tokens: Sequence[str]
    found: Counter[str] = field(default_factory=Counter[str])
    tables: frozenset[str] = frozenset()
    inserts: list[str] = field(default_factory=list[str])
    _within: list[bool] = field(default_factory=lambda: [False])
    """For each open bracket whether it is in a list of tables."""

    def run(self) -> None:
        """Fill what is found."""
        expects, opened = False, ""
        for position, piece in enumerate(self.tokens):
            word = piece.upper()
            if word in _OPENING:
                expects, opened, self._within[-1] = True, word, True
            elif piece == "(":
                self._within.append(expects)
            elif piece == ")":
                expects = False
                if len(self._within) > 1:
                    self._within.pop()
            elif word in _CLOSING:
                expects, self._within[-1] = False, False
            elif piece == "," and self._within[-1]:
                expects = True
            elif expects and word not in _LOOKING and word not in _JOINING:
                expects = False
                self._note(position, piece, opened)

    def _note(self, position: int, piece: str, opened: str) -> None:
        name = _plain(piece)
        if self._at(position + 1) == ".":  # a schema before the name
            name, position = _plain(self._at(position + 2)), position + 2
        if name != _TEXT and name not in OWNED:
            return
        self.tables |= {name}
        if opened == "INTO":
            self.inserts.append(name)
        else:
            self.found[self._alias(position) or name] += 1

    def _alias(self, position: int) -> str:
        following = self._at(position + 1)
        if following.upper() == "AS":
            return _plain(self._at(position + 2))
        is_word = following[:1].isalpha() or following[:1] in {"_", '"'}
        ends = following.upper() in _CLOSING | _OPENING | _JOINING | {"FOR", "NOT", "INDEXED"}
        return _plain(following) if is_word and not ends else ""

    def _at(self, position: int) -> str:
        return self.tokens[position] if position < len(self.tokens) else ""


def _tokens(sql: str) -> Iterator[str]:
    for found in _TOKEN.finditer(sql):
        piece = found.group()
        if piece[0] == "'" or piece.startswith(("--", "/*")):
            continue
        is_value = piece == "?" or (piece[0] in "$%:" and len(piece) > 1)
        yield _VALUE if is_value and piece != _NAMED else piece


def _kept(tokens: Sequence[str], conditions: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """The name in each condition on a tenant."""
    for condition in conditions:
        size, name = len(condition), condition.index(_NAME)
        for start in range(len(tokens) - size + 1):
            if tokens[start + name + 2] == TENANT_COLUMN and all(
                wanted in {_NAME, there}
                for wanted, there in zip(condition, tokens[start : start + size], strict=True)
            ):
                yield _plain(tokens[start + name])


def _is_merging(tokens: Sequence[str]) -> bool:
    """Whether an insert alters what is there already, sought without its tenant."""
    words = [piece.upper() for piece in tokens]
    for position in range(len(words) - 1):
        pair = words[position], words[position + 1]
        if pair in {("OR", "REPLACE"), ("REPLACE", "INTO")}:
            return True
        if pair == ("ON", "CONFLICT"):
            rest = words[position + 2 :]
            target = rest[: rest.index("DO")] if "DO" in rest else []
            is_update = rest[len(target) :][:2] == ["DO", "UPDATE"]
            if is_update and TENANT_COLUMN.upper() not in target:
                return True
    return False


def _count(tokens: Sequence[str], wanted: tuple[str, ...]) -> int:
    size = len(wanted)
    return sum(tuple(tokens[at : at + size]) == wanted for at in range(len(tokens)))


def _plain(piece: str) -> str:
    return piece[1:-1] if piece[:1] == '"' else piece
