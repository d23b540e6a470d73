"""Rules for lists: without conditions, as they are at a place and time, or whatever these are."""

from collections.abc import Iterable
from typing import Final

from bascule.gateway.decision import Circumstances
from bascule.gateway.rule import Action, Effect, Rule, RuleKind
from bascule.policy.conditions import When
from bascule.policy.entries import Entry

_OPEN: Final = Entry(Rule("open", Effect.DENY, frozenset()))
_WITHOUT_EFFECT: Final = frozenset({RuleKind.DENY_LIST, RuleKind.ALLOW_LIST})


def places_of(entries: Iterable[Entry]) -> list[When]:
    """The different conditions of place and time, as far as lists depend on them."""
    found = (one.placed for one in entries if one.rule.kind is not RuleKind.RATE_LIMIT)
    return list({id(one): one for one in found if one is not None}.values())


def is_open(entries: Iterable[Entry]) -> bool:
    """Whether lists depend on more than the kind of caller, place and time: on Rego."""
    return any(one.rule.kind is RuleKind.REGO for one in entries)


def settled(
    entries: Iterable[Entry], circumstances: Circumstances | None
) -> tuple[list[Entry], list[Entry]]:
    """The rules without conditions that show the same tools, and what stays open.

    What is open is denied by the first ones, and is all that the second ones select. Without
    `circumstances` everything is open that depends on them.
    """
    fixed: list[Entry] = []
    left_open: list[Entry] = []
    for entry in entries:
        one = _plainly(entry, circumstances)
        if one is _OPEN:
            left_open.append(entry.opening)
            fixed.append(entry.barring)
        elif one is not None:
            fixed.append(one)
    return fixed, left_open


def _plainly(entry: Entry, circumstances: Circumstances | None) -> Entry | None:
    """`entry` itself, what it comes to, `_OPEN`, or nothing."""
    rule, placed = entry.rule, entry.placed
    if rule.kind is RuleKind.REGO:
        return _OPEN
    # Nobody is elevated to see something.
    elevates = rule.effect is Effect.ELEVATE and rule.kind not in _WITHOUT_EFFECT
    if elevates or rule.kind is RuleKind.RATE_LIMIT or (rule.arguments and entry.is_denial):
        return None
    meant = entry.giving if rule.arguments and entry.is_list else entry
    if placed is None:
        return meant
    return _OPEN if circumstances is None else _placed(meant, placed, circumstances)


def _placed(meant: Entry, placed: When, circumstances: Circumstances) -> Entry | None:
    """What is left of it there and then."""
    opens = placed.opens(Action.DISCOVER, circumstances)
    closes = placed.closes(Action.DISCOVER, circumstances)
    if meant.is_list and opens is not closes:
        return _OPEN
    holds = closes if meant.is_denial else opens
    return meant if holds else None
