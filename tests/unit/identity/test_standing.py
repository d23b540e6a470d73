"""What evidence comes to: accounts, groups and roles of the snapshot, judged for every call."""

from dataclasses import replace
from typing import Any

import pytest

from bascule.gateway.errors import ErrorCode
from bascule.gateway.issuer import CertificateRule
from bascule.gateway.principal import Evidence, Means, Person, Principal
from bascule.gateway.verdict import Refuse
from bascule.identity.standing import standing_of, still_standing
from fakes.issuers import NOW, URL, issuer_of, snapshot_of

ANN = Evidence(
    means=Means.TOKEN,
    tenant="acme",
    issuer=URL,
    subject="ann",
    label="id:ann",
    agent="robot",
    roles=frozenset({"user", "absent"}),
    groups=frozenset({"makers", "others"}),
    issued_at=NOW - 10,
    expires_at=NOW + 10,
)


def standing(evidence: Evidence = ANN, person: Person | None = None, key: Any = None) -> Any:
    people = {} if person is None else {key or (URL, "ann"): person}
    return standing_of(evidence, snapshot_of(people=people), lambda: NOW)


def test_roles_come_from_claims_groups_and_the_account_where_the_tenant_has_them() -> None:
    found = standing(person=Person("u1", "Ann", frozenset({"developer", "gone"})))
    assert isinstance(found, Principal)
    assert found.roles == {"user", "developer"}
    assert (found.subject, found.user_id, found.agent) == ("Ann", "u1", "robot")
    assert found.groups == {"makers", "others"}
    assert found.evidence is ANN


def test_somebody_without_an_account_is_who_the_issuer_says() -> None:
    found = standing(replace(ANN, groups=frozenset()))
    assert (found.subject, found.user_id, found.roles) == ("id:ann", None, {"user"})


def test_scopes_take_away_and_give_nothing() -> None:
    found = standing(replace(ANN, scopes=frozenset({"tools:list", "system_admin"})))
    assert found.permissions == {"tools:list"}
    assert found.withheld == {"tools:execute", "tools:write"}


@pytest.mark.parametrize(
    ("evidence", "person", "code"),
    [
        (replace(ANN, expires_at=NOW), None, ErrorCode.TOKEN_EXPIRED),
        (replace(ANN, tenant="absent"), None, ErrorCode.INVALID_TOKEN),
        (replace(ANN, means=Means.SESSION), None, ErrorCode.INVALID_TOKEN),
        (ANN, Person("u1", "Ann", is_active=False), ErrorCode.INVALID_TOKEN),
        (ANN, Person("u1", "Ann", signed_out_at=NOW - 9), ErrorCode.INVALID_TOKEN),
    ],
    ids=["expired", "no tenant", "no account", "deactivated", "signed out"],
)
def test_who_must_not_come_in_is_refused(
    evidence: Evidence, person: Person | None, code: ErrorCode
) -> None:
    found = standing(evidence, person)
    assert isinstance(found, Refuse)
    assert found.error is code


def test_what_never_expires_and_was_issued_since_counts() -> None:
    person = Person("u1", "Ann", signed_out_at=NOW - 11.5)
    assert isinstance(standing(replace(ANN, expires_at=None), person), Principal)


def test_a_sign_in_is_of_an_account_here_whoever_vouched_for_it() -> None:
    session = replace(ANN, means=Means.SESSION, subject="u1")
    found = standing(session, Person("u1", "Ann"), ("", "u1"))
    assert found.user_id == "u1"


def test_who_listens_on_counts_while_the_issuer_is_what_it_was() -> None:
    ann, now = replace(ANN, basis=issuer_of()), lambda: NOW
    assert isinstance(still_standing(ann, snapshot_of(), now), Principal)
    for later in (
        replace(snapshot_of(), issuers={}),
        snapshot_of(issuer_of(audiences=("another",))),
    ):
        found = still_standing(ann, later, now)
        assert isinstance(found, Refuse)
        assert found.error is ErrorCode.INVALID_TOKEN


def test_who_listens_on_counts_while_the_certificate_rule_is_what_it_was() -> None:
    rule = CertificateRule("agents", "acme", "URI:spiffe://acme/*", ("user",))
    agent = replace(ANN, means=Means.CERTIFICATE, issuer="certificate", basis=rule)
    here = replace(snapshot_of(), certificate_rules=(rule,))
    assert isinstance(still_standing(agent, here, lambda: NOW), Principal)
    narrower = replace(here, certificate_rules=(replace(rule, pattern="URI:spiffe://acme/b"),))
    for later in (snapshot_of(), narrower):
        assert isinstance(still_standing(agent, later, lambda: NOW), Refuse)
