"""A service is asked what it is."""

import time

import pytest

from bascule.gateway.errors import UpstreamFailed, UpstreamTimeout
from bascule.upstreams.egress import AddressRules
from bascule.upstreams.grpc.channels import Channel
from bascule.upstreams.grpc.methods import read_surface
from bascule.upstreams.grpc.reflection import reflect
from bascule.upstreams.grpc.targets import Target
from fakes.grpc_service import orders_service


async def test_what_a_service_says_of_itself_is_all_that_is_needed() -> None:
    async with orders_service() as orders:
        channel = Channel(Target.parse(orders.url), AddressRules(), 1_000_000)
        deadline = time.monotonic() + 5
        described = await reflect(await channel.ready(deadline), deadline)
        await channel.close()
    assert [one.name for one in read_surface(described).methods] == ["Get", "Put", "Drop"]


async def test_a_service_without_reflection_asks_for_a_descriptor_set() -> None:
    async with orders_service(reflects=False) as orders:
        channel = Channel(Target.parse(orders.url), AddressRules(), 1_000_000)
        deadline = time.monotonic() + 5
        with pytest.raises(UpstreamFailed, match="give a descriptor set instead"):
            await reflect(await channel.ready(deadline), deadline)
        await channel.close()


async def test_reflection_ends_with_its_time() -> None:
    async with orders_service() as orders:
        channel = Channel(Target.parse(orders.url), AddressRules(), 1_000_000)
        ready = await channel.ready(time.monotonic() + 5)
        with pytest.raises(UpstreamTimeout):
            await reflect(ready, time.monotonic() - 1)
        await channel.close()
