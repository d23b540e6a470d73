"""Header values are parsed back by the grammar of RFC 9110, as a client would."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.call import Call, Method, Outcome, Result
from bascule.gateway.errors import ErrorCode
from bascule.gateway.issuer import Issuer
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.verdict import Challenge, Refuse
from bascule.transports.authentication import (
    PLAIN_CHALLENGE,
    bearer,
    challenge,
    challenge_to,
    is_repeated,
    names_credential,
    objection_to,
    quoted,
)

ISSUER = Issuer(
    "id", "https://id.example", "acme", scopes={"see": ("tools:list",), "use": ("tools:execute",)}
)
WITH_ISSUER = Snapshot(1, issuers={ISSUER.issuer: ISSUER})
METADATA = "http://gw.example/.well-known/oauth-protected-resource/mcp"
AUTHORIZATION = (b"authorization", b"Bearer x")
_PARAMETER = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"(?:, |$)')


def parameters(value: bytes) -> dict[str, str]:
    """The auth-params of a challenge, as RFC 9110 section 11.2 has them."""
    scheme, _, rest = value.decode("ascii").partition(" ")
    assert scheme == "Bearer"
    found: dict[str, str] = {}
    position = 0
    while position < len(rest):
        match = _PARAMETER.match(rest, position)
        assert match is not None, rest[position:]
        assert match[1] not in found
        found[match[1]] = re.sub(r"\\(.)", r"\1", match[2])
        position = match.end()
    return found


def asked(error: ErrorCode, method: Method = Method.TOOLS_CALL, **members: object) -> bytes | None:
    call = Call(method, "c-1", resource="http://gw.example/mcp", snapshot=WITH_ISSUER)
    details = members.pop("details", None)
    for name, value in members.items():
        setattr(call, name, value)
    assert details is None or isinstance(details, dict)
    return challenge_to(call, Refuse(error, "It is not good.", "private", details))


# What is sent.


def test_who_came_without_a_credential_learns_where_to_get_one_and_for_what() -> None:
    value = asked(ErrorCode.AUTH_REQUIRED)
    assert value is not None
    said = {"realm": "bascule", "resource_metadata": METADATA, "scope": "see use"}
    assert parameters(value) == said


@pytest.mark.parametrize("error", [ErrorCode.INVALID_TOKEN, ErrorCode.TOKEN_EXPIRED])
def test_whose_credential_is_not_good_is_told_so(error: ErrorCode) -> None:
    value = asked(error, Method.TOOLS_LIST)
    assert value is not None
    assert parameters(value) == {
        "realm": "bascule",
        "resource_metadata": METADATA,
        "scope": "see",
        "error": "invalid_token",
        "error_description": "It is not good.",
    }


def test_a_handshake_is_for_seeing_tools() -> None:
    value = asked(ErrorCode.AUTH_REQUIRED, Method.INITIALIZE)
    assert value is not None
    assert parameters(value)["scope"] == "see"


def test_where_only_keys_help_nothing_is_said_of_tokens() -> None:
    assert asked(ErrorCode.AUTH_REQUIRED, snapshot=Snapshot()) == PLAIN_CHALLENGE
    value = asked(ErrorCode.INVALID_TOKEN, snapshot=Snapshot())
    assert value is not None
    assert parameters(value).keys() == {"realm", "error", "error_description"}


def test_a_place_that_is_not_known_is_left_out() -> None:
    value = asked(ErrorCode.AUTH_REQUIRED, resource="")
    assert value is not None
    assert parameters(value).keys() == {"realm", "scope"}


def test_at_a_tenants_host_other_issuers_are_not_spoken_of() -> None:
    snapshot = Snapshot(1, hosts={"gw.example": "globex"}, issuers=WITH_ISSUER.issuers)
    assert asked(ErrorCode.AUTH_REQUIRED, host="gw.example", snapshot=snapshot) == PLAIN_CHALLENGE


def test_missing_scopes_are_named_together() -> None:
    value = asked(ErrorCode.INSUFFICIENT_SCOPE, details={"scopes": ["see", "use"]})
    assert value is not None
    assert parameters(value) == {
        "realm": "bascule",
        "resource_metadata": METADATA,
        "scope": "see use",
        "error": "insufficient_scope",
        "error_description": "It is not good.",
    }


@pytest.mark.parametrize(
    "outcome",
    [
        Result({}),
        Challenge("Ask.", "asked", "https://x.example"),
        Refuse(ErrorCode.FORBIDDEN, "No.", "no"),
        Refuse(ErrorCode.INSUFFICIENT_SCOPE, "A key is limited.", "k", {"permissions": ["a"]}),
    ],
)
def test_what_no_token_changes_is_no_challenge(outcome: Outcome) -> None:
    assert challenge_to(Call(Method.PING, "c-1", snapshot=WITH_ISSUER), outcome) is None


@given(st.text(), st.text(), st.lists(st.text()), st.text())
def test_nothing_that_is_said_breaks_out_of_its_place(
    metadata: str, error: str, scopes: list[str], description: str
) -> None:
    value = challenge(metadata=metadata, error=error, scopes=scopes, description=description)
    assert re.fullmatch(rb"[\x20-\x7e]+", value)
    found = parameters(value)
    assert found.keys() <= {
        "realm", "resource_metadata", "scope", "error", "error_description"
    }  # fmt: skip
    assert found["realm"] == "bascule"


@given(st.text())
def test_a_quoted_string_needs_no_escape_and_is_bounded(text: str) -> None:
    value = quoted(text)
    assert re.fullmatch(r'"[\x20\x21\x23-\x5b\x5d-\x7e]{0,300}"', value)


def test_what_may_stand_in_a_quoted_string_does() -> None:
    assert quoted("a sentence, with 'all' of it.") == "\"a sentence, with 'all' of it.\""
    assert quoted('say "no"\r\nX: y\\') == "\"say 'no'??X: y?\""


# What came.


def test_only_a_bearer_is_a_credential() -> None:
    assert bearer(b"Bearer  x ") == "x"
    assert bearer(b"bearer x") == "x"
    assert bearer(b"Bearer") == bearer(b"Bearer ") == ""
    assert bearer(b"Basic x") is None
    assert bearer(None) is None


def test_two_headers_are_one_too_many() -> None:
    assert not is_repeated([AUTHORIZATION, (b"host", b"x")])
    assert is_repeated([AUTHORIZATION, (b"host", b"x"), AUTHORIZATION])
    assert objection_to([AUTHORIZATION, AUTHORIZATION], b"") == (
        ErrorCode.INVALID_REQUEST,
        "Send one Authorization header, with one credential.",
    )


@pytest.mark.parametrize(
    "query",
    [b"access_token=x", b"ACCESS_TOKEN=x", b"a=1&Api-Key=x", b"token=", b"key", b"acce%73s_token=x",
     b"x=bsc_secret", b"x=%62sc_secret", b"%20token=x", b"jwt=x", b"a=%FF&apiKey=%FF"],
)  # fmt: skip
def test_a_credential_in_the_address_is_seen_however_it_is_written(query: bytes) -> None:
    assert names_credential(query)


@pytest.mark.parametrize(
    "query",
    [b"", b"session=x", b"page=1&limit=2", b"code=x&state=y&iss=z", b"key_id=7", b"tokens=3"],
)
def test_other_parameters_are_not_taken_for_one(query: bytes) -> None:
    assert not names_credential(query)
    assert objection_to([AUTHORIZATION], query) is None


def test_a_credential_in_the_address_is_none_and_beside_one_a_mistake() -> None:
    alone, beside = objection_to([], b"key=x"), objection_to([AUTHORIZATION], b"key=x")
    assert alone is not None
    assert beside is not None
    assert (alone[0], beside[0]) == (ErrorCode.AUTH_REQUIRED, ErrorCode.INVALID_REQUEST)
    assert "Authorization: Bearer" in alone[1]
    assert alone[1] == beside[1]


@given(st.binary())
def test_any_query_is_judged(query: bytes) -> None:
    assert names_credential(query) in {True, False}
