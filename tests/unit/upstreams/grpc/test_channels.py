"""Connections go where the rules let them, and are made anew where they were lost."""

import time

import pytest

from bascule.gateway.errors import UpstreamUnreachable
from bascule.upstreams.egress import AddressRefused, AddressRules
from bascule.upstreams.grpc.channels import Channel, timed_out
from bascule.upstreams.grpc.targets import Target
from fakes.grpc_service import orders_service


async def test_a_connection_is_kept_and_shared() -> None:
    async with orders_service() as orders:
        channel = Channel(Target.parse(orders.url), AddressRules(), 1_000_000)
        first = await channel.ready(time.monotonic() + 5)
        assert await channel.ready(time.monotonic() + 5) is first
        await channel.close()


async def test_a_name_that_leads_inside_is_refused() -> None:
    async def lookup(host: str, port: int) -> list[str]:
        return ["10.0.0.7"]

    channel = Channel(Target("orders.example", 80, is_secure=False), AddressRules((), lookup), 1)
    with pytest.raises(AddressRefused):
        await channel.ready(time.monotonic() + 5)


async def test_a_name_without_address_and_a_port_without_service_are_unreachable() -> None:
    async def nowhere(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    channel = Channel(Target("orders.example", 80, is_secure=False), AddressRules((), nowhere), 1)
    with pytest.raises(UpstreamUnreachable):
        await channel.ready(time.monotonic() + 5)
    for target in (Target("127.0.0.1", 1, is_secure=False), Target("127.0.0.1", 1, is_secure=True)):
        dead = Channel(target, AddressRules(), 1)
        with pytest.raises(UpstreamUnreachable, match="Nothing was sent"):
            await dead.ready(time.monotonic() + 5)


def test_a_deadline_that_passed_says_what_to_check() -> None:
    assert "may have acted" in timed_out("orders").public
