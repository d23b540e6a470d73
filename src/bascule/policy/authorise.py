"""The stage that lets a call pass to a tool its caller may use, and hides every other tool."""

from collections.abc import Iterable
from typing import Final

from rapidfuzz import fuzz, process

from bascule.gateway.call import Call, Endpoint, EndpointKind, Method
from bascule.gateway.errors import ErrorCode
from bascule.gateway.principal import Principal
from bascule.gateway.stage import FailureMode
from bascule.gateway.tool import Tool
from bascule.gateway.verdict import PASS, Refuse, Verdict
from bascule.policy.access import Access

_CLOSE_ENOUGH: Final = 60.0
_LONGEST_COMPARED: Final = 128


class Authorise:
    """Finds the tool among those the caller reaches; what it may not call, it does not see."""

    name = "authorise"
    on_failure = FailureMode.CLOSED

    def __init__(self, access: Access) -> None:
        self._access = access

    async def inbound(self, call: Call) -> Verdict:
        """Set `call.tool` and `call.rule` for a call; a list is narrowed by `visible`."""
        if call.principal is None:
            return Refuse(ErrorCode.INTERNAL, "The caller is unknown.", "no principal was set")
        if call.method is not Method.TOOLS_CALL:
            return PASS
        reach = self._access.reach(call.principal)
        tool = reach.visible.get(call.tool_name)
        if tool is None or not within(tool, call.endpoint):
            return self._unknown(call, call.principal)
        rule = reach.invocable.get(tool.name)
        if rule is None:
            return Refuse(
                ErrorCode.FORBIDDEN,
                public=f"You may see {tool.name} but not call it. Ask an administrator for access.",
                private=f"{call.principal.subject} may discover but not invoke {tool.name}",
            )
        call.tool = tool
        call.rule = rule
        return PASS

    def visible(self, principal: Principal, endpoint: Endpoint) -> list[Tool]:
        """The tools `principal` sees at `endpoint`, in listing order: the same rules as calls."""
        tools = self._access.reach(principal).visible.values()
        return [tool for tool in tools if within(tool, endpoint)]

    def _unknown(self, call: Call, principal: Principal) -> Refuse:
        view = call.snapshot.tenant(principal.tenant)
        names = [tool.name for tool in self.visible(principal, call.endpoint)]
        guess = closest(call.tool_name, names)
        hint = f" Did you mean {guess}?" if guess else " tools/list names the tools you may use."
        exists = call.tool_name in view.tools or call.tool_name in view.disabled
        return Refuse(
            ErrorCode.TOOL_NOT_FOUND,
            public=f"Unknown tool: {call.tool_name[:_LONGEST_COMPARED]}.{hint}",
            private=f"{principal.subject}: tool is {'out of reach' if exists else 'unknown'}",
            details={"did_you_mean": guess} if guess else None,
        )


def within(tool: Tool, endpoint: Endpoint) -> bool:
    """Whether `endpoint` serves `tool`."""
    if endpoint.kind is EndpointKind.ALL:
        return True
    if endpoint.kind is EndpointKind.BUNDLE:
        return tool.bundle == endpoint.name
    return tool.source.upstream == endpoint.name


def closest(name: str, names: Iterable[str]) -> str | None:
    """The name most like `name`, if any is alike enough to be worth suggesting."""
    found = process.extractOne(
        name[:_LONGEST_COMPARED].lower(),
        list(names),
        scorer=fuzz.ratio,
        processor=str.lower,
        score_cutoff=_CLOSE_ENOUGH,
    )
    return found[0] if found else None
