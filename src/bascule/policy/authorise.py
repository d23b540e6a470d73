"""The stage that lets a call pass to what its caller may use, and hides everything else."""

from collections.abc import Mapping, Sequence
from typing import Final

from bascule.gateway.call import Call, Endpoint, EndpointKind, Method
from bascule.gateway.errors import ErrorCode
from bascule.gateway.inventory import Listed, Target
from bascule.gateway.likeness import closest
from bascule.gateway.locating import Locator, Nowhere
from bascule.gateway.principal import Principal
from bascule.gateway.rule import Action
from bascule.gateway.stage import FailureMode
from bascule.gateway.tasks import NO_SUCH_TASK
from bascule.gateway.tool import Tool
from bascule.gateway.verdict import PASS, Refuse, Verdict
from bascule.gateway.versions import choose
from bascule.policy.access import Access, Reach
from bascule.policy.pinning import header_pin, refuse_pins, refuse_release, split_pin
from bascule.policy.quarantine import refuse_quarantined

OWN_RULE: Final = "builtin:own-tools"
_LONGEST_COMPARED: Final = 128
_TASKS: Final = frozenset({Method.TASKS_GET, Method.TASKS_UPDATE, Method.TASKS_CANCEL})
# Looked up once: an enumeration's own members take a while to find.
_ALL: Final = EndpointKind.ALL
_BUNDLE: Final = EndpointKind.BUNDLE
_SERVER: Final = EndpointKind.SERVER
_TOOLS_CALL: Final = Method.TOOLS_CALL
_ABOUT_TOOLS: Final = frozenset({Method.TOOLS_LIST, Method.TOOLS_CALL})
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

    def __init__(
        self,
        access: Access,
        locator: Locator | None = None,
        own: Mapping[str, Tool] | None = None,
    ) -> None:
        """`own` are tools of the gateway itself, by name, for whoever may list tools."""
        self._access = access
        self._own = own or {}
        self._locator = locator or Nowhere()

    async def inbound(self, call: Call) -> Verdict:
        """Set `call.tool` or `call.target`, and `call.rule`; a list is narrowed by `visible`."""
        if call.principal is None:
            return Refuse(ErrorCode.INTERNAL, "The caller is unknown.", "no principal was set")
        kind = call.endpoint.kind
        if kind is _BUNDLE and call.method in _ABOUT_TOOLS:
            refusal = self._missing_release(call, call.principal)
            if refusal is not None:
                return refusal
        if call.method is not _TOOLS_CALL:
            return await self._aim(call, call.principal) if call.method in _ABOUT_TARGETS else PASS
        pinned = "" if call.headers is None else header_pin(call)
        if kind is _ALL and not pinned:  # as most calls are: in as few steps as there can be
            reach = self._access.reach(call.principal)
            tool = reach.visible.get(call.tool_name)
            rule = reach.invocable.get(call.tool_name)
            if tool is not None and rule is not None:
                call.tool, call.rule = tool, rule
                return PASS
        return self._admit_any(call, call.principal, pinned)

    def _admit_any(self, call: Call, principal: Principal, pinned: str) -> Verdict:
        reach, is_whole = self._reach(principal, call.endpoint)
        tool = _served(reach, call.endpoint, call.tool_name, is_whole=is_whole)
        if tool is None or pinned:
            return self._admit_version(call, principal, pinned, is_known=tool is not None)
        return _admit(call, principal, tool, reach.invocable.get(tool.name))

    def _missing_release(self, call: Call, principal: Principal) -> Refuse | None:
        """A refusal where a release is pinned that there is not, of a bundle the caller sees."""
        name, pin = split_pin(call.endpoint.name)
        view = call.snapshot.tenant(principal.tenant)
        bundle = view.bundles.get(name) if pin else None
        if bundle is None or call.endpoint.name in view.bundle_tools:
            return None
        seen = self.visible(principal, Endpoint(EndpointKind.BUNDLE, name))
        return refuse_release(call, name, bundle.releases) if seen else None

    def _reach(self, principal: Principal, endpoint: Endpoint) -> tuple[Reach, bool]:
        """What the caller reaches there; True where that is all that the endpoint serves."""
        if endpoint.kind is EndpointKind.BUNDLE:
            served = self._access.served(principal, endpoint.name)
            if served is not None:
                return served, True
        return self._access.reach(principal), endpoint.kind is EndpointKind.ALL

    def _admit_version(
        self, call: Call, principal: Principal, pinned: str, *, is_known: bool
    ) -> Verdict:
        """Take the version that the caller pins, by a header or behind the tool's name."""
        name, own_pin = (call.tool_name, "") if is_known else split_pin(call.tool_name)
        pins = [one for one in (own_pin, pinned) if one]
        seen = self._versions(principal, call.endpoint, name) if pins else ()
        if not seen:
            own = self._own.get(call.tool_name)
            if (
                own is not None
                and principal.may("tools:list")
                and call.endpoint.kind is not _SERVER
            ):
                return _admit(call, principal, own, OWN_RULE)
            return self._unknown(call, principal)
        tool = choose(seen, *pins)
        if tool is None:
            return refuse_pins(seen, pins)
        decision = self._access.decide(principal, tool, Action.INVOKE)
        return _admit(call, principal, tool, decision.rule if decision.allowed else None)

    def _versions(self, principal: Principal, endpoint: Endpoint, name: str) -> Sequence[Tool]:
        """The versions of a tool that the caller sees there, newest first."""
        reach, is_whole = self._reach(principal, endpoint)
        tool = _served(reach, endpoint, name, is_whole=is_whole)
        if tool is not None and (tool.home is not None or tool.name != name):
            return (tool,)  # a bundle chose it, or a server: there is no other
        every = self._access.versions(principal.tenant, name)
        if not every or (is_whole and endpoint.kind is EndpointKind.BUNDLE and tool is None):
            return () if tool is None else (tool,)
        return [
            one
            for one in every
            if within(one, endpoint)
            and self._access.decide(principal, one, Action.DISCOVER).allowed
        ]

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
        reach, is_whole = self._reach(principal, endpoint)
        tools = reach.visible.values()
        return list(tools) if is_whole else [tool for tool in tools if within(tool, endpoint)]

    def _unknown(self, call: Call, principal: Principal) -> Refuse:
        held = refuse_quarantined(call, principal)
        if held is not None:
            return held
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


def _admit(call: Call, principal: Principal, tool: Tool, rule: str | None) -> Verdict:
    if rule is None:
        return _forbidden(principal, tool.name)
    call.tool, call.rule = tool, rule
    # Records, metrics and tasks know a tool by its own name, whatever a bundle calls it.
    call.tool_name = tool.name if tool.home is None else tool.home.name
    return PASS


def _served(reach: Reach, endpoint: Endpoint, name: str, *, is_whole: bool) -> Tool | None:
    """The tool that `endpoint` serves as `name`; a server's own endpoint has its own names.

    `is_whole`: the endpoint serves all that is in `reach`.
    """
    tool = reach.visible.get(name)
    if tool is not None and (is_whole or within(tool, endpoint)):
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
        return Refuse(ErrorCode.STALE_HANDLE, NO_SUCH_TASK, private, {"field": "taskId"})
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
