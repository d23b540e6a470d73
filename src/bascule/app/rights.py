"""The rights of one edition, as feeds ask for them: rules, lists and locations put together."""

import time
from dataclasses import replace
from itertools import compress
from typing import Final

from bascule.catalogue.slices import relayed
from bascule.gateway.call import Call, Endpoint, EndpointKind, Method, More
from bascule.gateway.circumstances import circumstances_now
from bascule.gateway.decision import Decision, Question
from bascule.gateway.feed import ChangeKind
from bascule.gateway.inventory import ItemKind, Target
from bascule.gateway.locating import Locator
from bascule.gateway.principal import KeyRecord, Principal
from bascule.gateway.rule import Action
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.tool import McpSource
from bascule.gateway.verdict import Refuse
from bascule.identity.standing import still_standing
from bascule.policy.access import Access
from bascule.policy.authorise import Authorise
from bascule.policy.kinds import Kind

_FIND_SECONDS: Final = 5.0

_Seen = tuple[Kind, Endpoint]
"""Callers who see the same at the same endpoint."""


class EditionRights:
    """Implements `catalogue.rights.Rights` for one snapshot; answers are kept by kind of caller.

    Feeds do not wait, so Rego is not asked: what only it could say counts as seen. A notice says
    that something changed, and who then asks for it is judged by everything.
    """

    def __init__(
        self, snapshot: Snapshot, access: Access, authorise: Authorise, locator: Locator
    ) -> None:
        self._snapshot = snapshot
        self._access = access
        self._authorise = authorise
        self._locator = locator
        self._keys: dict[tuple[str, str], KeyRecord] = {
            (one.principal.tenant, one.key_id): one for one in snapshot.keys.values()
        }
        self._upstreams: dict[_Seen, frozenset[str]] = {}
        self._prints: dict[tuple[_Seen, ChangeKind], int] = {}

    def current(self, principal: Principal) -> Principal | None:
        """The caller as its credential counts now; one without any started this process."""
        if principal.evidence is not None:
            found = still_standing(principal.evidence, self._snapshot, time.time)
            if not isinstance(found, Principal) or found.owner != principal.owner:
                return None
            return found
        if principal.key_id is None:
            return principal
        record = self._keys.get((principal.tenant, principal.key_id))
        if record is None or (record.expires_at is not None and record.expires_at <= time.time()):
            return None
        now = record.principal
        if (now.tenant, now.owner) != (principal.tenant, principal.owner):
            return None
        return replace(now, agent=principal.agent)

    def serves(self, principal: Principal, endpoint: Endpoint) -> bool:
        """Whether the bundle or server is still there."""
        view = self._snapshot.tenant(principal.tenant)
        if endpoint.kind is EndpointKind.ALL:
            return True
        if endpoint.kind is EndpointKind.BUNDLE and (
            endpoint.name in view.bundles or endpoint.name in view.bundle_tools
        ):
            return True
        return endpoint.name in view.upstreams

    def upstreams(self, principal: Principal, endpoint: Endpoint) -> frozenset[str]:
        """The MCP upstreams there of which the caller sees a tool, a prompt or resources."""
        seen = (self._access.kind(principal), endpoint)
        found = self._upstreams.get(seen)
        if found is None:
            found = frozenset(self._seen(principal, endpoint))
            if self._access.is_fixed(principal):
                self._upstreams[seen] = found
        return found

    def visible(self, principal: Principal, endpoint: Endpoint, kind: ChangeKind) -> int:
        """A fingerprint of the tools, prompts or resource templates seen there."""
        key = ((self._access.kind(principal), endpoint), kind)
        found = self._prints.get(key)
        if found is None:
            lists = {
                ChangeKind.TOOLS: self._authorise.likely_tools,
                ChangeKind.PROMPTS: self._authorise.likely_prompts,
            }
            listing = lists.get(kind, self._authorise.likely_templates)
            listed = listing(principal, endpoint, circumstances_now())
            found = hash(tuple((one.name, one.definition) for one in listed))
            if self._access.is_fixed(principal):
                self._prints[key] = found
        return found

    def advertised(self, tenant: str, upstream: str) -> bytes:
        """What the upstream said when it was last looked at."""
        inventory = self._snapshot.tenant(tenant).inventories.get(upstream)
        return b"{}" if inventory is None else inventory.capabilities

    async def readable(self, call: Call, uri: str) -> Target | None:
        """Where the resource is, if the caller may read it."""
        return await self._find(call, Method.RESOURCES_READ, More(uri=uri))

    async def task(self, call: Call, task_id: str) -> Target | None:
        """Where the task is, if the caller may use its tool."""
        return await self._find(call, Method.TASKS_GET, More(task_id=task_id))

    def may(self, principal: Principal, target: Target) -> bool:
        """Whether the rules still allow it."""
        decision = self._access.weigh(_using(principal, target))
        # What only Rego could say stands as when it was found.
        return decision is None or _goes_on(target, decision)

    async def _find(self, call: Call, method: Method, more: More) -> Target | None:
        principal = call.principal
        if principal is None:
            return None
        probe = Call(
            method,
            call.correlation_id,
            era=call.era,
            version=call.version,
            endpoint=call.endpoint,
            deadline=call.deadline,
            snapshot=self._snapshot,
            principal=principal,
            capabilities=call.capabilities,
            more=more,
        )
        found = await self._locator.locate(probe, principal)
        if isinstance(found, Refuse):
            return None
        questions = [_using(principal, one) for one in found]
        deadline = call.deadline or time.monotonic() + _FIND_SECONDS
        decisions = await self._access.decide_many(questions, deadline=deadline)
        may = (_goes_on(*pair) for pair in zip(found, decisions, strict=True))
        return next(compress(found, may), None)

    def _seen(self, principal: Principal, endpoint: Endpoint) -> set[str]:
        authorise, now = self._authorise, circumstances_now()
        tools = authorise.likely_tools(principal, endpoint, now)
        seen = {tool.source.upstream for tool in tools if isinstance(tool.source, McpSource)}
        seen.update(one.upstream for one in authorise.likely_prompts(principal, endpoint, now))
        seen.update(one.upstream for one in authorise.likely_templates(principal, endpoint, now))
        # Resources are not known before they are asked for: the rules for all of them decide.
        view = self._snapshot.tenant(principal.tenant)
        for name in relayed(view, endpoint, principal):
            anything = Target(ItemKind.RESOURCE, name, "", name, "")
            question = Question(principal, anything, Action.DISCOVER, now)
            decision = self._access.weigh(question)
            if decision is None or decision.allowed:
                seen.add(name)
        return seen


def _using(principal: Principal, target: Target) -> Question:
    return Question(principal, target, Action.INVOKE, circumstances_now())


def _goes_on(target: Target, decision: Decision) -> bool:
    """Whether it may be used; a task goes on with a use that was let through."""
    return decision.allowed or (target.kind is ItemKind.TASK and decision.possible)
