"""Refusals of the upstream tell the caller what to do, and nothing it must not know."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from bascule.upstreams.http1 import HttpResponse
from bascule.upstreams.rest.refusals import refuse, retry_after_seconds, secrets_in


def told(
    status: int, body: bytes = b"", media_type: str = "application/json", *, location: str = "",
    secrets: tuple[str, ...] = (),
) -> str:  # fmt: skip
    """The text of the refusal."""
    headers = [("content-type", media_type)] + ([("location", location)] if location else [])
    result = refuse(HttpResponse(status, headers, body), "booking", secrets)
    assert result.is_error
    assert result.body["isError"] is True
    assert result.failure == f"upstream booking answered HTTP {status}"
    (content,) = result.body["content"]
    return content["text"]


def test_status_message_and_hint_are_told() -> None:
    text = told(404, b'{\n "error": "no such dealer"\n}')

    assert text.startswith('The upstream answered HTTP 404 (Not Found): {"error":"no such dealer"}')
    assert "look the identifiers up again" in text


def test_a_refused_credential_is_the_gateways() -> None:
    for status in (401, 403):
        assert "credential that the gateway uses" in told(status)


def test_a_failure_of_the_server_warns_of_repeating() -> None:
    assert "may have acted" in told(503, b"busy", "text/plain")
    assert "HTTP 599" in told(599)


def test_every_refusal_has_some_hint() -> None:
    for status in range(400, 600):
        assert len(told(status).splitlines()[1]) > 5


def test_a_message_is_cut_at_4000_characters() -> None:
    text = told(400, b'"' + b"x" * 10_000 + b'"')

    assert len(text.splitlines()[0]) < 4_100
    assert "…" in text


def test_pages_and_bytes_are_described_not_shown() -> None:
    assert "an HTML page of 1,000 bytes" in told(500, b"<" * 1_000, "text/html; charset=utf-8")
    assert "3 bytes of image/png" in told(500, b"abc", "image/png")


def test_json_that_is_none_is_shown_as_text() -> None:
    assert ": {oops" in told(400, b"{oops")


def test_a_redirect_names_only_the_host() -> None:
    text = told(302, b"secret page", location="https://login.example.com/start?token=abc")

    assert "login.example.com" in text
    assert "abc" not in text
    assert "not followed" in text


@pytest.mark.parametrize(
    ("location", "named"),
    [("", "nowhere"), ("/other", "same host"), ("https://[::1", "malformed")],
)
def test_odd_redirects_are_told_too(location: str, named: str) -> None:
    assert named in told(307, location=location)


def test_secrets_are_struck_out_wherever_the_upstream_repeats_them() -> None:
    secrets = secrets_in([("Authorization", "Bearer sk-1234567890"), ("accept", "application/xml")])

    text = told(401, b'{"error": "bad key sk-1234567890, Bearer sk-1234567890"}', secrets=secrets)

    assert "sk-1234567890" not in text
    assert "[removed]" in text
    assert "application/xml" not in secrets


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
