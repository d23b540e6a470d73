"""Names that are taken by MCP servers: each is a bundle of its own name, and of its tools alone."""

from typing import Final

from bascule.api.control import Rows
from bascule.gateway.errors import Conflict
from bascule.gateway.tool import UpstreamKind
from bascule.storage.repositories.upstreams import Upstreams

_SERVERS: Final = frozenset({UpstreamKind.MCP_HTTP, UpstreamKind.MCP_STDIO})


async def refuse_servers_bundle(rows: Rows, bundle: str, field: str) -> None:
    """Pass where tools may be put into `bundle`; rules made for a server are to cover no others.

    Raises:
        Conflict: it is the name of an MCP server.
    """
    upstreams = await Upstreams(rows.session, rows.tenant_id).list()
    if any(one.upstream.name == bundle and one.upstream.kind in _SERVERS for one in upstreams):
        raise Conflict(
            f"{bundle} is an MCP server, whose bundle holds its own tools alone. "
            "Choose another bundle.",
            details={"field": field, "server": bundle},
        )
