"""How an MCP server stands: what a running gateway knows of it without asking, or after asking."""

from dataclasses import dataclass
from typing import Protocol

from bascule.protocol.versions import Era


@dataclass(frozen=True, slots=True)
class Standing:
    """`reached` is None where the server was not asked yet. `reason` is for who operates it.

    Of a server that is not reached any more, `era` and `tools` are the last known.
    """

    reached: bool | None = None
    era: Era | None = None
    tools: int | None = None
    reason: str = ""


class Standings(Protocol):
    """Knows the servers of every tenant."""

    def known(self, tenant: str, name: str) -> Standing:
        """How the server stands; nobody is asked."""
        ...

    async def ask(self, tenant: str, name: str) -> Standing:
        """How it stands after it was asked, within the time its record grants; never fails."""
        ...
