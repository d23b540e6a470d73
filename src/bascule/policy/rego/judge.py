"""Answers questions by Rego, and remembers the answers by what they depended on."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Final, TypeAlias

from bascule.gateway.decision import Question
from bascule.gateway.flights import Flights
from bascule.gateway.rego import RegoAnswer, RegoDocument, RegoEngine, RegoFailed
from bascule.gateway.rule import Rule
from bascule.policy.rego.inputs import Path, encoded, extractor

_MOST_FORMS: Final = 4096
_LONGEST_REASON: Final = 1000
"""In characters: it is kept with every record."""
_DROPPED_SHARE: Final = 8
_UNWRITABLE: Final = (ValueError, TypeError, RecursionError)
_NOT_JSON: Final = RegoAnswer(allow=False, reason="the arguments cannot be written as JSON")
_LATE: Final = RegoAnswer(allow=False, reason="no answer from Rego in time")

Mark: TypeAlias = tuple[str, int, Hashable]
"""The tenant, the document, and what tells questions about it apart."""


@dataclass(frozen=True, slots=True)
class _Form:
    """How questions are told apart that one document is asked, by its `number`.

    Answers hold for `seconds`; None: as long as the document does.
    """

    number: int
    values: Callable[[Question], tuple[Hashable, ...]]
    seconds: float | None
    is_shared: bool = True
    """Whether equal questions that are asked at the same time have the same answer."""


class Judging:
    """Implements `RegoJudge`. An answer is given again where all is equal that it depends on.

    That is the tenant, the document, and the values at the paths it reads. What depends on the
    time that passes is asked each time, as is an engine that has documents of its own, unless
    its answers may be given again for `own_seconds`. What failed is not remembered.
    """

    def __init__(
        self,
        engine: RegoEngine,
        most_decisions: int,
        *,
        own_seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`most_decisions` are remembered, of all tenants together."""
        self._engine = engine
        self._clock = clock
        self._kept = _Kept(most_decisions)
        self._flights: Flights[Mark, RegoAnswer] = Flights()
        self._forms: dict[tuple[str, frozenset[Path] | None, bool], _Form] = {}
        self._numbers = count(1)
        self._own = _Form(0, extractor(None), own_seconds)

    def known(self, rule: Rule, question: Question) -> RegoAnswer | None:
        """What was answered before to a question that is equal in all that `rule` reads."""
        form = self._form_of(rule.rego)
        if form.seconds == 0.0:
            return None
        try:
            mark = _mark(form, question)
        except _UNWRITABLE:
            return None
        return self._remembered(mark, form)

    async def ask(
        self, rule: Rule, questions: Sequence[Question], deadline: float
    ) -> list[RegoAnswer]:
        """The answers, in order; each question is asked once, and not while another asks it.

        Never raises: what cannot be answered is not allowed.
        """
        form = self._form_of(rule.rego)
        marks: list[Mark | None] = []
        wanted: dict[Mark, bytes] = {}
        for question in questions:
            try:
                mark = _mark(form, question)
                if mark not in wanted:
                    wanted[mark] = encoded(question)
                marks.append(mark)
            except _UNWRITABLE:
                marks.append(None)
        answers = await self._answers(rule.rego, form, wanted, deadline)
        return [_NOT_JSON if mark is None else answers[mark] for mark in marks]

    async def _answers(
        self,
        document: RegoDocument | None,
        form: _Form,
        wanted: Mapping[Mark, bytes],
        deadline: float,
    ) -> dict[Mark, RegoAnswer]:
        answers: dict[Mark, RegoAnswer] = {}
        while len(answers) < len(wanted):
            mine: dict[Mark, bytes] = {}
            others: list[Mark] = []
            for mark, given in wanted.items():
                if mark in answers:
                    continue
                kept = self._remembered(mark, form)
                if kept is not None:
                    answers[mark] = kept
                elif self._flights.is_open(mark):
                    others.append(mark)
                else:
                    mine[mark] = given
            answers |= await self._lead(document, form, mine, deadline)
            for mark in others:
                outcome = await self._flights.outcome(mark, deadline - self._clock())
                # Who led may have given up, or had less time: then it is asked anew.
                if outcome is None and self._clock() >= deadline:
                    outcome = _LATE
                if outcome is not None:
                    answers[mark] = outcome
        return answers

    async def _lead(
        self,
        document: RegoDocument | None,
        form: _Form,
        mine: Mapping[Mark, bytes],
        deadline: float,
    ) -> dict[Mark, RegoAnswer]:
        """Ask the engine, for whoever wants to know."""
        answers: dict[Mark, RegoAnswer] = {}
        for mark in mine:
            self._flights.begin(mark)
        try:
            for tenant in dict.fromkeys(mark[0] for mark in mine):
                theirs = {mark: one for mark, one in mine.items() if mark[0] == tenant}
                answers |= await self._evaluate(tenant, document, form, theirs, deadline)
        finally:
            for mark in mine:  # also where the caller went away: nobody shall wait in vain
                self._flights.end(mark, None)
        return answers

    async def _evaluate(
        self,
        tenant: str,
        document: RegoDocument | None,
        form: _Form,
        inputs: Mapping[Mark, bytes],
        deadline: float,
    ) -> dict[Mark, RegoAnswer]:
        given = await self._given(tenant, document, list(inputs.values()), deadline)
        if isinstance(given, str):
            reason = f"no answer from Rego: {given}"
            answers = dict.fromkeys(
                inputs, RegoAnswer(allow=False, reason=reason[:_LONGEST_REASON])
            )
        else:
            answers = {
                mark: replace(answer, reason=answer.reason[:_LONGEST_REASON])
                for mark, answer in zip(inputs, given, strict=True)
            }
            self._remember(form, answers)
        is_late = isinstance(given, str) and self._clock() >= deadline
        for mark, answer in answers.items():
            self._flights.end(mark, None if is_late else answer)
        return answers

    async def _given(
        self,
        tenant: str,
        document: RegoDocument | None,
        inputs: Sequence[bytes],
        deadline: float,
    ) -> list[RegoAnswer] | str:
        """The engine's answers, or why there are none."""
        try:
            answers = await self._engine.evaluate(tenant, document, inputs, deadline)
        except RegoFailed as failure:
            return failure.private
        except Exception as failure:  # noqa: BLE001 - whatever breaks in an engine allows nothing
            return f"{type(failure).__name__}: {failure}"
        if len(answers) != len(inputs):
            return f"{len(answers)} answers to {len(inputs)} questions"
        return answers

    def _form_of(self, document: RegoDocument | None) -> _Form:
        if document is None:
            return self._own
        key = (document.digest, document.reads, document.uses_time)
        form = self._forms.get(key)
        if form is None:
            if len(self._forms) >= _MOST_FORMS:
                self._forms.clear()
            seconds = 0.0 if document.uses_time else None
            form = self._forms[key] = _Form(
                next(self._numbers),
                extractor(document.reads),
                seconds,
                is_shared=not document.uses_time,
            )
        return form

    def _remembered(self, mark: Mark, form: _Form) -> RegoAnswer | None:
        if form.seconds == 0.0:
            return None
        found = self._kept.find(mark)
        if found is None:
            return None
        answer, until = found
        return answer if until is None or self._clock() < until else None

    def _remember(self, form: _Form, answers: Mapping[Mark, RegoAnswer]) -> None:
        if form.seconds == 0.0:
            return
        until = None if form.seconds is None else self._clock() + form.seconds
        for mark, answer in answers.items():
            self._kept.keep(mark, answer, until)


class _Kept:
    """Answers by mark, at most so many; where there are too many, those go that were not asked
    for in a while, of the tenant that has most of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0
        self._tenants: dict[str, OrderedDict[Mark, tuple[RegoAnswer, float | None]]] = {}

    def find(self, mark: Mark) -> tuple[RegoAnswer, float | None] | None:
        """The answer, and until when it holds; None for as long as its document does."""
        kept = self._tenants.get(mark[0])
        found = None if kept is None else kept.get(mark)
        if kept is not None and found is not None:
            kept.move_to_end(mark)
        return found

    def keep(self, mark: Mark, answer: RegoAnswer, until: float | None) -> None:
        """Keep an answer, perhaps in place of others."""
        if self._most <= 0:
            return
        if self.find(mark) is None:
            if self._count >= self._most:
                self._drop()
            self._count += 1
        self._tenants.setdefault(mark[0], OrderedDict())[mark] = (answer, until)

    def _drop(self) -> None:
        tenant, kept = max(self._tenants.items(), key=lambda one: len(one[1]))
        dropped = len(kept) // _DROPPED_SHARE + 1
        for _ in range(min(dropped, len(kept))):
            kept.popitem(last=False)
            self._count -= 1
        if not kept:
            del self._tenants[tenant]


def _mark(form: _Form, question: Question) -> Mark:
    """What is equal where the answer is."""
    values = form.values(question) if form.is_shared else object()
    return (question.principal.tenant, form.number, values)
