"""Tools that are held back because a server changed what it says of them."""

import time
from collections.abc import Iterable
from typing import Final

from bascule.gateway.call import Call, EndpointKind
from bascule.gateway.decision import Question
from bascule.gateway.errors import ErrorCode
from bascule.gateway.principal import Principal
from bascule.gateway.rule import Action
from bascule.gateway.tool import McpSource, Tool
from bascule.gateway.verdict import Refuse
from bascule.policy.access import Access
from bascule.policy.deciding import circumstances_of

_DECISION_SECONDS: Final = 10.0


async def refuse_quarantined(call: Call, principal: Principal, access: Access) -> Refuse | None:
    """A refusal that says so, where the called tool is held back and its caller would see it."""
    view = call.snapshot.tenant(principal.tenant)
    if not view.quarantined:
        return None
    tool = view.quarantined.get(call.tool_name)
    if call.endpoint.kind is not EndpointKind.ALL:
        tool = _at(call.endpoint.name, call.tool_name, view.quarantined.values())
    if tool is None:
        return None
    question = Question(principal, tool, Action.DISCOVER, circumstances_of(call))
    if not (await access.decide_use(question, deadline=_until(call))).allowed:
        return None
    return Refuse(
        ErrorCode.TOOL_DISABLED,
        public=f"{tool.name} is held back: its server defines it otherwise than was approved. "
        "An administrator has to look at the change and approve it.",
        private=f"{tool.name} of {tool.source.upstream} waits for approval",
    )


def _until(call: Call) -> float:
    return call.deadline or time.monotonic() + _DECISION_SECONDS


def _at(server: str, name: str, tools: Iterable[Tool]) -> Tool | None:
    """The tool that `server` calls `name`, or that is shown under it, at its own endpoint."""
    for tool in tools:
        source = tool.source
        if (
            source.upstream == server
            and isinstance(source, McpSource)
            and name
            in (
                source.name,
                tool.name,
            )
        ):
            return tool
    return None
