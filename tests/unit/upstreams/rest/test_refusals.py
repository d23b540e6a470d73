"""Refusals of the upstream tell the caller what to do, and nothing it must not know."""

import pytest

from bascule.upstreams.http1 import HttpResponse
from bascule.upstreams.rest.refusals import (
    Asked,
    Credential,
    credentials_in,
    refuse,
    secrets_in,
    shows_credential,
)


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


def hint(
    status: int, credential: Credential = Credential.SHOWN, *, only_reads: bool = False
) -> str:
    """What the refusal advises."""
    asked = Asked(credential, only_reads)
    result = refuse(HttpResponse(status, [], b""), "booking", (), asked)
    return result.body["content"][0]["text"]


def test_a_refused_credential_is_the_gateways() -> None:
    assert "credential that the gateway uses for this upstream was refused" in hint(401)


@pytest.mark.parametrize("status", [401, 403])
def test_no_credential_is_blamed_where_there_is_none(status: int) -> None:
    text = hint(status, Credential.NONE)

    assert "none is set" in text
    assert "bascule upstreams set" in text
    assert "gateway uses" not in text


@pytest.mark.parametrize("status", [401, 403])
def test_a_credential_that_is_not_for_this_host_is_not_blamed_either(status: int) -> None:
    assert "another host" in hint(status, Credential.WITHHELD)


@pytest.mark.parametrize("credential", Credential)
def test_what_is_forbidden_may_be_this_resource_alone(credential: Credential) -> None:
    assert "this one resource" in hint(403, credential)


def test_a_failure_of_the_server_warns_of_repeating() -> None:
    assert "may have acted" in told(503, b"busy", "text/plain")
    assert "HTTP 599" in told(599)


@pytest.mark.parametrize("status", [500, 503, 599])
def test_a_failed_read_has_not_acted(status: int) -> None:
    text = hint(status, only_reads=True)

    assert "acted" not in text
    assert "only reads" in text


def test_headers_that_everybody_may_know_are_no_credential() -> None:
    assert not shows_credential([("Accept", "text/csv"), ("User-Agent", "x")])
    assert shows_credential([("Accept", "text/csv"), ("X-Key", "k")])


def test_not_modified_is_no_redirect() -> None:
    text = told(304)

    assert "nothing changed" in text
    assert "redirect" not in text


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
    assert "was not followed: only redirects of GET and HEAD within the same" in text


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


def test_problem_details_are_told_in_words() -> None:
    problem = b'{"title":"Invalid","detail":"No such day.","status":422}'

    assert "): Invalid: No such day.\n" in told(422, problem, "application/problem+json")


def test_problem_details_that_are_none_are_told_as_they_are() -> None:
    assert '{"oops":1}' in told(400, b'{"oops": 1}', "application/problem+json")


def test_the_wait_is_told() -> None:
    response = HttpResponse(503, [("retry-after", "7")], b"")

    result = refuse(response, "u", ())

    assert "asks to wait 7 seconds" in result.body["content"][0]["text"]
    assert result.upstream_status == 503


def test_no_part_of_a_secret_is_left_where_a_message_is_cut() -> None:
    body = b"x" * 3_990 + b" s3cr3t-and-long" + b"y" * 100

    assert "s3cr3t" not in told(400, body, "text/plain", secrets=("s3cr3t-and-long",))


def test_credentials_are_known_by_the_names_of_their_headers() -> None:
    headers = [("X-Api-Key", "key-12345"), ("Authorization", "tok-12345"), ("x-region", "eu-12345")]

    assert set(credentials_in(headers)) == {"key-12345", "tok-12345"}
