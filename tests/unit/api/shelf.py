"""Tools put into the registry straight away, for tests of what is done with them there."""

from typing import Any

from bascule.gateway.tool import (
    Bundle,
    Member,
    ParameterLocation,
    RestParameter,
    RestSource,
    Tool,
    ToolStatus,
    Upstream,
    UpstreamKind,
)
from bascule.storage.repositories.bundles import Bundles
from bascule.storage.repositories.selections import Selections
from bascule.storage.repositories.tools import Tools
from bascule.storage.repositories.upstreams import Upstreams
from unit.api.site import Site

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"day": {"type": "string"}, "dealer": {"type": "integer"}},
    "required": ["dealer"],
    "additionalProperties": False,
}


def a_tool(name: str = "book", **changes: Any) -> Tool:
    """A live REST tool of the bundle `shop`."""
    parameters = tuple(
        RestParameter(one, one, ParameterLocation.QUERY, "form", explode=True)
        for one in SCHEMA["properties"]
    )
    fields: dict[str, Any] = {
        "name": name,
        "description": f"Does {name}.",
        "bundle": "shop",
        "source": RestSource("shop-api", "POST", f"/{name}", parameters),
        "input_schema": SCHEMA,
        "status": ToolStatus.ACTIVE,
        **changes,
    }
    return Tool(**fields)


async def stock(site: Site, *tools: Tool, tenant: str = "default") -> None:
    """Store tools (by default the one that `a_tool` makes), and what they need."""
    async with site.rows(tenant) as (session, tenant_id):
        kept = tools or (a_tool(),)
        for bundle in sorted({one.bundle for one in kept}):
            await Bundles(session, tenant_id).get_or_create(Bundle(bundle))
        for name in sorted({one.source.upstream for one in kept}):
            service = Upstream(name, UpstreamKind.REST, url="http://127.0.0.1:9")
            await Upstreams(session, tenant_id).upsert(service)
        await Tools(session, tenant_id).upsert_many(kept)


async def make_desk(site: Site) -> None:
    """A bundle as new: it borrows one tool and has one release, which it does not serve."""
    await stock(site, a_tool("listing"))
    async with site.rows() as (session, tenant_id):
        bundles, selections = Bundles(session, tenant_id), Selections(session, tenant_id)
        await bundles.get_or_create(Bundle("desk"))
        await bundles.delete("desk")
        desk = (await bundles.create(Bundle("desk"))).id
        member = Member("listing", name="shown")
        await selections.add(desk, member)
        await selections.release(desk, "1.0.0", [member])
