import re
from collections import Counter

import pytest

from bascule.gateway.errors import ErrorCode, GatewayError, UpstreamTimeout
from bascule.protocol import codes

SPECIFIED = {
    codes.PARSE_ERROR,
    codes.INVALID_REQUEST,
    codes.METHOD_NOT_FOUND,
    codes.INVALID_PARAMS,
    codes.INTERNAL_ERROR,
    codes.HEADER_MISMATCH,
    codes.MISSING_CLIENT_CAPABILITY,
    codes.UNSUPPORTED_VERSION,
}


def classes_of(error: type[GatewayError]) -> list[type[GatewayError]]:
    return [error, *(one for sub in error.__subclasses__() for one in classes_of(sub))]


def test_no_code_and_no_slug_means_two_things() -> None:
    """Enum members with equal values would silently become aliases: look at the definition."""
    members = ErrorCode.__members__
    assert len(members) == len(list(ErrorCode))
    for names in ([one.code for one in ErrorCode], [one.slug for one in ErrorCode]):
        assert [name for name, count in Counter(names).items() if count > 1] == []


@pytest.mark.parametrize("error", ErrorCode, ids=lambda error: error.code)
def test_a_code_is_well_formed(error: ErrorCode) -> None:
    assert re.fullmatch(r"E[1-5]\d{3}", error.code)
    assert re.fullmatch(r"[a-z]+(\.[a-z_]+)?", error.slug)
    assert 400 <= error.http_status <= 599


@pytest.mark.parametrize("error", ErrorCode, ids=lambda error: error.code)
def test_only_codes_the_specification_defines_go_on_the_wire(error: ErrorCode) -> None:
    assert error.rpc_code in SPECIFIED


@pytest.mark.parametrize(
    ("family", "statuses"),
    [
        ("E1", {401, 403, 404, 429}),
        ("E2", set(range(400, 500))),
        ("E4", {502, 503, 504}),
        ("E5", {500, 503}),
    ],
)
def test_a_family_keeps_to_its_statuses(family: str, statuses: set[int]) -> None:
    found = {one.http_status for one in ErrorCode if one.code.startswith(family)}
    assert found
    assert found <= statuses


def test_every_failure_has_a_code_of_its_own() -> None:
    named = [one for one in classes_of(GatewayError) if one is not GatewayError]
    assert named
    assert [one for one in named if one.error is GatewayError.error] == []


def test_a_failure_without_private_reason_has_only_the_public_one() -> None:
    failure = UpstreamTimeout("Too slow; try later.")
    assert (failure.public, failure.private, failure.details) == (
        "Too slow; try later.",
        "Too slow; try later.",
        {},
    )


def test_what_is_private_is_not_in_the_text_of_the_failure() -> None:
    failure = UpstreamTimeout("Too slow.", private="http://10.0.0.7 hung")
    assert failure.private == "http://10.0.0.7 hung"
    assert "10.0.0.7" not in str(failure)


def test_details_are_a_copy() -> None:
    details: dict[str, object] = {"field": "a"}
    failure = UpstreamTimeout("Too slow.", details=details)
    details["field"] = "b"
    assert failure.details == {"field": "a"}
