"""A gRPC service is called as it describes itself."""

import base64
import json
import time
from collections.abc import Sequence
from typing import Any

import pytest

from bascule.gateway.call import Call, Method
from bascule.gateway.connector import Connector
from bascule.gateway.errors import (
    InvalidArgument,
    UpstreamFailed,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from bascule.gateway.tool import GrpcSource, Tool, Upstream, UpstreamKind
from bascule.upstreams.egress import AddressRules
from bascule.upstreams.grpc.channels import Channel
from bascule.upstreams.grpc.targets import Target
from bascule.upstreams.grpc.upstream import GrpcUpstream
from fakes.grpc_service import SERVICE, descriptors, orders_service


async def _secret(_: Call) -> Sequence[tuple[str, str]]:
    return (("X-Api-Key", "s3cret"),)


def upstream(url: str) -> GrpcUpstream:
    connector = Connector(descriptors=base64.b64encode(descriptors()).decode())
    record = Upstream("orders", UpstreamKind.GRPC, url=url, connector=connector)
    return GrpcUpstream(record, Channel(Target.parse(url), AddressRules(), 1_000_000), _secret)


def call(method: str, service: str = SERVICE, **arguments: Any) -> Call:
    tool = Tool(method, "", "shop", GrpcSource("orders", service, method), {"type": "object"})
    return Call(
        Method.TOOLS_CALL,
        "corr-1",
        arguments=arguments,
        tool=tool,
        traceparent="00-aa-bb-01",
        deadline=time.monotonic() + 5,
    )


def content(result: Any) -> Any:
    return json.loads(bytes(result.body["structuredContent"]))


async def test_a_unary_method_is_called_and_answers_as_json() -> None:
    async with orders_service() as orders:
        service = upstream(orders.url)
        got = await service.execute(call("Get", id=9007199254740993))
        await service.aclose()
    assert content(got)["id"] == "9007199254740993", "64 bits stay whole"
    assert content(got)["itemName"] == "lamp"
    assert content(got)["tags"] == [], "what is empty is there as well"
    [metadata] = orders.metadata
    assert metadata["x-correlation-id"] == "corr-1"
    assert metadata["x-mcp-tool-name"] == "Get"
    assert metadata["x-api-key"] == "s3cret"
    assert metadata["traceparent"] == "00-aa-bb-01"


async def test_every_kind_of_field_arrives_as_it_was_given() -> None:
    order = {
        "id": "-9007199254740993", "itemName": "straße", "state": "DONE", "tags": ["a", "b"],
        "parts": [{"itemName": "wick", "parts": [{"id": "1"}]}],
        "madeAt": "2026-07-28T10:00:00.500Z", "note": "fragile",
        "blob": base64.b64encode(b"\0\xff").decode(), "price": 1.5, "counts": {"x": 3},
        "mail": "a@b.example", "urgent": True, "amount": -7,
    }  # fmt: skip
    async with orders_service() as orders:
        service = upstream(orders.url)
        answered = content(await service.execute(call("Put", **order)))
        await service.aclose()
    assert orders.put == [order]
    assert {name: answered[name] for name in order if name != "parts"} == {
        name: value for name, value in order.items() if name != "parts"
    }


@pytest.mark.parametrize(
    "arguments",
    [{"id": "x"}, {"unknown": 1}, {"mail": "a", "phone": "b"}, {"state": "LOST"}, {"blob": 3}],
)
async def test_arguments_that_make_no_message_are_refused_before_anything_is_sent(
    arguments: dict[str, Any],
) -> None:
    with pytest.raises(InvalidArgument, match="do not make a Order"):
        await upstream("grpc://127.0.0.1:1").execute(call("Put", **arguments))


@pytest.mark.parametrize(
    ("status", "http", "words"),
    [("NOT_FOUND", 404, "Nothing matches"), ("PERMISSION_DENIED", 403, "operator"),
     ("INTERNAL", 500, "may have acted"), ("UNIMPLEMENTED", 501, "not offer")],
)  # fmt: skip
async def test_a_refusal_of_the_service_is_a_result(status: str, http: int, words: str) -> None:
    async with orders_service() as orders:
        service = upstream(orders.url)
        result = await service.execute(call("Get", failWith=status))
        await service.aclose()
    assert (result.is_error, result.upstream_status) == (True, http)
    text = result.body["content"][0]["text"]  # type: ignore[index]
    assert words in text
    assert "as you asked" in text


@pytest.mark.parametrize(
    ("status", "failure"),
    [("RESOURCE_EXHAUSTED", UpstreamRateLimited), ("UNAVAILABLE", UpstreamFailed),
     ("DEADLINE_EXCEEDED", UpstreamTimeout)],
)  # fmt: skip
async def test_a_failure_on_the_way_has_a_name(status: str, failure: type[Exception]) -> None:
    async with orders_service() as orders:
        service = upstream(orders.url)
        with pytest.raises(failure):
            await service.execute(call("Get", failWith=status))
        await service.aclose()


async def test_a_service_that_is_not_there_got_nothing() -> None:
    async with orders_service() as orders:
        url = orders.url
    service = upstream(url)
    with pytest.raises(UpstreamUnreachable, match="Nothing was sent"):
        await service.execute(call("Get"))
    await service.aclose()


async def test_a_service_that_comes_back_is_called_again() -> None:
    async with orders_service() as orders:
        service = upstream(orders.url)
        await service.execute(call("Get"))
    with pytest.raises((UpstreamUnreachable, UpstreamFailed)):
        await service.execute(call("Get"))
    await service.aclose()


async def test_a_method_that_is_not_described_is_an_operator_s_to_mend() -> None:
    for service in (SERVICE, "shop.v1.Nothing"):
        with pytest.raises(UpstreamFailed, match="import the service again"):
            await upstream("grpc://127.0.0.1:1").execute(call("Gone", service))


async def test_only_grpc_tools_are_executed() -> None:
    with pytest.raises(RuntimeError):
        await upstream("grpc://127.0.0.1:1").execute(Call(Method.TOOLS_CALL, "c"))
