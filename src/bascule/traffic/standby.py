"""What becomes of the tools of an upstream that is down, where they are not simply called."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol

from bascule.gateway.call import Call, Endpoint
from bascule.gateway.decision import Circumstances
from bascule.gateway.errors import ErrorCode
from bascule.gateway.principal import Principal
from bascule.gateway.stage import FailureMode
from bascule.gateway.tool import Tool
from bascule.gateway.verdict import PASS, Refuse, Verdict

IsDown = Callable[[str, str], bool]
"""Whether the upstream of that name is known to be down, of a tenant."""


class WhenDown(StrEnum):
    """`serve` calls it all the same, `refuse` says at once that it is down, `hide` also unlists."""

    SERVE = "serve"
    REFUSE = "refuse"
    HIDE = "hide"


class Visibility(Protocol):
    """Which tools a caller sees."""

    async def visible(
        self, principal: Principal, endpoint: Endpoint, circumstances: Circumstances
    ) -> Sequence[Tool]:
        """The tools in listing order."""
        ...


class RefuseDown:
    """The stage that refuses calls of tools whose upstream is down."""

    name = "standby"
    on_failure = FailureMode.OPEN

    def __init__(self, is_down: IsDown) -> None:
        self._is_down = is_down

    async def inbound(self, call: Call) -> Verdict:
        """Refuse at once, rather than after a wait."""
        tool, principal = call.tool, call.principal
        if tool is None or principal is None:
            return PASS
        upstream = tool.source.upstream
        if not self._is_down(principal.tenant, upstream):
            return PASS
        return Refuse(
            ErrorCode.UPSTREAM_UNREACHABLE,
            public="The service behind this tool is down. Nothing was sent to it; try again later.",
            private=f"upstream {upstream} is down by its health checks",
            details={"health": "down"},
        )


class WithoutDown:
    """What a caller sees, less the tools whose upstream is down."""

    def __init__(self, visibility: Visibility, is_down: IsDown) -> None:
        self._visibility = visibility
        self._is_down = is_down

    async def visible(
        self, principal: Principal, endpoint: Endpoint, circumstances: Circumstances
    ) -> Sequence[Tool]:
        """The tools in listing order."""
        tools = await self._visibility.visible(principal, endpoint, circumstances)
        names = {tool.source.upstream for tool in tools}
        down = {name for name in names if self._is_down(principal.tenant, name)}
        return [tool for tool in tools if tool.source.upstream not in down] if down else tools
