"""The rights of one edition, as feeds ask for them: rules, lists and locations put together."""

import time
from dataclasses import replace
from functools import partial

from bascule.catalogue.slices import relayed
from bascule.gateway.call import Call, Endpoint, EndpointKind, Method, More
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

_Kind = tuple[str, frozenset[str], frozenset[str], Endpoint]
"""Callers who see the same at the same endpoint."""


class EditionRights:
    """Implements `catalogue.rights.Rights` for one snapshot; answers are kept by kind of caller."""

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
        self._upstreams: dict[_Kind, frozenset[str]] = {}
        self._prints: dict[tuple[_Kind, ChangeKind], int] = {}

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
        kind = _kind(principal, endpoint)
        found = self._upstreams.get(kind)
        if found is None:
            found = self._upstreams[kind] = frozenset(self._seen(principal, endpoint))
        return found

    def visible(self, principal: Principal, endpoint: Endpoint, kind: ChangeKind) -> int:
        """A fingerprint of the tools, prompts or resource templates seen there."""
        key = (_kind(principal, endpoint), kind)
        found = self._prints.get(key)
        if found is None:
            lists = {
                ChangeKind.TOOLS: self._authorise.visible,
                ChangeKind.PROMPTS: self._authorise.prompts,
            }
            listed = lists.get(kind, self._authorise.templates)(principal, endpoint)
            found = self._prints[key] = hash(tuple((one.name, one.definition) for one in listed))
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
        return self._access.may(principal, target, Action.INVOKE).allowed

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
        return next(filter(partial(self.may, principal), found), None)

    def _seen(self, principal: Principal, endpoint: Endpoint) -> set[str]:
        authorise = self._authorise
        tools = authorise.visible(principal, endpoint)
        seen = {tool.source.upstream for tool in tools if isinstance(tool.source, McpSource)}
        seen.update(one.upstream for one in authorise.prompts(principal, endpoint))
        seen.update(one.upstream for one in authorise.templates(principal, endpoint))
        # Resources are not known before they are asked for: the rules for all of them decide.
        view = self._snapshot.tenant(principal.tenant)
        for name in relayed(view, endpoint, principal):
            anything = Target(ItemKind.RESOURCE, name, "", name, "")
            if authorise.sees(principal, anything):
                seen.add(name)
        return seen


def _kind(principal: Principal, endpoint: Endpoint) -> _Kind:
    return (principal.tenant, principal.roles, principal.permissions, endpoint)
