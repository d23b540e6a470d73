"""What MCP servers offer, put beside the tools of the catalogue."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import structlog

from bascule.catalogue.bundling import with_selections
from bascule.catalogue.naming import front_names, renamed
from bascule.catalogue.pinning import Held, hold
from bascule.gateway.builtin import OWN_NAMES
from bascule.gateway.inventory import Inventory, Listed
from bascule.gateway.snapshot import TenantView
from bascule.gateway.tool import Bundle, McpSource, Tool

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Offer:
    """What one server lists, under the names it gives, in its order.

    Two offers are equal when what callers see of them is.
    """

    inventory: Inventory
    tools: tuple[Tool, ...] = ()
    digests: Mapping[str, bytes] | None = None
    """Of each tool's definition; None where nobody keeps pins, and so everything is served."""


def merge(view: TenantView, offers: Mapping[str, Offer], *, always: bool = False) -> TenantView:
    """`view` with the offers of its servers, by their names, in the order of these.

    `always` sets the server's name before every name. A server that is alone keeps its names.
    """
    if not offers:
        return view
    ordered = dict(sorted(offers.items()))
    always = always and len(view.upstreams) > 1
    tools, quarantined = _tools(view, ordered, always=always)
    prompts = front_names(
        (),
        {server: tuple(one.inventory.prompts) for server, one in ordered.items()},
        always=always,
    )
    claimed: dict[str, str] = {}
    merged = replace(
        view,
        tools={**view.tools, **tools},
        disabled=view.disabled | quarantined.keys(),
        quarantined=quarantined,
        bundles={**{name: Bundle(name) for name in ordered}, **view.bundles},
        inventories={
            server: replace(
                one.inventory,
                prompts=_prompts(one.inventory, prompts),
                templates=tuple(_unclaimed(one.inventory.templates, claimed)),
            )
            for server, one in ordered.items()
        },
    )
    return with_selections(merged)


def _tools(
    view: TenantView, offers: Mapping[str, Offer], *, always: bool
) -> tuple[dict[str, Tool], dict[str, Tool]]:
    """What is served and what is held back; each keeps its name, whatever becomes of the other."""
    own = {server: tuple(tool.name for tool in one.tools) for server, one in offers.items()}
    names = front_names(view.tools.keys() | view.disabled | OWN_NAMES, own, always=always)
    served: dict[str, Tool] = {}
    quarantined: dict[str, Tool] = {}
    for server, one in offers.items():
        held = _held(view, server, one)
        for tools, place in ((held.served, served), (held.quarantined, quarantined)):
            for tool in tools:
                name = names[server, tool.name]
                place[name] = _tool(tool, name)
    return served, quarantined


def _held(view: TenantView, server: str, offer: Offer) -> Held:
    upstream = view.upstreams.get(server)
    if offer.digests is None or upstream is None:
        return Held(offer.tools)
    return hold(server, offer.tools, offer.digests, view.pins, upstream.pinning)


def _tool(tool: Tool, name: str) -> Tool:
    if name == tool.name:
        return tool
    source = tool.source
    if not isinstance(source, McpSource):
        raise TypeError("only tools of MCP servers are renamed")
    definition = renamed(tool.definition, name)
    return replace(tool, name=name, definition=definition, own_definition=tool.definition)


def _prompts(inventory: Inventory, names: Mapping[tuple[str, str], str]) -> dict[str, Listed]:
    listed = (_prompt(one, names[one.upstream, one.inner]) for one in inventory.prompts.values())
    return {one.name: one for one in listed}


def _prompt(prompt: Listed, name: str) -> Listed:
    if name == prompt.name:
        return prompt
    definition = renamed(prompt.definition, name)
    return replace(prompt, name=name, definition=definition, own_definition=prompt.definition)


def _unclaimed(templates: Iterable[Listed], claimed: dict[str, str]) -> Iterable[Listed]:
    """Note whose each template is; all are kept, for each server's own endpoint."""
    for one in templates:
        owner = claimed.setdefault(one.name, one.upstream)
        if owner != one.upstream:
            _log.warning(
                "catalogue.template_unlisted", template=one.name, upstream=one.upstream, owner=owner
            )
        yield one
