"""Leave given by a person to use what needs more than a rule: its scope, and where it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bascule.gateway.principal import Principal
from bascule.gateway.tool import Tool


class ScopeKind(StrEnum):
    """How much a grant covers."""

    TOOL = "tool"
    BUNDLE = "bundle"
    CALL = "call"
    """One tool, with exactly the arguments whose digest is in the grant."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a grant is for. `name` is that of a tool or bundle; `digest` only for one call."""

    kind: ScopeKind
    name: str
    digest: str = ""

    @property
    def text(self) -> str:
        """As in the key of the state store, and in records: `tool:refund`, `call:refund:9f..`."""
        return ":".join(part for part in (self.kind, self.name, self.digest) if part)


@dataclass(frozen=True, slots=True)
class Grant:
    """A live grant. Times are in seconds since the epoch; `reference` is what approved it."""

    id: str
    scope: Scope
    granted_at: float
    expires_at: float
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Elevation:
    """What came of asking whether a call is covered.

    Without a `grant` the caller is sent to `url`, where a person can ask for one.
    """

    grant: Grant | None
    url: str = ""


class Elevations(Protocol):
    """Who may do more than the rules let them, for now. Asked on the call path: no database."""

    async def check(
        self,
        principal: Principal,
        tool: Tool,
        arguments: Mapping[str, object],
        *,
        continues: str,
    ) -> Elevation:
        """Whether the call is covered by a live grant; a grant for one call is used up by it.

        `continues`: the state by which the call goes on with one that was covered (it answers an
        upstream's question), so that its grant is not used a second time; "" for a call of its own.
        With one state a call for which there was one grant goes on once.

        Raises:
            GatewayError: it cannot be found out; refuse the call.
        """
        ...
