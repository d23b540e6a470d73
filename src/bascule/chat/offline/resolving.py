"""Where the arguments of a call come from: the person's words, earlier results, another tool."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

import msgspec

from bascule.chat.models import ModelTool
from bascule.chat.offline.candidates import Rows, by_name, by_time, is_usable, numbered, rows_of
from bascule.chat.offline.history import Outcome
from bascule.chat.offline.matching import is_opaque, is_reference, mentioned
from bascule.chat.offline.messages import Message
from bascule.chat.offline.replies import read_reply
from bascule.chat.offline.schemas import Field, Leaf
from bascule.chat.offline.shapes import assemble, at_path
from bascule.chat.offline.shelf import Shelf
from bascule.chat.offline.values import Found, Strength, find_values, is_allowed
from bascule.chat.offline.words import stem, tokens
from bascule.chat.parts import JsonObject

_DEEPEST: Final = 3
"""Tools that are called one for the other."""

_MOST_PROVIDERS: Final = 3
_OTHER: Final = re.compile(r"\bother\s+(\w+)?", re.IGNORECASE)
_PAIR: Final = 2
_EITHER: Final = re.compile(r"\b(?:either|at least one|one of|needs|must)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Value:
    """A value that is known since `turn`."""

    value: object
    turn: int
    from_words: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A call that would help."""

    tool: ModelTool
    arguments: JsonObject


@dataclass(frozen=True, slots=True)
class Ask:
    """A question: for a parameter, or which of `rows`; of those in `among` where it is not empty.

    `is_empty`: the list in which it was looked for has no rows.
    """

    tool: ModelTool
    leaf: Leaf
    rows: Rows | None = None
    among: Sequence[int] = ()
    is_empty: bool = False


Step: TypeAlias = Value | Call | Ask


class Filled(NamedTuple):
    """The arguments that are known, and the steps to the others."""

    arguments: JsonObject
    steps: Sequence[Call | Ask]
    fresh: Sequence[str]
    """Names of the parameters that the newest message says."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What counts for a goal.

    `messages` and `outcomes` are those since the last goal was reached; of the messages before
    `start` only what is needed counts. `asked` holds the question before each turn.
    """

    messages: Sequence[Message]
    outcomes: Sequence[Outcome]
    start: int
    asked: dict[int, Ask] = field(default_factory=dict[int, Ask])
    points_back: bool = True
    """Whether what is meant may be what was meant before `start`."""

    @property
    def newest(self) -> int:
        """The turn of the newest message."""
        return self.messages[-1].turn if self.messages else -1


def same_call(outcome: Outcome, name: str, arguments: JsonObject) -> bool:
    """Whether `outcome` is of this very call."""
    return outcome.name == name and _canonical(outcome.arguments) == _canonical(arguments)


def _canonical(value: JsonObject) -> bytes:
    return msgspec.json.encode(value, order="deterministic")


class Resolver:
    """Finds what the parameters of tools are, within one scope."""

    def __init__(self, shelf: Shelf, scope: Scope) -> None:
        self._shelf = shelf
        self._scope = scope
        self._good = [
            one for one in scope.outcomes if not one.is_error and one.structured is not None
        ]

    def fill(self, tool: ModelTool, trail: tuple[str, ...] = ()) -> Filled:
        """What is known of a call to `tool`. `trail` names the tools that it is needed for."""
        trail = (*trail, tool.name)
        known: list[tuple[tuple[str, ...], object]] = []
        steps: list[Call | Ask] = []
        claimed: set[tuple[int, int, int]] = set()
        fresh: list[str] = []
        for leaf in self._shelf.leaves(tool):
            said = self.said(tool, leaf, claimed)
            step = said or (self._resolve(tool, leaf, trail) if leaf.required else None)
            if isinstance(step, Value):
                known.append((leaf.path, step.value))
                if step.from_words and step.turn == self._scope.newest:
                    fresh.append(leaf.name)
            elif step is not None:
                steps.append(step)
        arguments = assemble(known)
        if not steps:
            steps.extend(self._narrowing(tool, {path for path, _ in known}))
        return Filled(arguments, steps, fresh)

    def _narrowing(self, tool: ModelTool, known: set[tuple[str, ...]]) -> Iterator[Ask]:
        """A tool that needs one of several parameters, as its description says, and has none."""
        leaves = self._shelf.leaves(tool)
        named = [one for one in leaves if re.search(rf"`{re.escape(one.name)}`", tool.description)]
        if any(one.path in known for one in named):
            return
        if named and _EITHER.search(tool.description):
            yield Ask(tool, next((one for one in named if one.kind == "string"), named[0]))

    def said(
        self, tool: ModelTool, leaf: Leaf, claimed: set[tuple[int, int, int]] | None = None
    ) -> Value | None:
        """What the newest message that says it says."""
        claimed = set() if claimed is None else claimed
        wish = self._shelf.wish(tool, leaf)
        for message in reversed(self._scope.messages):
            if message.turn < self._scope.start and not self._reaches_back(leaf):
                break
            found = [one for one in find_values(wish, message) if self._counts(one, leaf, message)]
            free = [one for one in found if (message.turn, one.start, one.end) not in claimed]
            if free:
                claimed.add((message.turn, free[0].start, free[0].end))
                value = Value(free[0].value, message.turn, from_words=True)
                return self._switched(tool, leaf, value)
            reply = self._reply(tool, leaf, message)
            if reply is not None:
                return Value(reply, message.turn, from_words=True)
        return None

    def _switched(self, tool: ModelTool, leaf: Leaf, value: Value) -> Value:
        """The other one of two, where "the other" was said after `value`."""
        after = [one for one in self._scope.messages if one.turn > value.turn]
        said = [one for one in after if self._is_about(tool, leaf, one)]
        if not said or not is_reference(leaf):
            return value
        for outcome in reversed(self._good):
            best = self._shelf.best_field(tool, leaf, outcome.tool) if outcome.tool else None
            if best is None or outcome.tool is None or not best[0].is_listed:
                continue
            rows = rows_of(outcome, best[0], self._shelf.fields(outcome.tool))
            if rows and len(rows.values) == _PAIR and value.value in rows.values:
                at = (rows.values.index(value.value) + len(said)) % _PAIR
                return Value(rows.values[at], said[-1].turn, from_words=True)
        return value

    def _is_about(self, tool: ModelTool, leaf: Leaf, message: Message) -> bool:
        """Whether "the other" of `message` may be about `leaf`, and about no other parameter."""
        found = _OTHER.search(message.text)
        if found is None:
            return False
        named = stem(found[1] or "")
        leaves = self._shelf.leaves(tool)
        return named in leaf.stems or not any(named in one.stems for one in leaves)

    def _reaches_back(self, leaf: Leaf) -> bool:
        """Whether what was said for an earlier goal counts: never for another thing."""
        return leaf.required and (self._scope.points_back or not is_opaque(leaf))

    def _counts(self, found: Found, leaf: Leaf, message: Message) -> bool:
        least = Strength.GUESSED if leaf.required else Strength.FITS
        if message.turn < self._scope.start:
            least = Strength.FITS
        asked = self._scope.asked.get(message.turn)
        if asked and asked.leaf.path == leaf.path:
            least = Strength.GUESSED
        return found.strength >= least and not self._is_refuted(found.value, message.turn)

    def _is_refuted(self, value: object, turn: int) -> bool:
        """Whether a tool that was asked about nothing but `value` failed, after it was said."""
        return any(
            one.is_error and one.turn >= turn and list(one.arguments.values()) == [value]
            and one.tool is not None and one.tool.risk == "read"
            for one in self._scope.outcomes
        )  # fmt: skip

    def _reply(self, tool: ModelTool, leaf: Leaf, message: Message) -> object | None:
        """A message that is nothing but the answer to the question for this parameter."""
        asked = self._scope.asked.get(message.turn)
        if asked is None or asked.rows or asked.leaf.path != leaf.path:
            return None
        if asked.tool.name != tool.name and asked.leaf.stems != leaf.stems:
            return None
        value = read_reply(self._shelf.wish(tool, leaf), message)
        return None if value is None or self._is_refuted(value, message.turn) else value

    def _resolve(self, tool: ModelTool, leaf: Leaf, trail: tuple[str, ...]) -> Step:
        if is_reference(leaf):
            known = self._known(tool, leaf, trail)
            if known is not None:
                return known
            if len(trail) <= _DEEPEST:
                provided = self._provided(tool, leaf, trail)
                if provided is not None:
                    return provided
        return Ask(tool, leaf)

    def _known(self, tool: ModelTool, leaf: Leaf, trail: tuple[str, ...]) -> Step | None:
        """What results say of it, the newest first; a choice counts from when it was made."""
        values: list[Value] = []
        open_step: Call | Ask | None = None
        listed: set[str] = set()
        for outcome in reversed(self._good):
            best = self._shelf.best_field(tool, leaf, outcome.tool) if outcome.tool else None
            if best is None or outcome.tool is None:
                continue
            if not best[0].is_listed:
                value = at_path(outcome.structured, best[0].path)
                if is_usable(value) and is_allowed(value, leaf.schema):
                    values.append(Value(value, outcome.turn))
                continue
            if outcome.name in listed:
                continue
            listed.add(outcome.name)
            step = self._listed(tool, leaf, outcome, best[0], trail)
            if isinstance(step, Value):
                values.append(step)
            else:
                open_step = open_step or step
        newest = max(values, key=lambda one: one.turn, default=None)
        return newest or open_step

    def _listed(
        self, tool: ModelTool, leaf: Leaf, outcome: Outcome, wanted: Field, trail: tuple[str, ...]
    ) -> Step | None:
        """What a list says: a chosen row, another call where it is stale, or a question."""
        giver = outcome.tool
        rows = rows_of(outcome, wanted, self._shelf.fields(giver)) if giver else None
        if giver is None or rows is None:
            return None
        filled = self.fill(giver, trail) if giver.name not in trail else None
        stale = self._stale(outcome, filled, giver)
        if stale:
            return stale
        if rows.values and len({repr(one) for one in rows.values}) == 1 and len(rows.values) > 1:
            return Value(rows.values[0], outcome.turn)
        chosen = self._chosen(rows)
        if chosen is not None:
            return self._switched(tool, leaf, chosen)
        again = self._again(outcome, filled, giver)
        if again:
            return again
        return self._timed(tool, leaf, rows)

    def _stale(
        self, outcome: Outcome, filled: Filled | None, giver: ModelTool
    ) -> Call | Ask | None:
        """What the list depends on has changed since."""
        if filled is None:
            return None
        needed = [one.path for one in self._shelf.leaves(giver) if one.required]
        for path in needed:
            now = at_path(filled.arguments, path)
            if now is not None and now != at_path(outcome.arguments, path):
                return filled.steps[0] if filled.steps else self._call(giver, filled.arguments)
        return None

    def _again(
        self, outcome: Outcome, filled: Filled | None, giver: ModelTool
    ) -> Call | Ask | None:
        """The newest message asks for another list."""
        if filled is None or filled.steps or not filled.fresh or self._scope.newest <= outcome.turn:
            return None
        told = {**(outcome.structured or {}), **outcome.arguments}
        changed = [name for name in filled.fresh if filled.arguments.get(name) != told.get(name)]
        # What was asked for before still holds, where nothing else is said.
        arguments = {**outcome.arguments, **filled.arguments}
        return self._call(giver, arguments) if changed else None

    def _call(self, tool: ModelTool, arguments: JsonObject) -> Call | Ask | None:
        """The call; a question, where it has failed before; None, where it was made."""
        for one in reversed(self._scope.outcomes):
            if same_call(one, tool.name, arguments):
                if not one.is_error:
                    return None
                leaves = self._shelf.leaves(tool)
                told = [leaf for leaf in leaves if at_path(arguments, leaf.path) is not None]
                blamed = max(told, key=lambda leaf: _blame(leaf, one), default=None)
                return Ask(tool, blamed) if blamed else None
        return Call(tool, arguments)

    def _chosen(self, rows: Rows) -> Value | None:
        """The row that a message names; by its place only where the list was shown before it."""
        shown = rows.outcome.turn
        for message in reversed(self._scope.messages):
            at: int | None = None
            if message.turn > shown and self._last_listing(message.turn) is rows.outcome:
                asked = self._scope.asked.get(message.turn)
                at = numbered(rows, message, asked.among if asked else ())
            at = by_name(rows, message) if at is None else at
            if at is not None:
                return Value(rows.values[at], max(message.turn, shown))
        return None

    def _last_listing(self, turn: int) -> Outcome | None:
        """The list in question before `turn`; the last one where nothing was asked."""
        asked = self._scope.asked.get(turn)
        if asked:
            return asked.rows.outcome if asked.rows else None
        return next((one for one in reversed(self._good) if one.turn < turn), None)

    def _timed(self, tool: ModelTool, leaf: Leaf, rows: Rows) -> Step:
        """By date and time; the only row; else a question."""
        for message in reversed(self._scope.messages):
            found = by_time(rows, message)
            if len(found) == 1:
                return Value(rows.values[found[0]], max(message.turn, rows.outcome.turn))
            if found and len(found) < len(rows.values):
                return Ask(tool, leaf, rows, found)
        if len(rows.values) == 1:
            return Value(rows.values[0], rows.outcome.turn)
        return Ask(tool, leaf, rows) if rows.values else self._nothing(tool, leaf, rows)

    def _nothing(self, tool: ModelTool, leaf: Leaf, rows: Rows) -> Ask:
        """An empty list: something else is to be looked for."""
        giver = rows.outcome.tool or tool
        leaves = self._shelf.leaves(giver)
        dated = [one for one in leaves if one.schema.get("format") in {"date", "date-time"}]
        used = [one for one in leaves if one.name in rows.outcome.arguments and not is_opaque(one)]
        wanted = [*dated, *used]
        return Ask(giver, wanted[0], is_empty=True) if wanted else Ask(tool, leaf, is_empty=True)

    def _provided(self, tool: ModelTool, leaf: Leaf, trail: tuple[str, ...]) -> Call | Ask | None:
        """A call to a tool that gives it; else what is needed to make one."""
        question: Ask | None = None
        for giver in self._shelf.providers(tool, leaf)[:_MOST_PROVIDERS]:
            if giver.name in trail:
                continue
            filled = self.fill(giver, trail)
            step = filled.steps[0] if filled.steps else self._call(giver, filled.arguments)
            if isinstance(step, Call):
                if filled.arguments or is_opaque(leaf) or giver.name in mentioned(leaf):
                    return step
                continue
            if step is not None and question is None and self._is_easier(leaf, giver, step):
                question = step
        return question

    def _is_easier(self, leaf: Leaf, giver: ModelTool, step: Ask) -> bool:
        """Whether a person knows rather what the other tool needs."""
        is_hard = is_opaque(leaf) or giver.name in mentioned(leaf)
        return is_hard and (step.rows is not None or not is_opaque(step.leaf))


def _blame(leaf: Leaf, failed: Outcome) -> int:
    """How much the error of a call speaks of the parameter: by its value, or by its name."""
    value = str(at_path(failed.arguments, leaf.path)).casefold()
    said = {one.stem for one in tokens(failed.text)}
    return 2 * (value in failed.text.casefold()) + (
        leaf.stems[-1:] != () and leaf.stems[-1] in said
    )
