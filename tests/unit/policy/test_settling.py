from typing import Any

import pytest

from bascule.gateway.rule import (
    ArgumentTest,
    Effect,
    Operator,
    Rule,
    RuleKind,
    TimeWindow,
)
from bascule.policy.entries import Entry
from bascule.policy.settling import is_open, places_of, settled
from fakes.decisions import NOW

TEST = (ArgumentTest(("x",), Operator.PRESENT),)
NEVER = (TimeWindow(end_minute=1),)
ALWAYS = (TimeWindow(),)
NOWHERE = (TimeWindow(zone="Mars/Olympus"),)


def entry(kind: RuleKind = RuleKind.CONDITION, effect: Effect = Effect.ALLOW, **more: Any) -> Entry:
    return Entry(Rule("r", effect, frozenset(), kind=kind, **more))


@pytest.mark.parametrize(
    ("one", "at_once", "in_place"),
    [
        (entry(), "itself", "itself"),
        (entry(RuleKind.RATE_LIMIT), "", ""),
        (entry(RuleKind.REGO), "open", "open"),
        (entry(effect=Effect.ELEVATE), "", ""),
        (entry(effect=Effect.DENY, arguments=TEST), "", ""),
        (entry(RuleKind.DENY_LIST, arguments=TEST), "", ""),
        (entry(RuleKind.ALLOW_LIST, arguments=TEST), "giving", "giving"),
        (entry(arguments=TEST), "itself", "itself"),
        (entry(windows=ALWAYS), "open", "itself"),
        (entry(windows=NEVER), "open", ""),
        (entry(effect=Effect.DENY, windows=ALWAYS), "open", "itself"),
        (entry(effect=Effect.DENY, windows=NOWHERE), "open", "itself"),
        (entry(windows=NOWHERE), "open", ""),
        (entry(RuleKind.ALLOW_LIST, windows=NOWHERE), "open", "open"),
        (entry(RuleKind.ALLOW_LIST, windows=ALWAYS), "open", "itself"),
        (entry(RuleKind.DENY_LIST, networks=frozenset({"::/0"})), "open", ""),
    ],
)
def test_a_rule_comes_to_something_without_conditions(
    one: Entry, at_once: str, in_place: str
) -> None:
    for circumstances, expected in ((None, at_once), (NOW, in_place)):
        fixed, left_open = settled([one], circumstances)
        wanted = {"itself": [one], "open": [one.barring], "giving": [one.giving], "": []}[expected]
        assert fixed == wanted
        assert left_open == ([one.opening] if expected == "open" else [])


def test_places_and_times_are_looked_at_once_each() -> None:
    entries = [entry(windows=ALWAYS), entry(RuleKind.DENY_LIST, windows=ALWAYS), entry(),
               entry(windows=NEVER), entry(RuleKind.RATE_LIMIT, windows=NOWHERE)]  # fmt: skip
    assert len(places_of(entries)) == 2
    assert not is_open(entries)
    assert is_open([entry(RuleKind.REGO)])
