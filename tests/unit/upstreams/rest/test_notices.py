"""Headers a caller can act on are told, and nothing else of them."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from bascule.upstreams.http1 import HttpResponse
from bascule.upstreams.rest.notices import (
    notice,
    notice_of_head,
    retry_after_seconds,
)
from bascule.upstreams.strikes import strike_text

ORIGIN = "http://10.0.0.5:8080"


def told(*headers: tuple[str, str], secrets: tuple[str, ...] = ()) -> str:
    return notice(HttpResponse(200, list(headers), b""), ORIGIN, secrets)


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("/v1/bookings/7", "/v1/bookings/7"), (f"{ORIGIN}/v1/b?x=1#y", "/v1/b?x=1#y"),
        (ORIGIN, "/"), ("https://other.test/x", "https://other.test/x"),
        (f"{ORIGIN}0/x", f"{ORIGIN}0/x"), ("http://[::1", "http://[::1"),
        ("/a\u0085b\x1b[31m", "/ab[31m"), ("/" + "x" * 5000, "/" + "x" * 1999),
    ],
)  # fmt: skip
def test_a_location_is_told_without_the_address_of_the_upstream(location: str, shown: str) -> None:
    assert told(("location", location)) == f"Location: {shown}"


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        (f'<{ORIGIN}/x?page=2>; rel="next", <{ORIGIN}/x?page=9>; rel="last"', "/x?page=2"),
        ('</x?page=3>; title="a, b"; rel=next', "/x?page=3"),
        ('</x?page=4>; rel="prefetch next"', "/x?page=4"),
        ('</a,b>; REL = "Next"', "/a,b"),
    ],
)
def test_the_next_page_is_told(link: str, shown: str) -> None:
    assert told(("link", link)) == f"Next page: {shown}"


@pytest.mark.parametrize(
    "link", ['</x>; rel="last"', "</x>", "next", '</x>; rel="nextish"', "<<<<"]
)
def test_other_links_are_not(link: str) -> None:
    assert told(("link", link)) == ""


def test_everything_told_has_a_line_of_its_own_and_no_secrets() -> None:
    text = told(
        ("location", "/x?key=topsecret"), ("retry-after", "5"), ("retry-after", "soon"),
        secrets=("topsecret",),
    )  # fmt: skip

    assert text == "Location: /x?key=[removed]\nAsk again in 5 seconds."


def test_an_answer_to_head_tells_of_the_body_it_stands_for() -> None:
    headers = [("content-length", "5"), ("etag", '"x"'), ("set-cookie", "a=b")]

    assert notice_of_head(HttpResponse(200, headers, b"")) == 'content-length: 5\netag: "x"'


def test_secrets_are_struck_out() -> None:
    assert strike_text("a key b key", ["key"]) == "a [removed] b [removed]"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120), (" 5 ", 5), ("9" * 30, 86_400), ("", None), ("soon", None), ("-1", None),
     ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
     ("Wed, 21 Oct 2015 07:28:00 -0000", 0), ("Wed, 99 Oct 2015 07:28:00 GMT", None), ("²", None)],
)  # fmt: skip
def test_the_wait_is_read_in_either_form(value: str, seconds: int | None) -> None:
    assert retry_after_seconds(HttpResponse(429, [("retry-after", value)], b"")) == seconds


def test_a_moment_in_the_future_is_a_wait() -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)

    seconds = retry_after_seconds(HttpResponse(429, [("retry-after", moment)], b""))

    assert seconds is not None
    assert 80 <= seconds <= 91
