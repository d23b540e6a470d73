"""Putting the questions that rules leave open to Rego, each rule once for all of them."""

from collections.abc import Sequence
from typing import Final

from bascule.gateway.decision import Question, RegoJudge
from bascule.gateway.rego import RegoAnswer
from bascule.gateway.rule import Rule
from bascule.policy.weighing import Known

NO_ENGINE: Final = RegoAnswer(allow=False, reason="nothing evaluates Rego here")


def knowing(
    rego: RegoJudge | None, question: Question, said: dict[int, RegoAnswer] | None = None
) -> Known:
    """What is known about `question`: by `said`, by the identity of the rule, or from before.

    What is known from before is added to `said`, so that it stays known.
    """

    def known(rule: Rule) -> RegoAnswer | None:
        if rego is None:
            return NO_ENGINE
        answer = None if said is None else said.get(id(rule))
        if answer is None:
            answer = rego.known(rule, question)
            if answer is not None and said is not None:
                said[id(rule)] = answer
        return answer

    return known


async def ask_all(
    rego: RegoJudge,
    asked: Sequence[tuple[Question, Sequence[Rule]]],
    deadline: float,
) -> list[dict[int, RegoAnswer]]:
    """What the rules say to each question, by the identity of the rule.

    A tenant has few such rules, so one is asked after the other.
    """
    rules = {id(rule): rule for _, wanted in asked for rule in wanted}
    numbers: dict[int, list[int]] = {key: [] for key in rules}
    for number, (_, wanted) in enumerate(asked):
        for rule in wanted:
            numbers[id(rule)].append(number)

    async def ask(key: int, rule: Rule) -> list[RegoAnswer]:
        questions = [asked[number][0] for number in numbers[key]]
        answers = await rego.ask(rule, questions, deadline)
        return answers if len(answers) == len(questions) else [NO_ENGINE] * len(questions)

    found: list[dict[int, RegoAnswer]] = [{} for _ in asked]
    for key, rule in rules.items():
        answers = await ask(key, rule)
        for number, answer in zip(numbers[key], answers, strict=True):
            found[number][key] = answer
    return found
