"""What a conversation is about: the goal that its messages name, and what counts for it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bascule.chat.models import ModelTool
from bascule.chat.offline.candidates import ORDINALS, by_name, numbered, rows_of
from bascule.chat.offline.history import Outcome, Turn
from bascule.chat.offline.messages import Kind, Message, Request
from bascule.chat.offline.phrases import quoted
from bascule.chat.offline.ranking import Hit, action_of, agreement
from bascule.chat.offline.resolving import Ask, Scope
from bascule.chat.offline.shelf import Shelf, examples_of
from bascule.chat.offline.values import Strength, Wish, find_values
from bascule.chat.offline.words import Action, nouns, tokens

_TOLD_READ: Final = 200
_MOST_TOLD: Final = 2
_CODE: Final = re.compile(r"\d{3}|@|://")
_NEEDS: Final = re.compile(r"\b(?:need|want)\s+(?:an?|some)\b", re.IGNORECASE)
_AGAIN: Final = re.compile(r"\b(?:again|retry|once more)\b", re.IGNORECASE)
_KNOWN: Final = 0.3
"""The least part of what a request is about that a tool must know of."""

_SURE: Final = 0.5
_NEARLY: Final = 0.75
_MOST_NEAR: Final = 4
_LEAVES_READ: Final = 20
_PER_VALUE: Final = 0.15
_POINTING: Final = frozenset(
    {"it", "its", "it's", "that", "this", "them", "these", "those", "one", *ORDINALS}
)


@dataclass(slots=True)
class Mind:
    """What the conversation has come to. `wide` is the first turn whose words count."""

    goal: ModelTool | None = None
    aside: ModelTool | None = None
    """A tool that was asked for on the way to the goal."""
    recent: ModelTool | None = None
    """The tool that reached the last goal, where it only reads."""
    vain: tuple[ModelTool, int] | None = None
    """The last write that did not come off, or nobody knows, and the `start` of its goal."""
    start: int = 0
    wide: int = 0
    kept: list[Outcome] = field(default_factory=list[Outcome])
    """Outcomes before `wide` that still count."""
    asked: dict[int, Ask] = field(default_factory=dict[int, Ask])
    nearest: Sequence[ModelTool] = ()
    dropped: bool = False
    is_unmet: bool = False
    """Whether the newest message asks for something that no tool fits."""
    insists: bool = False
    """Whether the newest message asks for what was done, or tried, before."""


class Goals:
    """Follows a conversation turn by turn: `listen` to a message, `settle` after its outcomes."""

    def __init__(self, shelf: Shelf, turns: Sequence[Turn]) -> None:
        self._shelf = shelf
        self._turns = turns
        self.mind = Mind()
        self._past: list[Outcome] = []

    def listen(self, message: Message) -> None:
        """Take in what a message means for the goal."""
        mind = self.mind
        mind.dropped = False
        mind.nearest = ()
        mind.is_unmet = False
        mind.insists = bool(_AGAIN.search(message.text))
        if message.kind is Kind.ABANDONS and (mind.goal or mind.aside):
            mind.goal = mind.aside = mind.recent = mind.vain = None
            mind.wide = mind.start = message.turn + 1
            mind.dropped = True
        elif message.kind in {Kind.SAYS, Kind.ABANDONS}:
            best = self._best(message)
            mind.is_unmet = best is None and self._wants_more(message)
            if mind.goal is None and mind.aside is None:
                self._begin(message, best)
            elif best is not None:
                self._redirect(message, *best)

    def _wants_more(self, message: Message) -> bool:
        """Whether it is a request; with a goal under way only what has the form of one."""
        is_idle = self.mind.goal is None and self.mind.aside is None
        return any(one.topics and (one.asks or is_idle) for one in message.requests)

    def _best(self, message: Message) -> tuple[Request, Hit] | None:
        """The request of the message that fits a tool best; and the tools that come nearest."""
        is_idle = self.mind.goal is None and self.mind.aside is None
        found: list[tuple[Request, Hit]] = []
        for asked in message.requests:
            request = self._completed(asked)
            hits = self._shelf.ranking.hits(request)
            self.mind.nearest = [*self.mind.nearest, *(one.tool for one in hits[:3])][:3]
            if request is not asked:
                hits = [one for one in hits if action_of(one.tool) is request.action]
            hits = self._by_values(hits, message)
            fitting = [one for one in hits[:10] if _fits(one, request)]
            if not fitting and request.action is not None and self._names_row(message):
                fitting = self._with_row(request)
            if is_idle and request.action is None and _NEEDS.search(request.text):
                fitting = self._needed(request, is_last=not fitting) or fitting
            if not fitting and self._is_about(request, hits, message):
                fitting = [one for one in hits[:1] if not action_of(one.tool).writes]
            if fitting and (request.asks or is_idle):
                found.append((request, fitting[0]))
        return max(found, key=lambda one: (one[0].asks, one[1].score), default=None)

    def _last(self) -> Outcome | None:
        return next((one for one in reversed(self._past) if not one.is_error and one.tool), None)

    def _names_row(self, message: Message) -> bool:
        """Whether a message names a row of the list that was shown last."""
        last = self._last()
        fields = self._shelf.fields(last.tool) if last and last.tool else []
        listed = next((one for one in fields if one.is_listed), None)
        rows = rows_of(last, listed, fields) if last and listed else None
        return rows is not None and bool(rows.values) and by_name(rows, message) is not None

    def _with_row(self, request: Request) -> list[Hit]:
        """What can be done so with a row of that list."""
        last = self._last()
        about = tuple(sorted(nouns(last.name))) if last else ()
        hits = self._shelf.ranking.hits(request._replace(topics=about))
        fitting = [one for one in hits if action_of(one.tool) is request.action and one.names_it]
        return [one for one in fitting if last is None or one.tool.name != last.name][:1]

    def _needed(self, request: Request, *, is_last: bool) -> list[Hit]:
        """What makes such a thing as "I need a" names; as the last way what only knows of it."""
        hits = self._shelf.ranking.hits(request._replace(action=Action.CREATE))
        makes = [one for one in hits if action_of(one.tool) is Action.CREATE]
        return [one for one in makes if one.names_it or (is_last and one.part == 1)][:1]

    def _is_about(self, request: Request, hits: Sequence[Hit], message: Message) -> bool:
        """Whether the first tool knows all that is asked about, and can use what is said."""
        writes = request.action is not None and request.action.writes
        return (
            bool(hits)
            and not writes
            and hits[0].part == 1
            and self._said(hits[0].tool, message) > 0
        )

    def _by_values(self, hits: list[Hit], message: Message) -> list[Hit]:
        """Of tools that fit nearly as well, those first that can use more of what is said."""
        near = [one for one in hits[:_MOST_NEAR] if one.score >= _NEARLY * hits[0].score]
        if len(near) < 2:
            return hits
        scores = [one.score * (1 + _PER_VALUE * self._said(one.tool, message)) for one in near]
        order = sorted(range(len(near)), key=lambda at: -scores[at])
        return [*(near[at] for at in order), *hits[len(near) :]]

    def _said(self, tool: ModelTool, message: Message) -> int:
        """How many of its parameters the message gives."""
        return sum(
            any(
                found.strength >= Strength.FITS
                for found in find_values(self._shelf.wish(tool, leaf), message)
            )
            for leaf in self._shelf.leaves(tool)[:_LEAVES_READ]
        )

    def _completed(self, request: Request) -> Request:
        """ "Cancel it" is about what the last call was about."""
        last = self._last()
        if request.topics or request.action is None or last is None or last.tool is None:
            return request
        points = _POINTING & {one.text.lower() for one in tokens(request.text)}
        if not points and not request.action.writes:
            return request
        return request._replace(topics=tuple(sorted(nouns(last.tool.name))))

    def _begin(self, message: Message, best: tuple[Request, Hit] | None) -> None:
        mind = self.mind
        if best is None and mind.insists and mind.vain:
            mind.goal, mind.start = mind.vain
            return
        told = self._told(message) if best is None or not best[0].asks else None
        if best is not None and told is None:
            mind.insists = True
            mind.goal = best[1].tool
            mind.start = message.turn
        elif mind.recent is not None and self._says_something(mind.recent, message):
            mind.goal = mind.recent
        elif told is not None:
            mind.goal = told
            mind.start = message.turn

    def _told(self, message: Message) -> ModelTool | None:
        """A tool that only reads, and all of whose parameters the message says unmistakably."""
        if not _CODE.search(message.text):
            return None
        tools = [one for one in self._shelf.tools.values() if one.risk == "read"][:_TOLD_READ]
        return next((one for one in tools if self.is_told(one, message, own=True)), None)

    def is_told(self, tool: ModelTool, message: Message, *, own: bool = False) -> bool:
        """With `own`, only examples in the tool's own schema count."""
        needed = [one for one in self._shelf.leaves(tool) if one.required]
        if not 0 < len(needed) <= _MOST_TOLD:
            return False
        wishes = [
            Wish(leaf, examples_of(leaf.schema)) if own else self._shelf.wish(tool, leaf)
            for leaf in needed
        ]
        return all(
            any(found.strength is Strength.TOLD for found in find_values(wish, message))
            for wish in wishes
        )

    def _says_something(self, tool: ModelTool, message: Message) -> bool:
        return any(
            found.strength >= Strength.FITS
            for leaf in self._shelf.leaves(tool)
            for found in find_values(self._shelf.wish(tool, leaf), message)
        )

    def _redirect(self, message: Message, request: Request, hit: Hit) -> None:
        """A request while there is a goal: the same, on the way to it, another one; or a detail."""
        mind = self.mind
        if mind.goal is not None and hit.tool.name == mind.goal.name:
            mind.aside = None
            mind.insists = True
            return
        asked = mind.asked.get(message.turn)
        is_choice = bool(
            asked and asked.rows
            and {numbered(asked.rows, message), by_name(asked.rows, message)} != {None}
        )  # fmt: skip
        does = action_of(hit.tool)
        if is_choice and does is not Action.REMOVE:
            return
        agrees = agreement(request.action, does) > 1 or (request.action is None and not does.writes)
        if not agrees or hit.part < _SURE:
            mind.is_unmet = request.asks
            return
        if mind.goal is not None and not does.writes and self._shelf.helps(hit.tool, mind.goal):
            mind.aside = hit.tool
            return
        mind.goal, mind.aside = hit.tool, None
        mind.start = message.turn

    def settle(self, turn: Turn) -> None:
        """After a turn: forget goals that were reached."""
        self._past.extend(turn.outcomes)
        mind = self.mind
        if mind.aside and any(
            one.name == mind.aside.name and not one.is_error for one in turn.outcomes
        ):
            mind.aside = None
        goal = mind.goal
        if goal and action_of(goal).writes and any(one.name == goal.name for one in turn.outcomes):
            mind.vain = None if self._is_reached(goal, turn) else (goal, mind.start)
        if goal is None or not self._is_reached(goal, turn):
            return
        mind.goal = mind.aside = None
        mind.recent = None if action_of(goal).writes else goal
        if action_of(goal).writes:
            mind.kept = [one for one in self.outcomes(turn.message.turn) if self._lasts(one)]
            mind.wide = mind.start = turn.message.turn + 1

    def _is_reached(self, goal: ModelTool, turn: Turn) -> bool:
        return bool(turn.outcomes) and any(
            one.name == goal.name and not one.is_error for one in turn.outcomes
        )

    def _lasts(self, outcome: Outcome) -> bool:
        """Whether it counts for the next goal too: what is known of one thing, no choices."""
        if outcome.is_error or outcome.tool is None:
            return False
        return not any(
            one.is_listed and not one.is_item for one in self._shelf.fields(outcome.tool)
        )

    def outcomes(self, upto: int) -> list[Outcome]:
        """What counts for the goal, until the turn `upto`."""
        turns = self._turns[self.mind.wide : upto + 1]
        return [*self.mind.kept, *(one for turn in turns for one in turn.outcomes)]

    def scope(self, turn: Turn) -> Scope:
        """What counts for the goal, as of `turn`."""
        mind = self.mind
        upto = turn.message.turn
        messages = [one.message for one in self._turns if mind.wide <= one.message.turn <= upto]
        outcomes = self.outcomes(upto)
        points_back = self._points_back([one for one in messages if one.turn >= mind.start])
        if not points_back:
            outcomes = [one for one in outcomes if one.turn >= mind.start or not self._lasts(one)]
        return Scope(messages, outcomes, mind.start, mind.asked, points_back)

    def _points_back(self, messages: Sequence[Message]) -> bool:
        """Whether what is meant may be what the goal before was about: nothing else is named."""
        goal = self.mind.goal
        known = nouns(goal.name, goal.title) if goal else frozenset[str](())
        for message in messages[:1]:
            if any(quoted(message.text)):
                return False
            if _POINTING & {one.text.lower() for one in message.words}:
                return True
            topics = {topic for one in message.requests for topic in one.topics}
            named = [
                one for one in message.words[1:] if one.text[0].isupper() and len(one.text) > 1
            ]
            return topics <= known and not named
        return False


def _fits(hit: Hit, request: Request) -> bool:
    """Whether a tool is meant: its noun is said, or the verb of a write, and it knows enough."""
    does = action_of(hit.tool)
    writes = request.action is not None and request.action.writes
    if writes and not does.writes:
        return False
    return hit.part >= _KNOWN and (hit.names_it or (writes and does is request.action))
