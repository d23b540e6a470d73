from bascule.transports.asgi import respond
from fakes.asgi import FakeExchange


async def test_a_response_is_complete_and_says_how_long_it_is() -> None:
    exchange = FakeExchange()
    await respond(exchange.send, 418, b"tea", [(b"x-a", b"1")])
    assert exchange.sent == [
        {
            "type": "http.response.start",
            "status": 418,
            "headers": [(b"x-a", b"1"), (b"content-length", b"3")],
        },
        {"type": "http.response.body", "body": b"tea"},
    ]
