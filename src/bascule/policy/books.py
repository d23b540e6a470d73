"""The rules of a tenant as they are for one kind of caller and one action."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final

from bascule.gateway.principal import Principal
from bascule.gateway.rule import Action, Rule
from bascule.gateway.tool import RiskLevel
from bascule.gateway.whom import concerns
from bascule.policy.entries import Entry, inputs_of_what, inputs_of_when, inputs_of_whom
from bascule.policy.subjects import Face
from bascule.policy.weighing import Matter

PERMISSIONS: Final = {Action.DISCOVER: "tools:list", Action.INVOKE: "tools:execute"}
_ADMINISTRATORS: Final = frozenset({"admin", "system_admin"})


def administers(principal: Principal) -> bool:
    """Whether everything that no rule denies is allowed."""
    return not principal.roles.isdisjoint(_ADMINISTRATORS)


def lacks(principal: Principal, action: Action) -> str:
    """What is named as the reason where the permission for `action` is missing, else ""."""
    needed = PERMISSIONS[action]
    return "" if principal.may(needed) else f"builtin:needs {needed}"


class Index:
    """All rules of a tenant about one action, so that those about a tool are found at once."""

    def __init__(self, entries: Sequence[Entry], action: Action) -> None:
        """`entries` are a tenant's, in order."""
        self.action = action
        self.entries = [one for one in entries if action in one.rule.actions]
        # By number, as they are kept in order.
        self._named: defaultdict[str, list[int]] = defaultdict(list)
        self._others: list[int] = []
        self._looking: defaultdict[tuple[str, ...], list[Rule]] = defaultdict(list)
        self.inputs: set[str] = {"roles"}
        for number, entry in enumerate(self.entries):
            exact = entry.exact
            if exact is None:
                self._others.append(number)
            for name in exact or ():
                self._named[name].append(number)
            self._looking[inputs_of_what(entry.rule)].append(entry.rule)
            self.inputs.update(inputs_of_whom(entry.rule))

    def near(self, faces: Sequence[Face]) -> Iterable[Entry]:
        """Those that can be about a subject, in order."""
        if faces[0].kind is not None:
            return self.entries
        names = {name for face in faces for name in face.names}
        exact = [number for name in names for number in self._named.get(name, ())]
        numbers = sorted({*exact, *self._others}) if exact else self._others
        return map(self.entries.__getitem__, numbers)

    def inputs_for(self, principal: Principal) -> set[str]:
        """What is looked at to find the rules about a subject."""
        found = set(self.inputs)
        for inputs, rules in self._looking.items():
            if any(concerns(rule, principal) for rule in rules):
                found.update(inputs)
        return found


class Book:
    """All rules about a kind of caller and an action; finds those that are about a subject."""

    def __init__(
        self, index: Index, principal: Principal, *, version: int = 0, elevates: bool = False
    ) -> None:
        """`elevates`: privileged tools need a grant."""
        self.action = index.action
        self.administers = administers(principal)
        self.lacks = lacks(principal, index.action)
        self.elevates = elevates and index.action is Action.INVOKE
        self._index = index
        self._principal = principal
        self._version = version

    @cached_property
    def entries(self) -> list[Entry]:
        """All of them, in order."""
        return [one for one in self._index.entries if concerns(one.rule, self._principal)]

    def matter(self, faces: Sequence[Face]) -> Matter:
        """Everything that counts for the subject."""
        is_tool = faces[0].kind is None
        bearings = [
            bearing
            for entry in self._index.near(faces)
            if concerns(entry.rule, self._principal)
            and (bearing := entry.bearing(faces, self.action)) is not None
        ]
        holds_back = self.elevates and is_tool and faces[0].risk is RiskLevel.PRIVILEGED
        inputs = self._inputs.union(
            *(inputs_of_when(one.rule, self.action) for one in bearings),
            ["tool.risk"] if self.elevates and is_tool else [],
        )
        return Matter(
            self.action,
            tuple(bearings),
            self.administers,
            self.lacks,
            holds_back,
            self._version,
            tuple(sorted(inputs)),
        )

    @cached_property
    def _inputs(self) -> set[str]:
        return self._index.inputs_for(self._principal)
