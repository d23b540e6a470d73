import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.upstreams.http1.messages import HttpRequest, HttpResponse, Origin, encode_request

LOCAL = Origin("http", "127.0.0.1", 80)


@pytest.mark.parametrize(
    ("url", "origin", "base"),
    [
        ("http://example.test", Origin("http", "example.test", 80), ""),
        ("https://example.test/", Origin("https", "example.test", 443), ""),
        ("https://Example.test:8443/v1/", Origin("https", "example.test", 8443), "/v1"),
        ("http://[::1]:8080/a/b", Origin("http", "::1", 8080), "/a/b"),
        ("http://bücher.test/ä%20b", Origin("http", "xn--bcher-kva.test", 80), "/%C3%A4%20b"),
        ("http://my_service:8000", Origin("http", "my_service", 8000), ""),
    ],
)
def test_url_is_split_into_origin_and_base_path(url: str, origin: Origin, base: str) -> None:
    assert Origin.parse(url) == (origin, base)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://h", "/"),
        ("http://h/mcp/", "/mcp/"),
        ("http://h/mcp?key=a%20b&x=", "/mcp?key=a%20b&x="),
    ],
)
def test_endpoint_keeps_its_path_and_query_as_written(url: str, target: str) -> None:
    assert Origin.locate(url)[1] == target


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("ftp://h/", "begin with http"),
        ("example.test/x", "begin with http"),
        ("http:///x", "names no host"),
        ("http://u:p@h/", "user or password"),
        ("http://h/#part", "fragment"),
        ("http://h/a b", "spaces or control"),
        ("http://h/\r\nx: y", "spaces or control"),
        ("http://h:99999/", "ort"),
        ("http://a..b/", "host name"),
        ("http://" + "a" * 64 + ".test/", "host name"),
    ],
)
def test_unusable_url_is_refused_with_what_to_change(url: str, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        Origin.locate(url)


def test_base_url_with_a_query_is_refused() -> None:
    with pytest.raises(ValueError, match="query"):
        Origin.parse("http://h/v1?key=1")


def test_authority_names_the_port_only_where_it_is_unusual() -> None:
    assert Origin("https", "h", 443).authority == "h"
    assert Origin("https", "h", 80).authority == "h:80"
    assert Origin("http", "::1", 8080).authority == "[::1]:8080"
    assert str(Origin("http", "h", 80)) == "http://h"


def test_request_is_encoded_with_host_and_length() -> None:
    request = HttpRequest(LOCAL, "POST", "/a?b=c", [("Accept", "*/*")], b"body")
    assert encode_request(request) == (
        b"POST /a?b=c HTTP/1.1\r\nhost: 127.0.0.1\r\nAccept: */*\r\ncontent-length: 4\r\n\r\nbody"
    )


def test_get_has_no_length_and_empty_post_has_one() -> None:
    assert b"content-length" not in encode_request(HttpRequest(LOCAL, "GET", "/"))
    assert b"content-length: 0\r\n" in encode_request(HttpRequest(LOCAL, "POST", "/"))


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\nb", "a\rb", "a\0b", "\n", "€"])
def test_header_value_that_would_break_the_message_is_refused(value: str) -> None:
    with pytest.raises(ValueError):
        encode_request(HttpRequest(LOCAL, "GET", "/", [("x", value)]))


@pytest.mark.parametrize(
    "name",
    ["", "a b", "a:", "a\r\nb", "ä", "Host", "content-length", "Transfer-Encoding", "Connection"],
)
def test_header_name_that_would_break_the_message_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        encode_request(HttpRequest(LOCAL, "GET", "/", [(name, "x")]))


@pytest.mark.parametrize("target", ["", "a", "/a b", "/a\r\n", "/\0", "/ä", "http://h/", "/\x7f"])
def test_target_that_would_break_the_message_is_refused(target: str) -> None:
    with pytest.raises(ValueError):
        encode_request(HttpRequest(LOCAL, "GET", target))


@pytest.mark.parametrize("method", ["", "GE T", "GET\r\n", "GÉT"])
def test_method_that_is_no_token_is_refused(method: str) -> None:
    with pytest.raises(ValueError):
        encode_request(HttpRequest(LOCAL, method, "/"))


class Seen:
    def __init__(self) -> None:
        self.headers: list[tuple[str, str]] = []
        self.url = b""
        self.body = b""
        self.complete = 0

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.decode(), value.decode("latin-1")))

    def on_body(self, piece: bytes) -> None:
        self.body += piece

    def on_message_complete(self) -> None:
        self.complete += 1


@given(
    target=st.text(max_size=20).map(lambda text: "/" + text),
    headers=st.lists(st.tuples(st.text(max_size=8), st.text(max_size=20)), max_size=4),
    body=st.binary(max_size=50),
)
def test_whatever_is_encoded_reads_back_as_exactly_one_request(
    target: str, headers: list[tuple[str, str]], body: bytes
) -> None:
    request = HttpRequest(LOCAL, "POST", target, headers, body)
    try:
        payload = encode_request(request)
    except ValueError:
        return
    seen = Seen()
    parser = httptools.HttpRequestParser(seen)
    try:
        parser.feed_data(payload)
    except httptools.HttpParserError:
        return  # a control character the receiver refuses; it changed nothing
    expected = [("host", "127.0.0.1"), *headers, ("content-length", str(len(body)))]
    stripped = [(name, value.strip(" \t")) for name, value in expected]
    assert seen.complete == 1
    assert [(name, value.strip(" \t")) for name, value in seen.headers] == stripped
    assert seen.url.decode() == target
    assert seen.body == body


def test_header_lookup_gives_the_first_value_or_none() -> None:
    response = HttpResponse(200, [("a", "1"), ("a", "2")], b"")
    assert response.header("a") == "1"
    assert response.header("b") is None


@pytest.mark.parametrize("host", ["h\r\nX-Evil: 1", "h h", "h\0", "h\u00e9"])
def test_a_host_that_would_change_the_message_is_no_origin(host: str) -> None:
    with pytest.raises(ValueError, match="not a host"):
        Origin("http", host, 80)
