"""Connectors put together: who shares connections with whom, and as whom requests arrive."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bascule.app.probing import UpstreamProber
from bascule.app.upstreams import UpstreamSet
from bascule.gateway.call import Call, Method
from bascule.gateway.connector import ClientCredentials, ClientTls, Connector, Mode
from bascule.gateway.errors import GatewayError
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import RestSource, Tool, Upstream, UpstreamKind
from bascule.settings import model
from bascule.upstreams.secrets import SecretResolver
from bascule.upstreams.secrets.box import SecretBox
from bascule.upstreams.secrets.sources import Stored
from fakes.replies import Asked, Replies, replying

BOX = SecretBox([b"k" * 32])
KEYED = (("X-Api-Key", "${secret:crm}"), ("X-Plain", "1"))
TOOL = Tool("get", "Gets.", "b", RestSource("api", "GET", "/x"), {"type": "object"})


@asynccontextmanager
async def upstream_set(**settings: object) -> AsyncIterator[UpstreamSet]:
    resolver = SecretResolver(Stored(BOX), {})
    chosen = model.Upstreams.model_validate(settings)
    async with (
        asyncio.timeout(20),
        UpstreamSet.open(chosen, grace_seconds=0, resolver=resolver) as opened,
    ):
        yield opened


def snapshot(*upstreams: Upstream, tenant: str = "t", **secrets: str) -> Snapshot:
    sealed = {name: BOX.close(tenant, name, value) for name, value in secrets.items()}
    named = {one.name: one for one in upstreams}
    return Snapshot(1, {tenant: TenantView(tenant, upstreams=named, secrets=sealed)})


def rest(service: Replies, **members: object) -> Upstream:
    return Upstream("api", UpstreamKind.REST, str(service.origin), **members)  # type: ignore[arg-type]


def welcome(_: Asked) -> tuple[int, bytes]:
    return 200, b"{}"


async def call(
    executors: Mapping[tuple[str, str], object], tenant: str = "t", tool: Tool = TOOL
) -> object:
    deadline = time.monotonic() + 5
    asking = Call(Method.TOOLS_CALL, "c-1", tool=tool, tool_name="get", deadline=deadline)
    return await executors[tenant, "api"].execute(asking)  # type: ignore[attr-defined]


async def test_a_secret_in_a_header_is_resolved_for_rest_and_changes_at_once() -> None:
    async with replying(welcome) as service, upstream_set() as upstreams:
        for value in ("first-secret", "other-secret"):
            await call(upstreams.executors(snapshot(rest(service, headers=KEYED), crm=value)))
    assert [one.header("x-api-key") for one in service.asked] == ["first-secret", "other-secret"]
    assert {one.header("x-plain") for one in service.asked} == {"1"}


async def test_a_kept_answer_ends_with_the_secret_that_it_was_given_to() -> None:
    kept = replace(TOOL, cache_seconds=60.0)
    async with replying(welcome) as service, upstream_set() as upstreams:
        for value in ("first-secret", "other-secret"):
            executors = upstreams.executors(snapshot(rest(service, headers=KEYED), crm=value))
            for _ in range(2):
                await call(executors, tool=kept)
    assert [one.header("x-api-key") for one in service.asked] == ["first-secret", "other-secret"]


async def test_a_secret_in_a_header_is_resolved_for_servers_of_tools_too() -> None:
    async with replying(lambda _: (403, b"")) as service, upstream_set() as upstreams:
        url = f"{service.origin}/mcp"
        server = Upstream("notes", UpstreamKind.MCP_HTTP, url, headers=KEYED)
        upstreams.executors(snapshot(server, crm="first-secret"))
        with pytest.raises(GatewayError):
            await upstreams.relay("t", server).describe(time.monotonic() + 5)
    assert {one.header("x-api-key") for one in service.asked} == {"first-secret"}
    assert {one.header("x-plain") for one in service.asked} == {"1"}


async def test_a_missing_secret_fails_closed_before_anything_is_sent() -> None:
    async with replying(welcome) as service, upstream_set() as upstreams:
        executors = upstreams.executors(snapshot(rest(service, headers=KEYED)))
        with pytest.raises(GatewayError) as caught:
            await call(executors)
    assert "There is no secret crm" in caught.value.private
    assert service.asked == []


async def test_a_token_outlives_snapshots_and_is_not_shared_between_tenants() -> None:
    def answer(asked: Asked) -> tuple[int, bytes]:
        return (200, b'{"access_token": "t"}') if asked.method == "POST" else (200, b"{}")

    async with replying(answer) as service, upstream_set() as upstreams:
        token = ClientCredentials(f"{service.origin}/token", "id", "${secret:crm}")
        upstream = rest(service, connector=Connector(credentials=token))
        for tenant in ("t", "t", "other"):
            one = snapshot(upstream, tenant=tenant, crm="first-secret")
            both = Snapshot(1, {**snapshot(upstream, crm="first-secret").tenants, **one.tenants})
            await call(upstreams.executors(both), tenant)
            upstreams.retire(both)
    assert [one.method for one in service.asked] == ["POST", "GET", "GET", "POST", "GET"]


async def test_a_network_that_one_upstream_opens_is_open_to_no_other() -> None:
    """Nor by way of a connection that is open already."""
    import socket  # noqa: PLC0415

    host = socket.gethostname()
    found = await asyncio.get_running_loop().getaddrinfo(host, 0, type=socket.SOCK_STREAM)
    address = str(found[0][4][0])
    server = await asyncio.start_server(Replies(welcome).serve, address, 0)
    port = server.sockets[0].getsockname()[1]
    closed = Upstream("api", UpstreamKind.REST, f"http://{host}:{port}")
    opened = replace(closed, connector=Connector(networks=(address,)))
    async with server, upstream_set() as upstreams:
        both = Snapshot(1, {**snapshot(opened).tenants, **snapshot(closed, tenant="other").tenants})
        executors = upstreams.executors(both)
        await call(executors)
        with pytest.raises(GatewayError) as caught:
            await call(executors, "other")
    assert "upstreams.allowed_networks" in caught.value.private


async def test_the_setting_opens_a_network_to_all() -> None:
    async with upstream_set(allowed_networks=["10.0.0.0/8"]) as upstreams:
        assert await upstreams.connectors.rules.addresses("10.0.0.1", 80)
        assert len(upstreams.connectors.rules.allowed) == 1


async def test_an_upstream_with_a_certificate_has_connections_of_its_own() -> None:
    async with upstream_set() as upstreams:
        plain = Upstream("a", UpstreamKind.REST, "https://api.example")
        tls = Connector(tls=ClientTls(authorities="x"))
        first = upstreams.connectors.reach("t", plain)
        second = upstreams.connectors.reach("t", replace(plain, connector=tls))
        third = upstreams.connectors.reach("other", replace(plain, connector=tls))
        assert len({id(one.client) for one in (first, second, third)}) == 3
        assert {id(one.elsewhere) for one in (first, second, third)} == {id(first.client)}
        assert upstreams.connectors.reach("t", plain).client is first.client


async def test_what_is_no_longer_named_is_closed() -> None:
    async with replying(welcome) as service, upstream_set() as upstreams:
        tls = Connector(networks=("10.0.0.0/8",))
        named = snapshot(rest(service, connector=tls))
        await call(upstreams.executors(named))
        kept = dict(upstreams.connectors._opened)
        upstreams.executors(Snapshot(2))
        upstreams.retire(Snapshot(2))
        assert upstreams.connectors._opened == {}
        assert len(kept) == 1


async def test_a_connector_that_cannot_be_used_spoils_no_other() -> None:
    async with replying(welcome) as service, upstream_set() as upstreams:
        odd = Upstream(
            "odd", UpstreamKind.REST, "http://x", connector=Connector(networks=("nonsense",))
        )
        executors = upstreams.executors(snapshot(odd, rest(service)))
        await call(executors)
        assert ("t", "odd") not in executors
        with pytest.raises(GatewayError):
            await upstreams.probe("t", odd)


async def test_a_mocked_service_is_not_called_nor_asked_how_it_is() -> None:
    async with replying(welcome) as service:
        mocked = rest(service, connector=Connector(mode=Mode.MOCK))
        for settings, upstream in (({}, mocked), ({"mode": "mock"}, rest(service))):
            async with upstream_set(**settings) as upstreams:
                await call(upstreams.executors(snapshot(upstream)))
                await upstreams.probe("t", upstream)
    assert service.asked == []


async def test_a_try_takes_each_step_and_stops_at_the_first_that_fails() -> None:
    async with replying(welcome) as service, upstream_set() as upstreams:
        upstream = rest(service, headers=KEYED, connector=Connector(health_path="/up"))
        upstreams.executors(snapshot(upstream, crm="first-secret"))
        steps = await UpstreamProber(upstreams).probe("t", upstream)
        assert [(one.step, one.ok) for one in steps] == [
            ("secrets", True), ("address", True), ("connection", True), ("token", True),
            ("request", True),
        ]  # fmt: skip
        assert service.asked[-1].target == "/up"
        assert service.asked[-1].header("x-api-key") == "first-secret"
        for url, step in (("http://2130706433", "address"), ("http://127.0.0.1:1", "connection")):
            steps = await UpstreamProber(upstreams).probe("t", replace(upstream, url=url))
            assert [(one.step, one.ok) for one in steps][-1] == (step, False)
        odd = replace(upstream, headers=(("X", "${secret:none}"),))
        (step,) = await UpstreamProber(upstreams).probe("t", odd)
        assert (step.step, "no secret none" in step.detail) == ("secrets", True)
