"""The stage that lets a call pass to what its caller may use, and hides everything else.

Where a person has to agree besides, the call passes marked as one that lacks a grant; the stage
`elevate`, further on, stops it. Whoever has this stage has that one.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import compress
from typing import Final, TypeVar

from bascule.gateway.call import Call, Endpoint, EndpointKind, Method
from bascule.gateway.decision import Circumstances, Decision, Question
from bascule.gateway.errors import ErrorCode
from bascule.gateway.inventory import ItemKind, Listed, Target
from bascule.gateway.likeness import closest
from bascule.gateway.locating import Locator, Nowhere
from bascule.gateway.principal import Principal
from bascule.gateway.rule import Action, Effect
from bascule.gateway.stage import FailureMode
from bascule.gateway.tasks import NO_SUCH_TASK
from bascule.gateway.tool import Tool
from bascule.gateway.verdict import PASS, Refuse, Verdict
from bascule.gateway.versions import choose
from bascule.policy.access import Access
from bascule.policy.deciding import circumstances_of
from bascule.policy.pinning import header_pin, refuse_pins, refuse_release, split_pin
from bascule.policy.quarantine import refuse_quarantined
from bascule.policy.reaching import Groups
from bascule.policy.standpoint import Offers, Reach

_Subject = TypeVar("_Subject", Tool, Target)

OWN_RULE: Final = "builtin:own-tools"
_LONGEST_COMPARED: Final = 128
_LIST_SECONDS: Final = 10.0
"""How long Rego may take for a list; its engines have shorter bounds of their own."""
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
_REQUIRED: Final = {"requires_elevation": True}
"""What programs read of a call that needs leave, where no address can be given."""


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
            refusal = await self._missing_release(call, call.principal)
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
        return await self._admit_any(call, call.principal, pinned)

    async def _admit_any(self, call: Call, principal: Principal, pinned: str) -> Verdict:
        if not pinned:
            reach, is_whole = self._reach(principal, call.endpoint)
            found = _served(reach.catalogue, call.endpoint, call.tool_name, is_whole=is_whole)
            tool = next(found, None)
            if tool is not None:
                rule = reach.invocable.get(tool.name)
                if rule is not None:
                    return _pass(call, tool, rule)
                lasting = self._access.lasting(principal, tool)
                if lasting is not None:
                    return _conclude(call, principal, tool, lasting)
                seen, used = self._access.at_once(principal, tool, circumstances_of(call))
                if seen is not None and seen.allowed and used is not None:
                    return self._conclude(call, principal, tool, used)
        seen = await self._seen(call, principal, call.tool_name)
        if seen is None or pinned:
            return await self._admit_version(call, principal, pinned, is_known=seen is not None)
        return await self._admit(call, principal, seen)

    async def _missing_release(self, call: Call, principal: Principal) -> Refuse | None:
        """A refusal where a release is pinned that there is not, of a bundle the caller sees."""
        name, pin = split_pin(call.endpoint.name)
        view = call.snapshot.tenant(principal.tenant)
        bundle = view.bundles.get(name) if pin else None
        if bundle is None or call.endpoint.name in view.bundle_tools:
            return None
        seen = await self.visible(
            principal, Endpoint(EndpointKind.BUNDLE, name), circumstances_of(call)
        )
        return refuse_release(call, name, bundle.releases) if seen else None

    async def _seen(self, call: Call, principal: Principal, name: str) -> Tool | None:
        """The tool that the endpoint serves as `name`, if the caller sees it."""
        reach, is_whole = self._reach(principal, call.endpoint)
        hidden = ""
        for tool in _served(reach.catalogue, call.endpoint, name, is_whole=is_whole):
            decision = self._access.settled(principal, tool, Action.DISCOVER)
            if decision is None:
                question = Question(principal, tool, Action.DISCOVER, circumstances_of(call))
                decision = await self._access.quickly(question, deadline=_until(call))
                hidden = hidden or _reason(decision)
            if decision.allowed:
                return tool
        if hidden:
            _note(call, hidden_by=hidden)
        return None

    def _reach(self, principal: Principal, endpoint: Endpoint) -> tuple[Reach, bool]:
        """What the caller reaches there; True where that is all that the endpoint serves."""
        if endpoint.kind is EndpointKind.BUNDLE:
            served = self._access.served(principal, endpoint.name)
            if served is not None:
                return served, True
        return self._access.reach(principal), endpoint.kind is EndpointKind.ALL

    async def _admit_version(
        self, call: Call, principal: Principal, pinned: str, *, is_known: bool
    ) -> Verdict:
        """Take the version that the caller pins, by a header or behind the tool's name."""
        name, own_pin = (call.tool_name, "") if is_known else split_pin(call.tool_name)
        pins = [one for one in (own_pin, pinned) if one]
        seen = await self._versions(call, principal, name) if pins else ()
        if not seen:
            own = self._own.get(call.tool_name)
            if (
                own is not None
                and principal.may("tools:list")
                and call.endpoint.kind is not _SERVER
            ):
                return _pass(call, own, OWN_RULE)
            return await self._unknown(call, principal)
        tool = choose(seen, *pins)
        if tool is None:
            return refuse_pins(seen, pins)
        return await self._admit(call, principal, tool)

    async def _versions(self, call: Call, principal: Principal, name: str) -> Sequence[Tool]:
        """The versions of a tool that the caller sees there, newest first."""
        endpoint = call.endpoint
        tool = await self._seen(call, principal, name)
        if tool is not None and (tool.home is not None or tool.name != name):
            return (tool,)  # a bundle chose it, or a server: there is no other
        _, is_whole = self._reach(principal, endpoint)
        every = self._access.versions(principal.tenant, name)
        if not every or (is_whole and endpoint.kind is EndpointKind.BUNDLE and tool is None):
            return () if tool is None else (tool,)
        there = [one for one in every if within(one, endpoint)]
        questions = _discovering(principal, there, circumstances_of(call))
        decisions = await self._access.decide_many(questions, deadline=_until(call))
        return [one for one, decided in zip(there, decisions, strict=True) if decided.allowed]

    async def _admit(self, call: Call, principal: Principal, tool: Tool) -> Verdict:
        """Let the call pass to a tool that the caller sees, if it may be used."""
        decision = self._access.settled(principal, tool, Action.INVOKE)
        if decision is None:
            question = Question(principal, tool, Action.INVOKE, circumstances_of(call))
            decision = await self._access.quickly(question, deadline=_until(call))
        return self._conclude(call, principal, tool, decision)

    def _conclude(
        self, call: Call, principal: Principal, tool: Tool, decision: Decision
    ) -> Verdict:
        """What follows for the call; leaves what was read where that changes from call to call."""
        if self._access.varies(principal, tool, Action.INVOKE):
            _note(call, policy={"version": decision.version, "inputs": list(decision.inputs)})
        return _conclude(call, principal, tool, decision)

    async def _aim(self, call: Call, principal: Principal) -> Verdict:
        """Set `call.target` to the first its caller may use, of all that the call may be about."""
        found = await self._locator.locate(call, principal)
        if isinstance(found, Refuse):
            return found
        circumstances = circumstances_of(call)
        questions = [Question(principal, one, Action.INVOKE, circumstances) for one in found]
        decisions = await self._access.decide_many(questions, deadline=_until(call))
        for target, decision in zip(found, decisions, strict=True):
            # A task goes on with a use that was let through.
            if decision.allowed or (target.kind is ItemKind.TASK and decision.possible):
                call.target, call.rule = target, decision.rule
                return PASS
        seen = await self._sees_which(principal, found, circumstances, _until(call))
        for target, decision, is_seen in zip(found, decisions, seen, strict=True):
            if is_seen:
                return _forbidden(principal, target.name[:_LONGEST_COMPARED], decision)
        return _absent(call, f"{principal.subject}: {'out of reach' if found else 'unknown'}")

    async def sees(
        self, principal: Principal, target: Target, circumstances: Circumstances
    ) -> bool:
        """Whether `principal` may know of `target`."""
        return (await self.sees_each(principal, [target], circumstances))[0]

    async def sees_each(
        self, principal: Principal, targets: Sequence[Target], circumstances: Circumstances
    ) -> list[bool]:
        """Whether `principal` may know of each of `targets`, in order."""
        return await self._sees_which(principal, targets, circumstances, _no_deadline())

    async def _sees_which(
        self,
        principal: Principal,
        subjects: Sequence[Tool | Target],
        circumstances: Circumstances,
        deadline: float,
    ) -> list[bool]:
        questions = _discovering(principal, subjects, circumstances)
        decisions = await self._access.decide_many(questions, deadline=deadline)
        return [one.allowed for one in decisions]

    async def prompts(
        self, principal: Principal, endpoint: Endpoint, circumstances: Circumstances
    ) -> list[Listed]:
        """The prompts `principal` sees at `endpoint`, in listing order."""
        offers = self._access.offers(principal)
        found = [one for one in offers.prompts if offered(one, endpoint)]
        return await self._shown(principal, ItemKind.PROMPT, found, offers, circumstances)

    async def templates(
        self, principal: Principal, endpoint: Endpoint, circumstances: Circumstances
    ) -> list[Listed]:
        """The resource templates `principal` sees at `endpoint`; of equal ones only the first."""
        offers = self._access.offers(principal)
        found = [one for one in offers.templates if offered(one, endpoint)]
        shown = await self._shown(principal, ItemKind.TEMPLATE, found, offers, circumstances)
        served: dict[str, Listed] = {}
        for one in shown:
            served.setdefault(one.name, one)
        return list(served.values())

    async def _shown(
        self,
        principal: Principal,
        kind: ItemKind,
        items: list[Listed],
        offers: Offers,
        circumstances: Circumstances,
    ) -> list[Listed]:
        """Those of `items` that are seen as things are."""
        unsure = [one for one in items if one in offers.unsure] if offers.unsure else []
        if not unsure:
            return items
        targets = [_target(kind, one) for one in unsure]
        seen = await self.sees_each(principal, targets, circumstances)
        hidden = {id(one) for one, is_seen in zip(unsure, seen, strict=True) if not is_seen}
        return [one for one in items if id(one) not in hidden]

    async def visible(
        self, principal: Principal, endpoint: Endpoint, circumstances: Circumstances
    ) -> list[Tool]:
        """The tools `principal` sees at `endpoint`, in listing order: the same rules as calls."""
        sure, unsure, catalogue = self._sight(principal, endpoint, circumstances)
        if not unsure:
            return list(sure)
        seen = await self._sees_which(principal, unsure, circumstances, _no_deadline())
        shown = {id(one) for one, is_seen in zip(unsure, seen, strict=True) if is_seen}
        shown.update(map(id, sure))
        return [one for one in catalogue.tools.values() if id(one) in shown]

    def likely_tools(
        self, principal: Principal, endpoint: Endpoint, circumstances: Circumstances
    ) -> list[Tool]:
        """As `visible`, but in no certain order, and with what only Rego could show or hide."""
        sure, unsure, _ = self._sight(principal, endpoint, circumstances)
        return [*sure, *self._likely(principal, unsure, circumstances)]

    def likely_prompts(
        self, principal: Principal, endpoint: Endpoint, circumstances: Circumstances
    ) -> list[Listed]:
        """As `prompts`, with what only Rego could show or hide."""
        offers = self._access.offers(principal)
        found = [one for one in offers.prompts if offered(one, endpoint)]
        return self._likely_offers(principal, ItemKind.PROMPT, found, offers, circumstances)

    def likely_templates(
        self, principal: Principal, endpoint: Endpoint, circumstances: Circumstances
    ) -> list[Listed]:
        """As `templates`, with what only Rego could show or hide."""
        offers = self._access.offers(principal)
        found = [one for one in offers.templates if offered(one, endpoint)]
        likely = self._likely_offers(principal, ItemKind.TEMPLATE, found, offers, circumstances)
        return list({one.name: one for one in reversed(likely)}.values())[::-1]

    def _likely_offers(
        self,
        principal: Principal,
        kind: ItemKind,
        items: list[Listed],
        offers: Offers,
        circumstances: Circumstances,
    ) -> list[Listed]:
        targets = {_target(kind, one): one for one in items if one in offers.unsure}
        likely = self._likely(principal, list(targets), circumstances)
        hidden = {id(one) for one in targets.values()} - {id(targets[one]) for one in likely}
        return [one for one in items if id(one) not in hidden]

    def _likely(
        self, principal: Principal, subjects: Sequence[_Subject], circumstances: Circumstances
    ) -> list[_Subject]:
        questions = _discovering(principal, subjects, circumstances)
        decisions = map(self._access.quick, questions)
        likely = (one is None or one.allowed for one in decisions)
        return list(compress(subjects, likely))

    def _sight(
        self, principal: Principal, endpoint: Endpoint, circumstances: Circumstances
    ) -> tuple[Sequence[Tool], Sequence[Tool], Groups]:
        """The tools seen there, those that Rego must be asked about, and all there are."""
        reach, is_whole = self._reach(principal, endpoint)
        bundle = endpoint.name if is_whole and endpoint.kind is EndpointKind.BUNDLE else ""
        sight = self._access.sight(principal, bundle, circumstances)
        if is_whole:
            return sight.sure, sight.unsure, reach.catalogue
        sure = [one for one in sight.sure if within(one, endpoint)]
        return sure, [one for one in sight.unsure if within(one, endpoint)], reach.catalogue

    async def _unknown(self, call: Call, principal: Principal) -> Refuse:
        held = await refuse_quarantined(call, principal, self._access)
        if held is not None:
            return held
        view = call.snapshot.tenant(principal.tenant)
        seen = await self.visible(principal, call.endpoint, circumstances_of(call))
        guess = closest(call.tool_name, [tool.name for tool in seen])
        hint = f" Did you mean {guess}?" if guess else " tools/list names the tools you may use."
        exists = call.tool_name in view.tools or call.tool_name in view.disabled
        why = (call.notes or {}).pop("hidden_by", "")
        return Refuse(
            ErrorCode.TOOL_NOT_FOUND,
            public=f"Unknown tool: {call.tool_name[:_LONGEST_COMPARED]}.{hint}",
            private=f"{principal.subject}: tool is {'out of reach' if exists else 'unknown'}{why}",
            details={"did_you_mean": guess} if guess else None,
        )


def _pass(call: Call, tool: Tool, rule: str) -> Verdict:
    call.tool, call.rule = tool, rule
    # Records, metrics and tasks know a tool by its own name, whatever a bundle calls it.
    call.tool_name = tool.name if tool.home is None else tool.home.name
    return PASS


def _conclude(call: Call, principal: Principal, tool: Tool, decision: Decision) -> Verdict:
    if decision.effect is Effect.DENY:
        return _forbidden(principal, tool.name, decision)
    if decision.effect is Effect.ELEVATE:
        sentence = f"{tool.name} needs an elevation: a person has to agree."
        call.lacks_grant = _with(sentence, decision.public)
    return _pass(call, tool, decision.rule)


def _note(call: Call, **notes: object) -> None:
    call.notes = {**(call.notes or {}), **notes}


def _discovering(
    principal: Principal, subjects: Sequence[Tool | Target], circumstances: Circumstances
) -> list[Question]:
    return [Question(principal, one, Action.DISCOVER, circumstances) for one in subjects]


def _until(call: Call) -> float:
    return call.deadline or _no_deadline()


def _no_deadline() -> float:
    return time.monotonic() + _LIST_SECONDS


def _target(kind: ItemKind, item: Listed) -> Target:
    return Target(kind, item.upstream, item.name, item.bundle, item.inner, item.risk)


def _served(catalogue: Groups, endpoint: Endpoint, name: str, *, is_whole: bool) -> Iterator[Tool]:
    """What `endpoint` may serve as `name`, best first; a server's own has its own names.

    `is_whole`: the endpoint serves all that is in `catalogue`.
    """
    tool = catalogue.tools.get(name)
    if tool is not None and (is_whole or within(tool, endpoint)):
        yield tool
    if endpoint.kind is not EndpointKind.ALL:
        yield from reversed(catalogue.renamed.get((endpoint.name, name), ()))


def _forbidden(principal: Principal, name: str, decision: Decision) -> Refuse:
    public = f"You may see {name} but not call it. Ask an administrator for access."
    return Refuse(
        ErrorCode.FORBIDDEN,
        public=_with(public, decision.public),
        private=f"{principal.subject} may discover but not invoke {name}{_reason(decision)}",
    )


def _reason(decision: Decision) -> str:
    """Which policy denied, and why, to follow a sentence for the record."""
    return f": {decision.rule}" + (f" ({decision.private})" if decision.private else "")


def _with(sentence: str, more: str) -> str:
    return f"{sentence} {more}" if more else sentence


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
