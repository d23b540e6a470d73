import time

import pytest

from bascule.upstreams.http1 import HttpClient, HttpRequest, Origin
from bascule.upstreams.http1.redirects import redirected

HERE = Origin("https", "api.example", 443)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def asking(method: str = "GET") -> HttpRequest:
    return HttpRequest(HERE, method, "/a/b?x=1", [("x-key", "k")])


def moved(location: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


def soon() -> float:
    return time.monotonic() + 5


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/c", "/c"),
        ("c?y=2", "/a/c?y=2"),
        ("https://api.example/c#part", "/c"),
        ("https://API.example:443/c", "/c"),
        ("//api.example/d", "/d"),
    ],
)
def test_a_redirect_within_the_origin_is_followed(location: str, target: str) -> None:
    for status in (301, 302, 303, 307, 308):
        assert redirected(asking(), status, location) == asking()._replace(target=target)


@pytest.mark.parametrize(
    "location",
    ["https://other.example/", "http://api.example/c", "https://api.example:8443/c",
     "https://api.example.evil.example/", "//evil.example", "https://u:p@api.example/",
     "javascript:alert(1)", "https://[", "/a b\r\nx", "", None],
)  # fmt: skip
def test_a_redirect_elsewhere_is_not_followed(location: str | None) -> None:
    assert redirected(asking(), 302, location) is None


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_but_reading_is_redirected(method: str) -> None:
    assert redirected(asking(method), 307, "/c") is None


@pytest.mark.parametrize("status", [300, 304, 305, 306])
def test_other_statuses_are_no_redirects(status: int) -> None:
    assert redirected(asking(), status, "/c") is None


async def test_a_client_follows_with_the_same_headers(serve) -> None:
    server = await serve(moved("/there"), OK)
    async with HttpClient() as client:
        request = HttpRequest(server.origin, "GET", "/", [("x-key", "k")])
        assert (await client.request(request, soon())).body == b"hi"
    assert server.requests[1].startswith(b"GET /there HTTP/1.1\r\n")
    assert b"x-key: k" in server.requests[1]


async def test_a_client_follows_three_times_and_no_more(serve) -> None:
    server = await serve(*[moved(f"/{n}") for n in range(9)])
    async with HttpClient() as client:
        response = await client.request(HttpRequest(server.origin, "GET", "/"), soon())
    assert response.status == 302
    assert len(server.requests) == 4


async def test_a_client_gives_other_redirects_as_they_are(serve) -> None:
    server = await serve(moved("http://127.0.0.1:9/"), moved("/there"))
    async with HttpClient() as client:
        response = await client.request(HttpRequest(server.origin, "GET", "/"), soon())
        assert (response.status, response.header("location")) == (302, "http://127.0.0.1:9/")
        response = await client.request(HttpRequest(server.origin, "POST", "/"), soon())
        assert response.status == 302


async def test_a_stream_follows_as_well(serve) -> None:
    server = await serve(moved("/there"), OK)
    async with HttpClient() as client:
        request = HttpRequest(server.origin, "GET", "/")
        async with client.stream(request, soon()) as response:
            assert (response.status, await response.read()) == (200, b"hi")


async def test_a_stream_follows_three_times_and_gives_other_redirects(serve) -> None:
    server = await serve(*[moved(f"/{n}") for n in range(4)], moved("http://127.0.0.1:9/"))
    async with HttpClient() as client:
        request = HttpRequest(server.origin, "GET", "/")
        async with client.stream(request, soon()) as response:
            assert response.status == 302
        async with client.stream(request, soon()) as response:
            assert response.header("location") == "http://127.0.0.1:9/"
