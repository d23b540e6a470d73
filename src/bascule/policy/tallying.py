"""What a replay counts: bounded, however many calls there were."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from bascule.gateway.rule import Effect

MOST_NAMES: Final = 10_000
"""Tools, and users, that are counted by name; calls of all others together."""
OTHERS: Final = "(all others)"
_MOST_OF_A_KIND: Final = 3
"""Examples of one change of one tool: ten of the same say no more."""


class Doubt(StrEnum):
    """Why it cannot be said what a recorded call comes to."""

    ARGUMENTS = "arguments"
    """They are masked in the record, and a policy looks at them."""
    ROLES = "roles"
    """The record is of before roles were kept."""
    OUTCOME = "outcome"
    """The call was over before any policy was asked."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was, or would be, decided. `rule` is the policy, "" where it is not recorded."""

    effect: Effect
    rule: str = ""

    @property
    def word(self) -> str:
        """As in the name of a change."""
        return _WORDS[self.effect]


_WORDS: Final = {Effect.ALLOW: "allowed", Effect.DENY: "denied", Effect.ELEVATE: "elevation"}


def change_of(before: Verdict, after: Verdict) -> str:
    """What a change is called: `allowed_to_denied`."""
    return f"{before.word}_to_{after.word}"


@dataclass(frozen=True, slots=True)
class Example:
    """One call that would be decided otherwise. `time` is in seconds since the epoch."""

    correlation_id: str
    time: float
    tool: str
    user: str
    before: Verdict
    after: Verdict

    @property
    def change(self) -> str:
        """What the change is called."""
        return change_of(self.before, self.after)


@dataclass(slots=True)
class Tally:
    """Counts of calls by what a comparison of two decisions says of them."""

    most_examples: int = 20
    compared: int = 0
    changed: Counter[str] = field(default_factory=Counter[str])
    doubts: Counter[Doubt] = field(default_factory=Counter[Doubt])
    tools: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    users: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    examples: list[Example] = field(default_factory=list[Example])
    _shown: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])

    @property
    def unchanged(self) -> int:
        """Calls that are decided alike for certain."""
        return self.compared - self.changed.total()

    def doubt(self, why: Doubt) -> None:
        """Count a call of which it cannot be said."""
        self.doubts[why] += 1

    def same(self) -> None:
        """Count a call that is decided alike."""
        self.compared += 1

    def change(self, example: Example) -> None:
        """Count a call that is decided otherwise, and keep it where there are few like it."""
        name = example.change
        self.compared += 1
        self.changed[name] += 1
        _count(self.tools, example.tool, name)
        _count(self.users, example.user, name)
        kind = (name, example.tool)
        if len(self.examples) < self.most_examples and self._shown[kind] < _MOST_OF_A_KIND:
            self._shown[kind] += 1
            self.examples.append(example)


def _count(by_name: dict[str, Counter[str]], name: str, change: str) -> None:
    if name not in by_name and len(by_name) >= MOST_NAMES:
        name = OTHERS
    by_name.setdefault(name, Counter[str]())[change] += 1


def largest(by_name: dict[str, Counter[str]], most: int) -> Iterable[tuple[str, Counter[str]]]:
    """The `most` names with the most changes, the largest first."""
    return sorted(by_name.items(), key=lambda one: (-one[1].total(), one[0]))[:most]
