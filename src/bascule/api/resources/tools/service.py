"""Reading and publishing tools."""

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.importing import require_another
from bascule.api.lowering import keeping_privileged
from bascule.api.resources.tools.schemas import Tool, ToolList
from bascule.gateway import tool as kernel
from bascule.storage.repositories.tools import StoredTool, ToolFilter, Tools


async def list_tools(
    control: Control, caller: Caller, filters: ToolFilter, page: int, limit: int
) -> ToolList:
    """A page of the tenant's tools."""
    async with control.read(caller) as rows:
        found = await Tools(rows.session, rows.tenant_id).list(filters, page=page, limit=limit)
    tools = [_with_health(control, caller, show(one)) for one in found.items]
    return ToolList(tools=tools, total=found.total, page=found.page, limit=found.limit)


async def get_tool(control: Control, caller: Caller, name: str, version: str | None) -> Tool:
    """A version of a tool, the one callers get where none is named.

    Raises:
        NotFound: the tenant has none of that name.
    """
    async with control.read(caller) as rows:
        found = show(await Tools(rows.session, rows.tenant_id).get(name, version))
    return _with_health(control, caller, found)


async def publish_tool(control: Control, caller: Caller, name: str, version: str | None) -> Tool:
    """Put a version of a tool in force for agents, the newest where none is named.

    Raises:
        NotFound: the tenant has none of that name.
        Conflict: it is quarantined.
        InvalidValue: it does not meet the tenant's metadata standard.
        Forbidden: its author asks, and another person has to; or it would be privileged no more.
    """
    async with (
        control.change(caller, "tool.publish", name) as rows,
        keeping_privileged(rows, caller),
    ):
        stored = await Tools(rows.session, rows.tenant_id).publish(name, version)
        require_another(control.imports, stored.created_by, caller.subject)
        return show(stored)


def _with_health(control: Control, caller: Caller, tool: Tool) -> Tool:
    if control.conditions is not None:
        known = control.conditions.of(caller.tenant, tool.upstream)
        tool.health = None if known is None else known.health or None
    return tool


def show(stored: StoredTool) -> Tool:
    """A tool as the REST API shows it."""
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
        timeout_seconds=tool.timeout_seconds,
        cache_seconds=tool.cache_seconds,
        input_schema=dict(tool.input_schema),
        output_schema=None if tool.output_schema is None else dict(tool.output_schema),
        examples=[dict(example) for example in tool.examples],
        edited=list(stored.edited),
        created_by=stored.created_by,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )
