"""Reading and publishing tools."""

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.resources.tools.schemas import DiscoveredTool, Discovery, Tool, ToolList
from bascule.gateway import tool as kernel
from bascule.storage.repositories.tools import StoredTool, ToolFilter, Tools


async def list_tools(
    control: Control, caller: Caller, filters: ToolFilter, page: int, limit: int
) -> ToolList:
    """A page of the tenant's tools."""
    async with control.read(caller) as rows:
        found = await Tools(rows.session, rows.tenant_id).list(filters, page=page, limit=limit)
    tools = [_shown(one) for one in found.items]
    return ToolList(tools=tools, total=found.total, page=found.page, limit=found.limit)


async def get_tool(control: Control, caller: Caller, name: str) -> Tool:
    """One tool.

    Raises:
        NotFound: the tenant has none of that name.
    """
    async with control.read(caller) as rows:
        return _shown(await Tools(rows.session, rows.tenant_id).get(name))


async def publish_tool(control: Control, caller: Caller, name: str) -> Tool:
    """Put a tool in force for agents.

    Raises:
        NotFound: the tenant has none of that name.
        Conflict: it is quarantined.
    """
    async with control.change(caller, "tool.publish", name) as rows:
        return _shown(await Tools(rows.session, rows.tenant_id).publish(name))


def discover(control: Control, caller: Caller) -> Discovery:
    """What the caller may see, from the snapshot in force."""
    tools = control.access().reach(caller.principal).visible.values()
    return Discovery(
        tools=[_discovered(tool) for tool in tools],
        total=len(tools),
        domains=sorted({tool.domain for tool in tools if tool.domain}),
    )


def _shown(stored: StoredTool) -> Tool:
    tool = stored.tool
    rest = tool.source if isinstance(tool.source, kernel.RestSource) else None
    return Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        version=tool.version,
        bundle=tool.bundle,
        upstream=tool.source.upstream,
        method=rest.method if rest else None,
        path=rest.path if rest else None,
        risk_level=tool.risk,
        status=tool.status,
        tags=list(tool.tags),
        domain=tool.domain,
        owner=tool.owner,
        idempotent=tool.idempotent,
        input_schema=dict(tool.input_schema),
        output_schema=None if tool.output_schema is None else dict(tool.output_schema),
        examples=[dict(example) for example in tool.examples],
        created_by=stored.created_by,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )


def _discovered(tool: kernel.Tool) -> DiscoveredTool:
    return DiscoveredTool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        version=tool.version,
        bundle=tool.bundle,
        risk_level=tool.risk,
        input_schema=dict(tool.input_schema),
        output_schema=None if tool.output_schema is None else dict(tool.output_schema),
        examples=[dict(example) for example in tool.examples],
        tags=list(tool.tags),
    )
