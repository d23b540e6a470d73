"""The bundle of an MCP server holds the server's own tools alone."""

import pytest

from bascule.api.control import Rows
from bascule.api.reservations import refuse_servers_bundle
from bascule.gateway.errors import Conflict
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.storage.repositories.upstreams import Upstreams
from unit.api.site import Site


async def test_the_name_of_a_server_is_refused_and_that_of_a_service_is_not(site: Site) -> None:
    async with site.rows() as (session, tenant_id):
        upstreams = Upstreams(session, tenant_id)
        await upstreams.upsert(Upstream("notes", UpstreamKind.MCP_HTTP, url="http://127.0.0.1:9"))
        await upstreams.upsert(Upstream("shop", UpstreamKind.REST, url="http://127.0.0.1:9"))
        rows = Rows(session, tenant_id)
        await refuse_servers_bundle(rows, "shop", "bundle")
        with pytest.raises(Conflict, match="notes is an MCP server"):
            await refuse_servers_bundle(rows, "notes", "bundle")
