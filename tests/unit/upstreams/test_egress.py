"""Names lead outside or where an operator allowed, and connections go where was judged."""

import asyncio
import time
from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from bascule.gateway.errors import UpstreamUnreachable
from bascule.upstreams.addresses import Reach, reach_of
from bascule.upstreams.egress import (
    ANYWHERE,
    PUBLIC_ONLY,
    AddressRefused,
    AddressRules,
    look_up,
    parse_networks,
)
from bascule.upstreams.http1 import HttpClient, HttpRequest, Origin, PoolConfig

INNER = ("10.0.0.5", "192.168.0.1", "127.0.0.1", "169.254.169.254", "::1", "fd00::1", "fe80::1%2",
         "::ffff:10.0.0.5", "64:ff9b::a9fe:a9fe", "100.64.0.1", "0.0.0.1", "224.0.0.1")  # fmt: skip


class FakeLookup:
    """Gives one answer after the other, and remembers how often it was asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def rules(*answers: Sequence[str], allowed: Sequence[str] = ()) -> AddressRules:
    return AddressRules(parse_networks(allowed), FakeLookup(*answers))


async def test_a_name_that_leads_outside_is_allowed() -> None:
    found = await rules(["93.184.216.34", "2606:2800::1"]).addresses("example.com", 443)
    assert list(found) == ["93.184.216.34", "2606:2800::1"]


@pytest.mark.parametrize("inner", INNER)
async def test_a_name_that_leads_inside_is_refused(inner: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        await rules([inner]).addresses("evil.example", 443)
    address = ip_address(inner.partition("%")[0])
    said = f"evil.example leads to {address}, {reach_of(address)}"
    assert caught.value.private.startswith(said)
    assert "upstreams.allowed_networks" in caught.value.private
    assert str(address) not in caught.value.public
    assert caught.value.error.code == "E4001"


async def test_one_inner_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(AddressRefused, match="may not be reached"):
        await rules(["93.184.216.34", "10.0.0.5"]).addresses("mixed.example", 443)


async def test_an_allowed_network_is_allowed_in_every_form() -> None:
    allowed = ("10.0.0.0/8", "169.254.1.1")
    for answer in ("10.0.0.5", "::ffff:10.0.0.5", "169.254.1.1"):
        judged = rules([answer], allowed=allowed)
        assert list(await judged.addresses("inside.example", 80)) == [answer]
    with pytest.raises(AddressRefused):
        await rules(["11.0.0.1", "192.168.0.1"], allowed=allowed).addresses("x.example", 80)


async def test_widened_rules_allow_more_and_leave_the_first_ones_as_they_were() -> None:
    narrow = rules(["10.0.0.5"])
    assert list(await narrow.widened(["10.0.0.0/24"]).addresses("a.example", 80)) == ["10.0.0.5"]
    with pytest.raises(AddressRefused):
        await narrow.addresses("a.example", 80)


@pytest.mark.parametrize("literal", ["127.0.0.1", "10.0.0.5", "::1", "fd00::1", "127.0.0.1."])
async def test_an_address_in_the_url_is_its_writers_choice(literal: str) -> None:
    found = await rules([]).addresses(literal, 80)
    assert list(found) == [literal.removesuffix(".")]


@pytest.mark.parametrize(
    "literal",
    ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "0.0.0.1", "fd00:ec2::254",
     "fd00:c1::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe"],
)  # fmt: skip
async def test_where_clouds_keep_credentials_no_address_leads_unless_allowed(literal: str) -> None:
    with pytest.raises(AddressRefused, match="may not be reached"):
        await rules([]).addresses(literal, 80)
    assert await rules([], allowed=[literal]).addresses(literal, 80)


@pytest.mark.parametrize("host", ["0x7f.1", "2130706433", "fe80::1%eth0", "127.1"])
async def test_odd_forms_are_refused_without_asking_a_resolver(host: str) -> None:
    lookup = FakeLookup(["93.184.216.34"])
    with pytest.raises(AddressRefused):
        await AddressRules((), lookup).addresses(host, 80)
    assert lookup.asked == []


async def test_localhost_is_this_machine_and_nothing_else() -> None:
    assert await rules(["127.0.0.1", "::1"]).addresses("LocalHost.", 80)
    with pytest.raises(AddressRefused):
        await rules(["10.0.0.5"]).addresses("localhost", 80)
    with pytest.raises(AddressRefused):
        await rules(["127.0.0.1"]).addresses("app.localhost", 80)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.0.0.5", "::1", "169.254.169.254", "LocalHost.", "0x7f.1"]
)
async def test_a_stranger_names_nothing_inside(host: str) -> None:
    strict = rules(["127.0.0.1"]).for_strangers()
    assert not strict.is_open_to_strangers(host)
    with pytest.raises(AddressRefused):
        await strict.addresses(host, 80)


async def test_a_stranger_names_what_is_public_or_allowed() -> None:
    strict = rules(["127.0.0.1"], allowed=["127.0.0.0/8", "10.0.0.0/8"]).for_strangers()
    for host in ("93.184.216.34", "10.0.0.5", "::ffff:10.0.0.5", "localhost"):
        assert strict.is_open_to_strangers(host)
        assert await strict.addresses(host, 80)
    # Names are judged by where they lead, on connecting.
    assert strict.is_open_to_strangers("inside.example")
    assert strict.widened(["192.168.0.0/16"]).only_public


async def test_a_name_without_addresses_cannot_be_reached() -> None:
    with pytest.raises(OSError, match="has no address"):
        await rules([]).addresses("empty.example", 80)


async def test_anywhere_is_anywhere() -> None:
    for inner in ("10.0.0.5", "169.254.169.254", "fe80::1"):
        assert await AddressRules(ANYWHERE.allowed, FakeLookup([inner])).addresses("x.example", 80)


def test_a_range_must_be_one() -> None:
    with pytest.raises(ValueError, match=r"'10\.0\.0\.1/8' is no address range"):
        parse_networks(["10.0.0.1/8"])


async def test_the_system_is_asked_for_names() -> None:
    found = await look_up("localhost", 80)
    assert found
    assert {reach_of(ip_address(one)) for one in found} == {Reach.LOOPBACK}
    assert await PUBLIC_ONLY.addresses("localhost", 80) == found


# With real sockets.


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    host = next(one for one in head.split(b"\r\n") if one.lower().startswith(b"host:"))
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(host))
    writer.write(host)
    await writer.drain()
    writer.close()


async def test_a_connection_goes_to_the_judged_address_under_its_own_name() -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    judged = rules(["127.0.0.1"], allowed=["127.0.0.0/8"])
    async with asyncio.timeout(5), server, HttpClient(PoolConfig(rules=judged)) as client:
        request = HttpRequest(Origin("http", "api.example", port), "GET", "/")
        response = await client.request(request, time.monotonic() + 5)
    assert response.body == f"host: api.example:{port}".encode()


async def test_a_name_that_changes_its_mind_is_judged_anew_for_each_connection() -> None:
    """DNS rebinding: harmless at first, inside later; and never asked twice for one connection."""
    server = await asyncio.start_server(_answer, "127.0.0.2", 0)
    port = server.sockets[0].getsockname()[1]
    lookup = FakeLookup(["127.0.0.2"], ["127.0.0.1"])
    judged = AddressRules(parse_networks(["127.0.0.2"]), lookup)
    request = HttpRequest(Origin("http", "rebind.example", port), "GET", "/")
    async with asyncio.timeout(5), server, HttpClient(PoolConfig(rules=judged)) as client:
        assert (await client.request(request, time.monotonic() + 5)).status == 200
        with pytest.raises(AddressRefused):
            await client.request(request, time.monotonic() + 5)
        with pytest.raises(AddressRefused):
            async with client.stream(request, time.monotonic() + 5):
                raise AssertionError("nothing was to be opened")
    assert len(lookup.asked) == 3


async def test_a_dead_address_does_not_keep_from_the_next_one() -> None:
    server = await asyncio.start_server(_answer, "127.0.0.2", 0)
    port = server.sockets[0].getsockname()[1]
    judged = rules(["127.0.0.3", "127.0.0.2"], allowed=["127.0.0.0/8"])
    request = HttpRequest(Origin("http", "two.example", port), "GET", "/")
    async with asyncio.timeout(5), server, HttpClient(PoolConfig(rules=judged)) as client:
        assert (await client.request(request, time.monotonic() + 5)).status == 200


async def test_where_none_answers_every_reason_is_told() -> None:
    judged = rules(["127.0.0.2", "127.0.0.3"], allowed=["127.0.0.0/8"])
    async with HttpClient(PoolConfig(rules=judged)) as client:
        with pytest.raises(UpstreamUnreachable) as caught:
            await client.connect(Origin("http", "none.example", 1), time.monotonic() + 5)
    assert "127.0.0.2" in caught.value.private
    assert "127.0.0.3" in caught.value.private
