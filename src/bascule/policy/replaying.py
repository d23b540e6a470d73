"""Recorded calls, decided again: by the policies in force, and by those of a draft.

What a record leaves open is tried both ways. Where every way comes to the same, that is what the
call comes to; where not, the call counts as uncertain.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count, product
from typing import Final, NamedTuple, TypeAlias

from bascule.gateway.decision import Circumstances, Decision, Question
from bascule.gateway.principal import KeyRecord, Principal
from bascule.gateway.rule import Action, Rule
from bascule.gateway.snapshot import TenantView
from bascule.gateway.tool import Tool
from bascule.policy.recalling import RecordedCall, Who, arguments_of, caller_of, outcome_of, tool_of
from bascule.policy.tallying import OTHERS, Doubt, Example, Tally, Verdict
from bascule.policy.unknowns import Reading, is_masked
from bascule.policy.variants import (
    Deciders,
    Pair,
    Side,
    Use,
    Variant,
    Ways,
    Weighed,
    concerned,
    ways_of,
)

_MOST_KEPT: Final = 20_000
"""Callers, kinds of them, tools and pairs that are remembered; of more, all are found out again."""
_ALL_ARGUMENTS: Final = "arguments"
"""Among the inputs of a decision: an engine outside looks at whatever it likes."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a replay decides with.

    `draft` are policies to hold against those of `view`. `keys` are the tenant's API keys by id.
    """

    view: TenantView
    decider: Deciders
    draft: tuple[Rule, ...] | None = None
    keys: Mapping[str, KeyRecord] = field(default_factory=dict[str, KeyRecord])


class _Way(NamedTuple):
    """What comes of one way to read a record."""

    before: Weighed
    after: Weighed


class Pending(NamedTuple):
    """A call that only Rego can decide."""

    call: RecordedCall
    use: Use
    ways: Ways
    weighed: Sequence[_Way]


_Answers: TypeAlias = Mapping[tuple[Variant, int, Action], Decision]
"""What Rego decided, by the identity of the use."""


class Replay:
    """Goes through recorded calls, slice by slice, and counts.

    Not for several threads at once. What `look` gives back must be settled before the next slice.
    """

    def __init__(self, setting: Setting, most_examples: int = 20) -> None:
        view = setting.view
        self._setting = setting
        self._before = Side(view, view.rules, setting.decider)
        self._after = self._before
        if setting.draft is not None:
            self._after = Side(view, setting.draft, setting.decider)
        self._conditional = self._before.conditional | self._after.conditional
        self._ids = {one.name: one.user_id for one in view.people.values()}
        self._names_users = any(one.users for one in self._conditional)
        self._callers: dict[Who, tuple[Principal, int]] = {}
        self._kinds: dict[object, int] = {}
        self._numbers = count()
        self._tools: dict[tuple[str, ...], Tool | None] = {}
        self._about: dict[tuple[str, int, int], tuple[Rule, ...]] = {}
        self.looked_at = 0
        self.gone: dict[str, int] = {}
        """Calls of tools that there are not any more, or never were, by name."""
        self.drafted = Tally(most_examples)
        """The draft against the policies in force."""
        self.recorded = Tally(most_examples)
        """The policies in force against what was recorded."""

    def look(self, calls: Iterable[RecordedCall]) -> list[Pending]:
        """Decide `calls` again and count them, but for those that are given back."""
        found = (self._look_at(call) for call in calls)
        return [one for one in found if one is not None]

    async def settle(self, pending: Sequence[Pending], *, deadline: float) -> None:
        """Ask Rego about `pending`, and count them.

        `deadline` is in seconds of `time.monotonic`; what is not answered by then is denied.
        """
        wanted: dict[Variant, dict[tuple[int, Action], Question]] = {}
        for one in pending:
            for weighed in (side for way in one.weighed for side in way):
                for variant, question in _open(weighed, one.use):
                    wanted.setdefault(variant, {})[id(one.use), question.action] = question
        answers: dict[tuple[Variant, int, Action], Decision] = {}
        for variant, asked in wanted.items():
            questions = list(asked.values())
            decisions = await variant.decider.decide_many(questions, deadline=deadline)
            for (number, action), decision in zip(asked, decisions, strict=True):
                answers[variant, number, action] = decision
        for one in pending:
            said = partial(_said, answers, id(one.use))
            decided = [(said(way.before), said(way.after)) for way in one.weighed]
            self._count(one.call, one.ways, decided)

    def _look_at(self, call: RecordedCall) -> Pending | None:
        self.looked_at += 1
        if not call.who[2]:
            self._doubt(Doubt.ROLES)
            return None
        pair = self._pair_of(call)
        if pair is None:
            name = call.tool_name
            if name not in self.gone and len(self.gone) >= _MOST_KEPT:
                name = OTHERS
            self.gone[name] = self.gone.get(name, 0) + 1
            return None
        arguments = arguments_of(call)
        use = _use(pair, call, arguments)
        ways = ways_of(pair, arguments)
        weighed = [self._weigh(pair, use, readings) for readings in ways.readings]
        decided: list[tuple[Decision, Decision]] = []
        for way in weighed:
            before, after = way.before.decision, way.after.decision
            if before is None or after is None:
                return Pending(call, use, ways, weighed)
            decided.append((before, after))
        self._count(call, ways, decided)
        return None

    def _weigh(self, pair: Pair, use: Use, readings: Mapping[Rule, Reading]) -> _Way:
        before = self._before.weigh(pair, use, readings)
        if self._after is self._before:
            return _Way(before, before)
        return _Way(before, self._after.weigh(pair, use, readings))

    def _pair_of(self, call: RecordedCall) -> Pair | None:
        tool = self._tool_of(call)
        if tool is None:
            return None
        caller = self._callers.get(call.who)
        if caller is None:
            if len(self._callers) >= _MOST_KEPT:
                self._callers.clear()
            caller = self._callers[call.who] = self._known(call)
        principal, kind = caller
        key = (principal.subject if self._names_users else "", kind, id(tool))
        about = self._about.get(key)
        if about is None:
            if len(self._about) >= _MOST_KEPT:
                self._about.clear()
            about = self._about[key] = concerned(self._conditional, principal, tool)
        return Pair(kind, principal, tool, about)

    def _tool_of(self, call: RecordedCall) -> Tool | None:
        key = (call.tool_name, call.tool_version, *call.shown)
        try:
            return self._tools[key]
        except KeyError:
            pass
        if len(self._tools) >= _MOST_KEPT:
            self._tools.clear()
        found = self._tools[key] = tool_of(self._setting.view, call)
        return found

    def _known(self, call: RecordedCall) -> tuple[Principal, int]:
        """Who made `call`, and the number of their kind."""
        key = self._setting.keys.get(call.who[-1])
        made = caller_of(self._setting.view, call, key, self._ids.get(call.user))
        kind = (made.roles, made.groups, made.permissions, made.agent, made.means)
        if len(self._kinds) >= _MOST_KEPT:
            self._kinds.clear()
        return made, self._kinds.setdefault(kind, next(self._numbers))

    def _count(
        self, call: RecordedCall, ways: Ways, decided: Sequence[tuple[Decision, Decision]]
    ) -> None:
        if _is_open(call, decided):
            self._doubt(Doubt.ARGUMENTS)
            return
        now = [Verdict(before.effect, before.rule) for before, _ in decided]
        was = outcome_of(call)
        if was is None:
            self.recorded.doubt(Doubt.OUTCOME)
        else:
            _compare(self.recorded, call, ways, [(was, one) for one in now])
        if self._setting.draft is not None:
            then = [Verdict(after.effect, after.rule) for _, after in decided]
            # What lies between bounds may be any combination of the two.
            pairs = zip(now, then, strict=True) if ways.is_whole else product(now, then)
            _compare(self.drafted, call, ways, list(pairs))

    def _doubt(self, why: Doubt) -> None:
        self.recorded.doubt(why)
        if self._setting.draft is not None:
            self.drafted.doubt(why)


def _is_open(call: RecordedCall, decided: Sequence[tuple[Decision, Decision]]) -> bool:
    """Whether it depends on arguments that nobody can read any other way."""
    looks = any(_ALL_ARGUMENTS in one.inputs for pair in decided for one in pair)
    return looks and is_masked(arguments_of(call))


def _use(pair: Pair, call: RecordedCall, arguments: Mapping[str, object] | None) -> Use:
    moment, peer = call.moment, call.peer
    principal, tool = pair.principal, pair.tool
    seen = Question(principal, tool, Action.DISCOVER, Circumstances(moment, peer))
    called = Circumstances(moment, peer, arguments or {})
    return Use(seen, Question(principal, tool, Action.INVOKE, called))


def _open(weighed: Weighed, use: Use) -> Iterator[tuple[Variant, Question]]:
    """What Rego must still be asked."""
    if weighed.sees is None:
        yield weighed.plain, use.sees
    if weighed.calls is None and (weighed.sees is None or weighed.sees.possible):
        yield weighed.variant, use.calls


def _said(answers: _Answers, number: int, weighed: Weighed) -> Decision:
    """What `weighed` comes to with the answers."""
    sees = weighed.sees or answers[weighed.plain, number, Action.DISCOVER]
    if not sees.possible:
        return sees
    return weighed.calls or answers[weighed.variant, number, Action.INVOKE]


def _compare(
    tally: Tally, call: RecordedCall, ways: Ways, pairs: Sequence[tuple[Verdict, Verdict]]
) -> None:
    """Count what is the same whichever way the record is read."""
    before, after = pairs[0]
    if not ways.are_bounds:
        tally.doubt(Doubt.ARGUMENTS)
    elif all(one.effect is other.effect for one, other in pairs):
        tally.same()
    elif any(
        one.effect is not before.effect or other.effect is not after.effect for one, other in pairs
    ):
        tally.doubt(Doubt.ARGUMENTS)
    else:
        name, user = call.tool_name, call.user
        tally.change(Example(call.correlation_id, call.moment, name, user, before, after))
