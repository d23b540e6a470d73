"""What the names, URIs, references and handles of callers stand for, among many servers."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from bascule.catalogue.advertising import declared
from bascule.catalogue.listing import NotServed, may_serve
from bascule.catalogue.owners import Owners
from bascule.catalogue.slices import behind, lenders, sole
from bascule.gateway.call import Call, Endpoint, EndpointKind, Method
from bascule.gateway.capabilities import TASKS_EXTENSION
from bascule.gateway.errors import ErrorCode
from bascule.gateway.inventory import Inventory, ItemKind, Listed, Target
from bascule.gateway.principal import Principal
from bascule.gateway.snapshot import TenantView
from bascule.gateway.tasks import TaskIds
from bascule.gateway.tool import McpSource
from bascule.gateway.verdict import Refuse
from bascule.protocol.uris import template_matches

_LONGEST_URI: Final = 8192
_UI_SCHEME: Final = "ui://"
_TASKS: Final = frozenset({Method.TASKS_GET, Method.TASKS_UPDATE, Method.TASKS_CANCEL})
_NO_TASKS: Final = Refuse(
    ErrorCode.MISSING_CAPABILITY,
    "Tasks are for clients that declare the extension.",
    "the tasks extension was not declared",
    {"requiredCapabilities": {"extensions": {TASKS_EXTENSION: {}}}},
)


class _Reference(msgspec.Struct):
    type: str
    name: str = ""
    uri: str = ""


class _UiMeta(msgspec.Struct):
    meta: dict[str, Any] = msgspec.field(default_factory=dict[str, Any], name="_meta")


_decode_reference = msgspec.json.Decoder(_Reference).decode
_decode_meta = msgspec.json.Decoder(_UiMeta).decode


class CatalogueLocator:
    """Finds targets in the snapshot of the call, and in what servers listed."""

    def __init__(self, owners: Owners, tasks: TaskIds | None = None) -> None:
        self._owners = owners
        self._tasks = tasks

    async def locate(self, call: Call, principal: Principal) -> Sequence[Target] | Refuse:
        """See `bascule.gateway.locating.Locator`."""
        view = call.snapshot.tenant(principal.tenant)
        if call.method in _TASKS:
            return self._task(view, call, principal)
        if call.method is Method.PROMPTS_GET:
            return _prompts(view, call.endpoint, call.tool_name)
        if call.method is Method.COMPLETE:
            return await self._reference(view, call)
        return await self.of_uri(view, call.endpoint, call.more.uri)

    async def of_uri(self, view: TenantView, endpoint: Endpoint, uri: str) -> Sequence[Target]:
        """The resource `uri` at every server that may have it, those that list it first."""
        if not 0 < len(uri) <= _LONGEST_URI:
            return ()
        servers = behind(view, endpoint)
        alone = sole(view, endpoint, servers)
        if alone is not None:
            return (_resource(uri, alone),)
        if not servers:
            return ()
        listing = may_serve(view, servers, "resources")
        found = await self._owners.find(view.tenant, listing, uri)
        return [_resource(uri, name) for name in found or _guess(view, servers, uri)]

    def _task(
        self, view: TenantView, call: Call, principal: Principal
    ) -> Sequence[Target] | Refuse:
        # First: an id tells nothing to who may not use any (extension "tasks", "Capabilities").
        if not call.capabilities.tasks:
            return _NO_TASKS
        if self._tasks is None:
            return ()
        target = self.of_task(principal, call.more.task_id)
        # A token may be good for one endpoint alone, and so is what it reaches.
        served = (*behind(view, call.endpoint), *lenders(view, call.endpoint))
        return (target,) if target.upstream in served else ()

    def of_task(self, principal: Principal, task_id: str) -> Target:
        """The task, its `name` that of the tool that began it.

        Raises:
            StaleHandle: not an id this principal was given here.
        """
        if self._tasks is None:
            raise RuntimeError("no tasks are relayed")
        upstream, inner, tool = self._tasks.open(principal, task_id)
        return Target(ItemKind.TASK, upstream, tool, upstream, inner)

    async def _reference(self, view: TenantView, call: Call) -> Sequence[Target]:
        known = _inventories(view, call.endpoint)
        if known and not any("completions" in declared(one.capabilities) for one in known):
            raise NotServed(call.method)
        try:
            reference = _decode_reference(call.more.ref or b"{}")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return ()
        if reference.type == "ref/prompt":
            return _prompts(view, call.endpoint, reference.name)
        if reference.type != "ref/resource":
            return ()
        templates = [
            Target(ItemKind.TEMPLATE, one.upstream, one.name, one.bundle, one.inner)
            for inventory in _inventories(view, call.endpoint)
            for one in inventory.templates
            if one.name == reference.uri
        ]
        return templates or await self.of_uri(view, call.endpoint, reference.uri)


def _prompts(view: TenantView, endpoint: Endpoint, name: str) -> Sequence[Target]:
    return [
        Target(ItemKind.PROMPT, one.upstream, one.name, one.bundle, one.inner, one.risk)
        for inventory in _inventories(view, endpoint)
        if (one := _prompt(inventory, endpoint, name)) is not None
    ]


def _prompt(inventory: Inventory, endpoint: Endpoint, name: str) -> Listed | None:
    found = inventory.prompts.get(name)
    if endpoint.kind is EndpointKind.ALL or (found is not None and found.inner == name):
        return found
    # At a server's own endpoint its prompts keep their own names.
    own = (one for one in inventory.prompts.values() if one.inner == name)
    return next(own, None)


def _inventories(view: TenantView, endpoint: Endpoint) -> list[Inventory]:
    names = behind(view, endpoint)
    return [one for name in names if (one := view.inventories.get(name)) is not None]


def _resource(uri: str, upstream: str) -> Target:
    # What a server offers is in the bundle of its name.
    return Target(ItemKind.RESOURCE, upstream, uri, upstream, uri)


def _guess(view: TenantView, servers: Sequence[str], uri: str) -> list[str]:
    """Servers that may have an unlisted `uri`: by their templates, else by their tools."""
    found = [
        name
        for name in servers
        if (inventory := view.inventories.get(name)) is not None
        and any(template_matches(one.name, uri) for one in inventory.templates)
    ]
    if found or not uri.startswith(_UI_SCHEME):
        return found
    return [name for name in servers if _is_shown_by(view, name, uri)]


def _is_shown_by(view: TenantView, server: str, uri: str) -> bool:
    """Whether a tool of `server` names `uri` as its user interface (extension "ui")."""
    quoted = msgspec.json.encode(uri)
    return any(
        quoted in tool.definition and _ui_of(tool.definition) == uri
        for tool in view.tools.values()
        if isinstance(tool.source, McpSource) and tool.source.upstream == server
    )


def _ui_of(definition: bytes) -> object:
    try:
        meta = _decode_meta(definition).meta
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    shown = meta.get("ui")
    nested = shown.get("resourceUri") if isinstance(shown, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return nested or meta.get("ui/resourceUri")  # pyright: ignore[reportUnknownVariableType]
