"""Nobody is sent where a code would not be safe, and no code is taken that may be another's."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.upstreams.oauth.asking import ask, check_callback, read_callback
from bascule.upstreams.oauth.failures import AuthorizationFailed
from bascule.upstreams.oauth.ground import Ground
from bascule.upstreams.oauth.metadata import ServerMetadata
from bascule.upstreams.oauth.ports import Callback, Holder, Pending, Registration

GROUND = Ground("https://mcp.example/mcp")
CLIENT = Registration("https://a.example", "client", redirect_uri="https://g.example/callback")


def server(**members: Any) -> ServerMetadata:
    usual = {
        "issuer": "https://a.example",
        "authorization_endpoint": "https://a.example/authorize?kept=1&state=evil",
        "token_endpoint": "https://a.example/token",
        "code_challenge_methods_supported": ("plain", "S256"),
    }
    return ServerMetadata(**(usual | members))


def begin(**members: Any) -> Pending:
    holder = Holder("t", "key|ann", "s")
    return ask(holder, GROUND, server(**members), CLIENT, "https://mcp.example", ("a", "b"))


def test_the_request_holds_everything_once_and_its_secret_not() -> None:
    pending = begin()

    pairs = parse_qsl(urlsplit(pending.url).query)
    params = dict(pairs)
    assert len(pairs) == len(params)
    assert params["kept"] == "1"
    assert params["state"] == pending.state
    assert params["resource"] == pending.resource == "https://mcp.example"
    assert params["scope"] == "a b"
    assert params["redirect_uri"] == CLIENT.redirect_uri
    assert (params["response_type"], params["code_challenge_method"]) == ("code", "S256")
    assert pending.verifier not in pending.url


def test_no_two_requests_share_a_secret() -> None:
    first, second = begin(), begin()

    assert first.state != second.state
    assert first.verifier != second.verifier
    assert len(first.verifier) >= 43  # RFC 7636 section 4.1


@pytest.mark.parametrize(
    "members",
    [
        {"code_challenge_methods_supported": ()},
        {"code_challenge_methods_supported": ("plain",)},
        {"authorization_endpoint": ""},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "data:text/html,x"},
        {"authorization_endpoint": "http://a.example/authorize"},
        {"token_endpoint": ""},
        {"token_endpoint": "file:///token"},
    ],
)
def test_a_server_that_is_not_safe_is_not_asked(members: dict[str, Any]) -> None:
    with pytest.raises(AuthorizationFailed):
        begin(**members)


@pytest.mark.parametrize(
    ("advertised", "iss", "taken"),
    [
        (True, "https://a.example", True),
        (True, None, False),
        (True, "https://evil.example", False),
        (True, "https://a.example/", False),
        (True, "https://A.example", False),
        (True, "", False),
        (False, "https://a.example", True),
        (False, None, True),
        (False, "https://evil.example", False),
    ],
)
def test_an_answer_must_be_from_who_was_asked(
    advertised: bool, iss: str | None, taken: bool
) -> None:
    pending = begin(authorization_response_iss_parameter_supported=advertised)
    callback = Callback(pending.state, "code", iss)

    if taken:
        assert check_callback(pending, callback) == "code"
        return
    with pytest.raises(AuthorizationFailed):
        check_callback(pending, callback)


def test_an_answer_to_another_request_is_refused() -> None:
    with pytest.raises(AuthorizationFailed):
        check_callback(begin(), Callback("other", "code"))
    with pytest.raises(AuthorizationFailed):
        check_callback(begin(), Callback("stäte", "code"))


@pytest.mark.parametrize("code", ["", "x" * 9000])
def test_an_answer_without_a_code_is_refused(code: str) -> None:
    pending = begin()

    with pytest.raises(AuthorizationFailed):
        check_callback(pending, Callback(pending.state, code))


def test_a_refusal_is_told_in_known_words_alone() -> None:
    pending = begin()
    with pytest.raises(AuthorizationFailed) as known:
        check_callback(pending, Callback(pending.state, error="access_denied"))
    with pytest.raises(AuthorizationFailed) as odd:
        check_callback(pending, Callback(pending.state, error="<b>SECRET"))
    with pytest.raises(AuthorizationFailed) as foreign:
        check_callback(
            pending, Callback(pending.state, iss="https://evil.example", error="access_denied")
        )

    assert "access_denied" in known.value.private
    assert "SECRET" not in odd.value.private
    assert "access_denied" not in foreign.value.private


def test_what_a_browser_brings_is_read_whole() -> None:
    assert read_callback("state=s&code=c%2B&iss=https%3A%2F%2Fa&error=") == Callback(
        "s", "c+", "https://a", ""
    )
    assert read_callback("state=s&error=access_denied") == Callback("s", error="access_denied")


@pytest.mark.parametrize(
    "query",
    ["", "code=c", "state=", "state=s&state=t", "state=s&iss=a&iss=b", "&".join("abc" * 40)],
)
def test_what_is_no_answer_is_none(query: str) -> None:
    assert read_callback(query) is None


@given(st.text(max_size=200))
def test_any_query_is_an_answer_or_none(query: str) -> None:
    found = read_callback(query)
    assert found is None or found.state


def test_what_waits_can_be_written_down_and_read_again() -> None:
    pending = begin()

    assert msgspec.json.decode(msgspec.json.encode(pending), type=Pending) == pending
