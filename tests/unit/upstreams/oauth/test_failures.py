"""Callers are told what to do, operators where to look."""

from bascule.gateway.errors import ConsentRequired, ErrorCode
from bascule.upstreams.oauth.failures import (
    AuthorizationFailed,
    AuthorizationUnavailable,
    ConsentNeeded,
    GrantRefused,
    NotConnected,
)


def test_consent_needed_carries_the_address_and_not_in_its_sentence() -> None:
    needed = ConsentNeeded("https://g.example/consent/1", "crm")

    assert isinstance(needed, ConsentRequired)
    assert needed.url == needed.details["consent_url"] == "https://g.example/consent/1"
    assert needed.url not in needed.public
    assert "crm" in needed.private


def test_what_went_wrong_is_for_the_operator() -> None:
    for failure in (
        AuthorizationFailed("crm", "why"),
        GrantRefused("crm", "why"),
        AuthorizationUnavailable("crm", "why"),
    ):
        assert failure.private == "crm: why"
        assert "why" not in failure.public
    assert AuthorizationFailed("crm", "why", "Do this.").public == "Do this."


def test_not_connected_is_no_fault_of_the_upstream() -> None:
    assert NotConnected("crm").error is ErrorCode.UPSTREAM_FAILED
    assert "administrator" in NotConnected("crm").public
