import asyncio

import pytest

from bascule.transports.bodies import BodyTooLarge, ClientGone, read_body
from fakes.asgi import FakeExchange


async def read(exchange: FakeExchange, claimed: bytes | None = None, most: int = 10) -> bytes:
    async with asyncio.timeout(5):
        return await read_body(exchange.receive, claimed, most)


@pytest.mark.parametrize("chunks", [[b""], [b"abc"], [b"a", b"", b"bc"], [b"x" * 10], [b"x"] * 10])
async def test_a_body_within_the_bound_is_read_whole(chunks: list[bytes]) -> None:
    assert await read(FakeExchange(*chunks)) == b"".join(chunks)


@pytest.mark.parametrize("chunks", [[b"x" * 11], [b"x" * 10, b"y"], [b"x"] * 11, [b"x", b"y" * 99]])
async def test_a_body_over_the_bound_is_refused(chunks: list[bytes]) -> None:
    with pytest.raises(BodyTooLarge):
        await read(FakeExchange(*chunks))


@pytest.mark.parametrize("claimed", [b"11", b"99999999999999999999999999", b"1" + b"0" * 5000])
async def test_a_body_that_claims_too_much_is_refused_unread(claimed: bytes) -> None:
    exchange = FakeExchange(b"abc")
    with pytest.raises(BodyTooLarge):
        await read(exchange, claimed)
    assert exchange.receives == 0


@pytest.mark.parametrize("claimed", [b"3", b"0", b"-5", b"", b"ten", b"0x99", b"\xb2", b"1e9"])
async def test_a_claim_that_is_small_or_no_number_is_not_believed(claimed: bytes) -> None:
    assert await read(FakeExchange(b"abc"), claimed) == b"abc"
    with pytest.raises(BodyTooLarge):
        await read(FakeExchange(b"x" * 11), claimed)


async def test_a_body_that_claims_exactly_the_bound_is_read() -> None:
    assert await read(FakeExchange(b"x" * 10), b"10") == b"x" * 10


async def test_an_endless_body_is_left_at_the_bound() -> None:
    exchange = FakeExchange(*[b"x" * 6] * 1000, complete=False)
    with pytest.raises(BodyTooLarge):
        await read(exchange)
    assert exchange.receives == 2


async def test_a_first_piece_over_the_bound_does_not_wait_for_the_next() -> None:
    exchange = FakeExchange(b"x" * 11, complete=False)
    with pytest.raises(BodyTooLarge):
        await read(exchange)
    assert exchange.receives == 1


@pytest.mark.parametrize("chunks", [[], [b"abc"], [b"a", b"b"]])
async def test_a_client_that_leaves_in_the_middle_is_gone(chunks: list[bytes]) -> None:
    exchange = FakeExchange(*chunks, complete=False)
    exchange.hang_up()
    with pytest.raises(ClientGone):
        await read(exchange)
