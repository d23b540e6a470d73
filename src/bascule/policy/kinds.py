"""Kinds of callers: all who are the same to the rules of their tenant."""

from collections.abc import Iterable
from typing import Final

from bascule.gateway.principal import Principal
from bascule.gateway.rule import Rule

Named = tuple[str, frozenset[str], str | None]
"""What rules that name callers can tell of one: user, groups, agent, as far as they are named."""
Kind = tuple[str, frozenset[str], frozenset[str], Named]

NOBODY_NAMED: Final[Named] = ("", frozenset(), None)


class Names:
    """The users, groups and agents that the rules of a tenant name."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        users: set[str] = set()
        groups: set[str] = set()
        agents: set[str] = set()
        for rule in rules:
            if rule.users or rule.groups or rule.agents:
                users |= rule.users
                groups |= rule.groups
                agents |= rule.agents
        self._users, self._groups, self._agents = users, groups, agents

    def __bool__(self) -> bool:
        return bool(self._users or self._groups or self._agents)

    def of(self, principal: Principal) -> Named:
        """What tells `principal` from other callers with its roles."""
        return (
            principal.subject if principal.subject in self._users else "",
            principal.groups.intersection(self._groups),
            principal.agent if principal.agent in self._agents else None,
        )
