from typing import Any

import pytest

from bascule.identity.reading import GROUPS_LEFT_OUT, Reading, has_overage, read_claims
from bascule.identity.rejections import Reason, Rejection
from bascule.identity.times import Times
from fakes.issuers import URL, issuer_of


def read(claims: dict[str, Any], **changes: Any) -> Reading | Rejection:
    return read_claims({"sub": "ann", **claims}, issuer_of(**changes), Times(5.0, 9.0))


def good(claims: dict[str, Any], **changes: Any) -> Reading:
    reading = read(claims, **changes)
    assert isinstance(reading, Reading), reading
    return reading


def wrong(claims: dict[str, Any], **changes: Any) -> Rejection:
    found = read(claims, **changes)
    assert isinstance(found, Rejection)
    return found


def test_evidence_has_what_the_claims_say_in_the_words_of_the_record() -> None:
    claims = {
        "roles": ["staff", "boss"],
        "groups": ["makers"],
        "preferred_username": "ann@x.example",
        "azp": "agent",
        "jti": "t1",
        "scope": "read write",
    }
    reading = good(claims, default_roles=("viewer",), scopes={"read": ("tools:list",)})
    evidence = reading.evidence
    assert (evidence.tenant, evidence.issuer, evidence.subject) == ("acme", URL, "ann")
    assert (evidence.label, evidence.display, evidence.agent) == (
        "id:ann",
        "ann@x.example",
        "agent",
    )
    assert evidence.roles == {"user", "viewer"}
    assert evidence.groups == {"makers"}
    assert evidence.scopes == {"tools:list"}
    assert (evidence.issued_at, evidence.expires_at, evidence.credential_id) == (5.0, 9.0, "t1")
    assert reading.claimed_roles == {"staff", "boss"}
    assert reading.claimed_scopes == {"read", "write"}


def test_a_claimed_role_brings_nothing_that_the_record_does_not_say() -> None:
    assert good({"roles": ["admin", "system_admin", "user"]}).evidence.roles == frozenset()


def test_without_scopes_in_the_record_a_token_is_not_limited() -> None:
    assert good({"scope": "read"}).evidence.scopes is None
    assert good({}, scopes={"read": ("tools:list",)}).evidence.scopes == frozenset()


def test_the_agent_is_who_acts_then_who_asked_for_the_token() -> None:
    assert good({"act": {"sub": "robot"}, "azp": "app"}).evidence.agent == "robot"
    assert good({"client_id": "app"}).evidence.agent == "app"
    assert good({}).evidence.agent is None


@pytest.mark.parametrize("sub", [None, "", 5, "a\nb", "x" * 501, ["a"], {}])
def test_without_a_subject_nobody_bears_it(sub: Any) -> None:
    assert wrong({"sub": sub}).reason is Reason.CLAIMS


def test_a_claim_says_the_tenant_where_the_record_asks_for_one() -> None:
    by_claim = {"tenant_claim": "org.id", "tenants": {"o1": "other"}}
    assert good({"org": {"id": "o1"}}, **by_claim).evidence.tenant == "other"
    for org in ({"id": "o2"}, {"id": 5}, None):
        assert wrong({"org": org}, **by_claim).reason is Reason.TENANT


@pytest.mark.parametrize(
    ("required", "claims", "fits"),
    [
        ({"tid": ("a", "b")}, {"tid": "b"}, True),
        ({"tid": ("a",)}, {"tid": "b"}, False),
        ({"tid": ()}, {"tid": "b"}, True),
        ({"tid": ()}, {}, False),
        ({"amr": ("mfa",)}, {"amr": ["pwd", "mfa"]}, True),
        ({"amr": ("mfa",)}, {"amr": ["pwd"]}, False),
        ({"email_verified": ("true",)}, {"email_verified": True}, True),
        ({"email_verified": ("true",)}, {"email_verified": False}, False),
        ({"email_verified": ("false",)}, {"email_verified": False}, True),
        ({"level": ("3",)}, {"level": 3}, True),
        ({"level": ("3",)}, {"level": {"x": 1}}, False),
    ],
)
def test_required_claims_are_there_with_a_value_that_is_accepted(
    required: Any, claims: Any, fits: bool
) -> None:
    assert isinstance(read(claims, required_claims=required), Reading) is fits


@pytest.mark.parametrize(
    "overage",
    [{"_claim_names": {"groups": "src1"}}, {"hasgroups": True}, {"hasgroups": "true"}],
)
def test_groups_that_are_elsewhere_are_none_and_that_is_noted(overage: Any) -> None:
    reading = good({**overage, "groups": ["makers"]})
    assert reading.evidence.groups == frozenset()
    assert reading.notes == (GROUPS_LEFT_OUT,)


@pytest.mark.parametrize(
    "claims", [{}, {"_claim_names": {"x": "y"}}, {"_claim_names": ["groups"]}, {"hasgroups": False}]
)
def test_groups_that_are_here_are_read(claims: Any) -> None:
    assert not has_overage(claims)
