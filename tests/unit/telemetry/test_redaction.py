import json
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.record import Status
from bascule.telemetry.redaction import (
    REDACTED,
    is_secret_name,
    redact,
    redact_members,
    redact_text,
)

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "name",
    ["Authorization", "proxy-authorization", "Cookie", "set-cookie", "x-api-key", "api_key",
     "apiKey", "APIKEY", "Ocp-Apim-Subscription-Key", "password", "dbPassword", "client_secret",
     "clientSecret", "token", "access_token", "refreshToken", "id_token", "private_key", "jwt",
     "aws_secret_access_key", "credentials", "redis.password"],
)  # fmt: skip
def test_names_of_secrets_are_recognised(name: str):
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["key", "key_id", "correlation_id", "event", "tool_name", "token_count", "max_tokens", "path",
     "monkey", "public_key", "keyboard", "author", "passed", "idempotency_key", ""],
)  # fmt: skip
def test_other_names_are_not(name: str):
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abcdef123", "Authorization: [redacted]"),
        ("authorization=Basic dXNlcjpwYXNz", "authorization=[redacted]"),
        ("{'Authorization': 'Bearer abcdef', 'a': 1}", "{'Authorization': '[redacted]', 'a': 1}"),
        ('{"cookie": "a=b; c=d"}', '{"cookie": "[redacted]"}'),
        ("Set-Cookie: sid=1; Path=/\nnext: 1", "Set-Cookie: [redacted]\nnext: 1"),
        ("got bearer abcdef123 there", "got bearer [redacted] there"),
        ("Basic dXNlcjpwYXNz", "Basic [redacted]"),
        ("GET /x?api_key=abc&a=1 HTTP", "GET /x?api_key=[redacted]&a=1 HTTP"),
        ("?access_token=abc", "?access_token=[redacted]"),
        ("DB_PASSWORD=hunter2", "DB_PASSWORD=[redacted]"),
        ('{"clientSecret": "abc"}', '{"clientSecret": "[redacted]"}'),
        ("postgresql://u:p@h/db", "postgresql://u:[redacted]@h/db"),
        ("redis://:p/w@h and http://h:80/x", "redis://:[redacted]@h and http://h:80/x"),
        (f"token is {JWT}.", "token is [redacted]"),
        ("key bsc_abcdefghijklmnopqrstuvwx", "key [redacted]"),
        ("AKIAIOSFODNN7EXAMPLE", "[redacted]"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "[redacted]"),
        ("a\n-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nb",
         "a\n[redacted]\nb"),
    ],
)  # fmt: skip
def test_credentials_in_texts_are_replaced(text: str, shown: str):
    assert redact_text(text) == shown


@pytest.mark.parametrize(
    "text",
    ["basic settings are fine", "http://user@host/path", "http://h:8080/a b@c", "the bearer of it",
     "eyJ is how it starts", "task-force", "2026-11-21T10:00:00Z", "a cookie", "secretary: Ann"],
)  # fmt: skip
def test_ordinary_texts_are_left_alone(text: str):
    assert redact_text(text) == text


SECRET = st.text(alphabet="abcXYZ019-_", min_size=24, max_size=60).map(lambda text: f"Zq9{text}")


@given(
    secret=SECRET,
    frame=st.sampled_from(
        [
            "Bearer {}",
            "x authorization: Bearer {} y",
            "?token={}&a=b",
            '"password": "{}"',
            "https://user:{}@host/",
            "bsc_{}",
            "eyJ{0}.{0}.{0}",
            "Cookie: a={}; b={}",
            "client_secret = {}",
        ]
    ),
    before=st.text(max_size=40),
    after=st.text(max_size=40),
)
def test_no_credential_survives_whatever_stands_around_it(
    secret: str, frame: str, before: str, after: str
):
    text = f"{before}\n{frame.replace('{0}', '{}').replace('{}', secret)} {after}"
    assert secret not in redact_text(text)


@given(st.text())
def test_redacting_again_changes_nothing(text: str):
    once = redact_text(text)
    assert redact_text(once) == once


@pytest.mark.parametrize(
    "piece",
    ["://", "://a:", "://a:b@", "bearer ", "basic ", "basic a", "-eyJ", "eyJaaaaaaaa.", "token=",
     "cookie:", "authorization ", "-----BEGIN PRIVATE KEY-----", "sk-", "x", 'secret"  ', "é"],
)  # fmt: skip
def test_no_text_makes_redaction_slow(piece: str):
    text = piece * (32_000 // len(piece))
    started = time.process_time()
    redact_text(text)
    assert time.process_time() - started < 0.5  # 1 to 5 ms; a quadratic pattern takes seconds


def test_members_named_like_secrets_keep_their_name_only():
    assert redact_members({"a": {"Authorization": "x", "b": [{"apiKey": ["x"]}]}, "n": 1}) == {
        "a": {"Authorization": REDACTED, "b": [{"apiKey": REDACTED}]},
        "n": 1,
    }


def test_whether_a_secret_is_there_may_be_told():
    assert redact({"token": None, "password": True}) == {"token": None, "password": True}


def test_size_is_bounded():
    text = redact_text("x" * 20_000)
    assert len(text) < 16_500
    assert text.endswith("… 3616 characters more")
    assert redact(list(range(150)))[-1] == "50 more items"  # pyright: ignore[reportIndexIssue]
    assert redact({str(n): n for n in range(150)})["…"] == "50 more members"  # pyright: ignore[reportIndexIssue]
    items: list[object] = []
    items.append(items)
    assert "[1 items]" in json.dumps(redact(items))
    members: dict[str, object] = {}
    members["a"] = members
    assert "1 members" in json.dumps(redact(members))


def test_a_secret_across_the_cut_is_not_left_in_halves():
    shown = redact_text("x" * 16_370 + " Bearer " + "s" * 500)
    assert "sss" not in shown


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Status.DENIED, "denied"),
        (ValueError("Bearer abcdef123"), "Bearer [redacted]"),
        (b"Bearer abcdef123", "b'Bearer [redacted]'"),
        ({1: 2}, {"1": 2}),
        ({"a"}, ["a"]),
        ("\ud800", "\\ud800"),
        (Hostile(), "<Hostile: RuntimeError in its repr>"),
    ],
)
def test_odd_values_become_plain_ones(value: object, plain: object):
    assert redact(value) == plain


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=20,
)


@given(ANYTHING)
def test_whatever_is_redacted_can_be_written_as_json(value: object):
    msgspec.json.decode(msgspec.json.encode(redact(value)))
