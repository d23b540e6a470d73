"""The stage that lets a call pass to what its caller may use, and hides everything else."""

from collections.abc import Iterable
from typing import Final

from rapidfuzz import fuzz, process

from bascule.gateway.call import Call, Endpoint, EndpointKind, Method
from bascule.gateway.errors import ErrorCode
from bascule.gateway.inventory import Listed, Target
from bascule.gateway.locating import Locator, Nowhere
from bascule.gateway.principal import Principal
from bascule.gateway.rule import Action
from bascule.gateway.stage import FailureMode
from bascule.gateway.tool import Tool
from bascule.gateway.verdict import PASS, Refuse, Verdict
from bascule.policy.access import Access, Reach
from bascule.policy.pinning import header_pin, refuse_pin, split_pin

_CLOSE_ENOUGH: Final = 60.0
_LONGEST_COMPARED: Final = 128
_TASKS: Final = frozenset({Method.TASKS_GET, Method.TASKS_UPDATE, Method.TASKS_CANCEL})
_ABOUT_TARGETS: Final = _TASKS | {
    Method.RESOURCES_READ,
    Method.SUBSCRIBE,
    Method.UNSUBSCRIBE,
    Method.PROMPTS_GET,
    Method.COMPLETE,
}


class Authorise:
    """Finds what is called among what the caller reaches; what it may not use, it does not see."""

    name = "authorise"
    on_failure = FailureMode.CLOSED

    def __init__(self, access: Access, locator: Locator | None = None) -> None:
        self._access = access
        self._locator = locator or Nowhere()

    async def inbound(self, call: Call) -> Verdict:
        """Set `call.tool` or `call.target`, and `call.rule`; a list is narrowed by `visible`."""
        if call.principal is None:
            return Refuse(ErrorCode.INTERNAL, "The caller is unknown.", "no principal was set")
        if call.method is not Method.TOOLS_CALL:
            return await self._aim(call, call.principal) if call.method in _ABOUT_TARGETS else PASS
        reach = self._access.reach(call.principal)
        pinned = "" if call.headers is None else header_pin(call)
        tool = reach.visible.get(call.tool_name)
        if tool is None or not within(tool, call.endpoint):
            tool = _served(reach, call.endpoint, call.tool_name)
            if tool is None:
                name, pinned = split_pin(call.tool_name)
                tool = _served(reach, call.endpoint, name) if pinned else None
            if tool is None:
                return self._unknown(call, call.principal)
            call.tool_name = tool.name
        refusal = refuse_pin(tool, pinned) if pinned else None
        if refusal is not None:
            return refusal
        rule = reach.invocable.get(tool.name)
        if rule is None:
            return _forbidden(call.principal, tool.name)
        call.tool = tool
        call.rule = rule
        return PASS

    async def _aim(self, call: Call, principal: Principal) -> Verdict:
        """Set `call.target` to the first its caller may use, of all that the call may be about."""
        found = await self._locator.locate(call, principal)
        if isinstance(found, Refuse):
            return found
        for target in found:
            decision = self._access.may(principal, target, Action.INVOKE)
            if decision.allowed:
                call.target, call.rule = target, decision.rule
                return PASS
        if any(self.sees(principal, target) for target in found):
            return _forbidden(principal, found[0].name[:_LONGEST_COMPARED])
        return _absent(call, f"{principal.subject}: {'out of reach' if found else 'unknown'}")

    def sees(self, principal: Principal, target: Target) -> bool:
        """Whether `principal` may know of `target`."""
        return self._access.may(principal, target, Action.DISCOVER).allowed

    def prompts(self, principal: Principal, endpoint: Endpoint) -> list[Listed]:
        """The prompts `principal` sees at `endpoint`, in listing order."""
        prompts = self._access.offers(principal).prompts
        return [one for one in prompts if offered(one, endpoint)]

    def templates(self, principal: Principal, endpoint: Endpoint) -> list[Listed]:
        """The resource templates `principal` sees at `endpoint`; of equal ones only the first."""
        templates = self._access.offers(principal).templates
        served: dict[str, Listed] = {}
        for one in templates:
            if offered(one, endpoint):
                served.setdefault(one.name, one)
        return list(served.values())

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


def _served(reach: Reach, endpoint: Endpoint, name: str) -> Tool | None:
    """The tool that `endpoint` serves as `name`; a server's own endpoint has its own names."""
    tool = reach.visible.get(name)
    if tool is not None and within(tool, endpoint):
        return tool
    return None if endpoint.kind is EndpointKind.ALL else reach.renamed.get((endpoint.name, name))


def _forbidden(principal: Principal, name: str) -> Refuse:
    return Refuse(
        ErrorCode.FORBIDDEN,
        public=f"You may see {name} but not call it. Ask an administrator for access.",
        private=f"{principal.subject} may discover but not invoke {name}",
    )


def _absent(call: Call, private: str) -> Refuse:
    """The same words for what does not exist and for what is hidden."""
    if call.method in _TASKS:
        return Refuse(ErrorCode.STALE_HANDLE, "There is no such task; start again.", private)
    if call.method is Method.PROMPTS_GET:
        public = f"Unknown prompt: {call.tool_name[:_LONGEST_COMPARED]}."
        return Refuse(
            ErrorCode.PROMPT_NOT_FOUND, f"{public} prompts/list names those you may use.", private
        )
    if call.method is Method.COMPLETE:
        public = "params.ref: there is no such prompt or resource template for you."
        return Refuse(ErrorCode.INVALID_VALUE, public, private, {"field": "ref"})
    return Refuse(
        ErrorCode.RESOURCE_NOT_FOUND, "Resource not found", private, {"uri": call.more.uri}
    )


def offered(item: Listed, endpoint: Endpoint) -> bool:
    """Whether `endpoint` serves the prompt or resource template."""
    if endpoint.kind is EndpointKind.ALL:
        return True
    return endpoint.name == (item.bundle if endpoint.kind is EndpointKind.BUNDLE else item.upstream)


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
