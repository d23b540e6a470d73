"""What to do next: read the conversation turn by turn, keep the goal, and take one step to it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bascule.chat.models import ModelRequest, ModelTool
from bascule.chat.offline import wording
from bascule.chat.offline.dates import read_now
from bascule.chat.offline.finding import Finder
from bascule.chat.offline.goals import Goals
from bascule.chat.offline.history import Turn, read_turns
from bascule.chat.offline.matching import is_reference
from bascule.chat.offline.messages import Kind, Message
from bascule.chat.offline.resolving import Ask, Call, Resolver, same_call
from bascule.chat.offline.schemas import Leaf
from bascule.chat.offline.shelf import Shelf
from bascule.chat.offline.summary import summarise
from bascule.chat.offline.words import VERBS, is_common, nouns

_MOST_STEPS: Final = 6
"""Answers with calls for one message."""

_MOST_LOOKUPS: Final = 3


@dataclass(frozen=True, slots=True)
class Decision:
    """What is said, and called after it."""

    text: str
    calls: Sequence[Call] = ()
    ask: Ask | None = None


class Planner:
    """Plans the answer to one request."""

    def __init__(self, request: ModelRequest) -> None:
        self._finder = Finder(request.tools, request.entries)
        self._shelf = Shelf(self._finder.tools)
        self._turns = read_turns(request.entries, self._shelf.tools, read_now(request.now))
        self._goals = Goals(self._shelf, self._turns)

    def plan(self) -> Decision:
        """The next step after all that was said and returned."""
        decision = Decision("")
        for number, turn in enumerate(self._turns):
            self._goals.listen(turn.message)
            decision = self._decide(turn)
            if number + 1 < len(self._turns):
                if decision.ask:
                    self._goals.mind.asked[number + 1] = decision.ask
                self._goals.settle(turn)
        return replace(decision, calls=[self._finder.as_made(one) for one in decision.calls])

    def _decide(self, turn: Turn) -> Decision:
        search = self._finder.search(turn.message.text) if self._goals.mind.is_unmet else None
        if search is not None:
            return Decision("", [search])
        latest = turn.latest
        told = [summarise(one, self._shelf.fields(one.tool) if one.tool else []) for one in latest]
        text = "\n\n".join(told)
        target = self._target(turn)
        if target is None:
            return Decision(text or self._small_talk(turn.message))
        if any(one.name == target.name and not one.is_error for one in turn.outcomes):
            return Decision(text)
        resolver = Resolver(self._shelf, self._goals.scope(turn))
        if len({one.batch for one in turn.outcomes}) >= _MOST_STEPS:
            return Decision(_joined(text, wording.ENOUGH_STEPS))
        if any(one.is_error for one in latest):
            return self._after_failure(turn, text, target, resolver)
        calls = [] if turn.outcomes else self._lookups(turn, target, resolver)
        return self._step(turn, text, target, resolver, calls)

    def _target(self, turn: Turn) -> ModelTool | None:
        mind = self._goals.mind
        if mind.aside and not any(
            one.name == mind.aside.name and not one.is_error for one in turn.outcomes
        ):
            return mind.aside
        return mind.goal

    def _step(
        self, turn: Turn, text: str, target: ModelTool, resolver: Resolver, calls: list[Call]
    ) -> Decision:
        filled = resolver.fill(target)
        wanted = next((one for one in filled.steps if isinstance(one, Call)), None)
        if wanted is None and not filled.steps:
            wanted = Call(target, filled.arguments)
        # A write waits until what was looked up beside it is back.
        if wanted is not None and not (calls and wanted.tool.risk != "read"):
            calls = [*calls, wanted]
        calls = [one for one in _unique(calls) if not self._was_made(one, turn)]
        if calls:
            is_goal = calls[0].tool.name == target.name
            return Decision(_joined(text, wording.announce(calls, is_goal=is_goal)), calls)
        ask = next((one for one in filled.steps if isinstance(one, Ask)), None)
        search = self._finder.search_giver(ask.leaf) if ask and ask.rows is None else None
        if search is not None:
            return Decision(text, [search])
        lead = self._lead(ask, turn) if ask and not filled.fresh else ""
        return self._question(_joined(text, lead), ask, turn, target)

    def _was_made(self, call: Call, turn: Turn) -> bool:
        """Whether it was made for this message; where it writes, for one before it and in vain."""
        made = turn.outcomes
        if call.tool.risk != "read" and not self._goals.mind.insists:
            made = self._goals.outcomes(turn.message.turn)
        return any(same_call(one, call.tool.name, call.arguments) for one in made)

    def _question(self, text: str, ask: Ask | None, turn: Turn, target: ModelTool) -> Decision:
        if ask is None:
            tried = f"I have tried that already: {wording.title_of(target)}. {wording.TELL_ME}"
            return Decision(_joined(text, tried))
        is_shown = ask.rows is not None and any(one is ask.rows.outcome for one in turn.latest)
        if ask.is_empty and wording.NOTHING in text:
            ask = replace(ask, is_empty=False)
        return Decision(_joined(text, wording.question(ask, rows_are_shown=is_shown)), ask=ask)

    def _lead(self, ask: Ask, turn: Turn) -> str:
        """What a message is answered that is none to the question before it, which is put again."""
        message, asked = turn.message, self._goals.mind.asked.get(turn.message.turn)
        if turn.outcomes:
            return ""
        if message.kind is not Kind.SAYS:
            return self._small_talk(message)
        is_same = asked is not None and (asked.leaf.path, [*asked.among]) == (
            ask.leaf.path,
            [*ask.among],
        )
        is_request = any(one.asks for one in message.requests)
        return wording.NOT_READ if is_same and not is_request else ""

    def _after_failure(
        self, turn: Turn, text: str, target: ModelTool, resolver: Resolver
    ) -> Decision:
        """Say what failed; look something else up, or ask for what is missing now."""
        if any(one.is_unknown for one in turn.latest):
            return Decision(_joined(text, self._way_to_check(target, resolver)))
        filled = resolver.fill(target)
        step = filled.steps[0] if filled.steps else None
        if isinstance(step, Call) and step.tool.risk == "read" and not self._was_made(step, turn):
            return Decision(text, [step])
        ask = next((one for one in filled.steps if isinstance(one, Ask)), None)
        if ask is not None:
            return Decision(_joined(text, wording.question(ask, rows_are_shown=False)), ask=ask)
        return Decision(_joined(text, wording.TELL_ME))

    def _way_to_check(self, target: ModelTool, resolver: Resolver) -> str:
        """Which tool reads what `target` changes, and needs the least that is not known."""
        about = nouns(target.name, target.title)
        best: tuple[tuple[int, int], ModelTool | None, list[Leaf]] = ((0, 1), None, [])
        for reader in self._shelf.related(sorted(about)):
            if reader.risk == "read":
                steps = resolver.fill(reader).steps
                needed = [one.leaf for one in steps if isinstance(one, Ask)]
                fit = (len(about & nouns(reader.name, reader.title)), -len(steps))
                best = max(best, (fit, reader, needed), key=lambda one: one[0])
        return wording.how_to_check(best[1], best[2])

    def _lookups(self, turn: Turn, target: ModelTool, resolver: Resolver) -> list[Call]:
        """Tools that tell more of what the newest message names, and help the goal."""
        found: list[Call] = []
        givers = [
            giver
            for leaf in self._shelf.leaves(target)
            if leaf.required and is_reference(leaf)
            for giver in self._shelf.providers(target, leaf)
        ]
        for giver in {one.name: one for one in givers}.values():
            if giver.name == target.name or not self._goals.is_told(giver, turn.message):
                continue
            filled = resolver.fill(giver)
            is_new = not any(
                same_call(one, giver.name, filled.arguments)
                for one in self._goals.outcomes(turn.message.turn)
            )
            if not filled.steps and is_new:
                found.append(Call(giver, filled.arguments))
        return found[:_MOST_LOOKUPS]

    def _small_talk(self, message: Message) -> str:
        if self._goals.mind.dropped:
            return wording.DROPPED
        if message.kind is Kind.ABANDONS:
            return wording.NOTHING_TO_DROP
        if message.kind is Kind.THANKS:
            return wording.WELCOME
        tools = list(self._shelf.tools.values())
        is_hidden = self._finder.finds_more
        if message.kind in {Kind.HELP, Kind.GREETS} or not (tools or is_hidden):
            return wording.MANY_TOOLS if is_hidden else wording.list_tools(tools)
        return self._unfitting(message)

    def _unfitting(self, message: Message) -> str:
        is_english = any(is_common(one.stem) or one.stem in VERBS for one in message.words)
        if len(message.words) > 1 and not is_english:
            return wording.ENGLISH_ONLY
        return wording.nothing_fits(
            list({one.name: one for one in self._goals.mind.nearest}.values())
        )


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def _unique(calls: Sequence[Call]) -> list[Call]:
    found: list[Call] = []
    for one in calls:
        if not any(
            one.tool.name == other.tool.name and one.arguments == other.arguments for other in found
        ):
            found.append(one)
    return found
