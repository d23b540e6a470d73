from collections.abc import Callable
from dataclasses import replace

import pytest

from bascule.gateway.call import Call, Method
from bascule.gateway.errors import ErrorCode
from bascule.gateway.issuer import CertificateRule
from bascule.gateway.principal import (
    Certificate,
    Evidence,
    Means,
    Person,
    Presented,
    Principal,
)
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.verdict import PASS, Refuse
from bascule.identity.api_keys import ApiKeys, RevokedKeys
from bascule.identity.authenticate import Authenticate
from bascule.identity.certificates import Certificates, evidence_of
from bascule.identity.standing import standing_of
from fakes.catalogue import KEY, make_snapshot

AGENT = "URI:spiffe://example.org/agents/desk"
CERTIFICATE = Certificate(
    "CN=desk,O=Example", "CN=Authority", "ab" * 32, (AGENT, "DNS:desk.example.org"), 2000.0, 500.0
)
RULE = CertificateRule("agents", "acme", "URI:spiffe://example.org/agents/*", ("user",))
ROLES = {"user": frozenset({"tools:list", "tools:execute"})}


def snapshot(*rules: CertificateRule, **members: object) -> Snapshot:
    view = TenantView("acme", roles=ROLES, **members)  # type: ignore[arg-type]
    return replace(make_snapshot(), tenants={"acme": view}, certificate_rules=rules)


def at(seconds: float) -> Callable[[], float]:
    return lambda: seconds


def known(
    state: Snapshot, certificate: Certificate = CERTIFICATE, now: float = 1000.0
) -> Principal | Refuse | None:
    return Certificates(at(now)).known(Presented(None, certificate), state)


def principal(found: object) -> Principal:
    assert isinstance(found, Principal)
    return found


def refusal(found: object) -> Refuse:
    assert isinstance(found, Refuse)
    return found


def test_a_certificate_stands_for_whom_its_rule_says() -> None:
    found = principal(known(snapshot(RULE)))
    assert (found.tenant, found.subject) == ("acme", f"cert:agents:{AGENT}")
    assert (found.roles, found.permissions) == (frozenset({"user"}), ROLES["user"])
    assert (found.means, found.owner) == (Means.CERTIFICATE, f"token|certificate|{AGENT}")
    evidence = found.evidence
    assert evidence is not None
    assert (evidence.issued_at, evidence.expires_at) == (500.0, 2000.0)
    assert (evidence.credential_id, evidence.display) == (CERTIFICATE.sha256, AGENT[4:])


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        (AGENT, AGENT),
        ("DNS:*.example.org", "DNS:desk.example.org"),
        ("SUBJECT:CN=desk,*", "SUBJECT:CN=desk,O=Example"),
        ("SHA256:" + "ab" * 32, "SHA256:" + "ab" * 32),
        ("SHA256:" + ":".join(["AB"] * 32), "SHA256:" + "ab" * 32),
        ("uri:spiffe://example.org/*", None),
        ("URI:SPIFFE://*", None),
        ("spiffe://example.org/agents/desk", None),
        ("EMAIL:*", None),
        ("DNS:desk", None),
    ],
)
def test_a_pattern_is_held_against_each_name(pattern: str, matched: str | None) -> None:
    found = evidence_of(CERTIFICATE, (replace(RULE, pattern=pattern),))
    assert (found and found.subject) == matched


def test_the_first_rule_that_fits_decides() -> None:
    rules = (
        replace(RULE, name="others", pattern="URI:spiffe://elsewhere/*"),
        replace(RULE, name="all", pattern="*"),
        RULE,
    )
    found = evidence_of(CERTIFICATE, rules)
    assert found is not None
    assert found.label == f"cert:all:{AGENT}"


def test_a_rule_for_one_authority_knows_names_of_no_other() -> None:
    rule = replace(RULE, issuer="CN=Authority")
    found = evidence_of(CERTIFICATE, (rule,))
    assert found is not None
    assert found.subject == f"{AGENT} of CN=Authority"
    assert evidence_of(replace(CERTIFICATE, issuer="CN=Other"), (rule,)) is None
    assert evidence_of(replace(CERTIFICATE, issuer=""), (rule,)) is None


def test_an_empty_subject_is_no_name_to_be_known_by() -> None:
    nameless = replace(CERTIFICATE, subject="", names=())
    assert evidence_of(nameless, (replace(RULE, pattern="SUBJECT:*"),)) is None
    found = evidence_of(nameless, (replace(RULE, pattern="*"),))
    assert found is not None
    assert found.subject == f"SHA256:{CERTIFICATE.sha256}"


def test_long_names_stay_apart_in_records() -> None:
    rule = replace(RULE, pattern="*")
    labels = set[str]()
    for end in "xy":
        found = evidence_of(replace(CERTIFICATE, names=(f"URI:{'a' * 200}{end}",)), (rule,))
        assert found is not None
        assert len(found.label) < 120
        labels.add(found.label)
    assert len(labels) == 2


def test_a_certificate_without_a_rule_is_refused_and_says_what_to_tell() -> None:
    found = refusal(known(snapshot()))
    assert found.error is ErrorCode.INVALID_TOKEN
    assert CERTIFICATE.sha256 in found.public
    assert "CN=desk" not in found.public
    assert "CN=desk,O=Example" in found.private
    assert AGENT in found.private


def test_no_certificate_is_a_missing_credential() -> None:
    found = refusal(Certificates().known(Presented(), snapshot(RULE)))
    assert found.error is ErrorCode.AUTH_REQUIRED


async def test_nothing_ever_has_to_be_waited_for() -> None:
    certificates = Certificates(at(1000.0))
    presented = Presented(None, CERTIFICATE)
    state = snapshot(RULE)
    assert await certificates.identify(presented, state) == certificates.known(presented, state)


def test_a_certificate_whose_time_is_over_is_refused() -> None:
    assert refusal(known(snapshot(RULE), now=2000.0)).error is ErrorCode.TOKEN_EXPIRED


def test_one_of_which_a_proxy_told_no_time_does_not_end_by_itself() -> None:
    timeless = replace(CERTIFICATE, not_after=float("inf"), not_before=0.0)
    found = principal(known(snapshot(RULE), timeless, now=1e12))
    assert found.evidence is not None
    assert found.evidence.expires_at is None


def test_a_rule_that_is_gone_counts_with_the_next_call() -> None:
    certificates = Certificates(at(1000.0))
    presented = Presented(None, CERTIFICATE)
    assert isinstance(certificates.known(presented, snapshot(RULE)), Principal)
    assert isinstance(certificates.known(presented, snapshot()), Refuse)
    assert isinstance(certificates.known(presented, snapshot(RULE)), Principal)


def test_rules_are_asked_once_for_each_certificate() -> None:
    class Counted(tuple[CertificateRule, ...]):
        asked = 0

        def __iter__(self):
            Counted.asked += 1
            return super().__iter__()

    certificates = Certificates(at(1000.0))
    state = replace(snapshot(), certificate_rules=Counted((RULE,)))
    for _ in range(3):
        assert certificates.known(Presented(None, CERTIFICATE), state)
    assert Counted.asked == 1


def test_strangers_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bascule.identity.certificates._MOST_REMEMBERED", 10)
    certificates = Certificates(at(1000.0))
    state = snapshot(RULE)
    for number in range(100):
        certificates.known(Presented(None, replace(CERTIFICATE, sha256=str(number))), state)
    assert len(certificates._known) <= 12


def test_an_account_of_its_own_brings_more_and_can_be_closed() -> None:
    person = Person("u-1", "The desk")
    people = {("certificate", AGENT): person}
    found = principal(known(snapshot(RULE, people=people)))
    assert (found.subject, found.user_id) == ("The desk", "u-1")
    people = {("certificate", AGENT): replace(person, is_active=False)}
    assert isinstance(known(snapshot(RULE, people=people)), Refuse)


@pytest.mark.parametrize(("issued", "is_let_in"), [(500.0, False), (900.0, True)])
def test_a_renewed_certificate_counts_after_its_owner_signed_out(
    issued: float,
    is_let_in: bool,
) -> None:
    people = {("certificate", AGENT): Person("u-1", "The desk", signed_out_at=800.0)}
    found = known(snapshot(RULE, people=people), replace(CERTIFICATE, not_before=issued))
    assert isinstance(found, Principal) is is_let_in


# A certificate beside another credential.


class Tokens:
    """Knows one token: that of ann, whose client is called desk."""

    evidence = Evidence(
        Means.TOKEN, "acme", "https://idp", "ann", "ann", agent="desk", roles=frozenset({"user"})
    )

    def known(self, presented: Presented, snapshot: Snapshot) -> Principal | Refuse | None:
        assert presented.credential == "token"
        return standing_of(self.evidence, snapshot, at(1000.0))

    async def identify(self, presented: Presented, snapshot: Snapshot) -> Principal | Refuse:
        raise NotImplementedError


def authenticate(revoked: RevokedKeys | None = None) -> Authenticate:
    keys = ApiKeys(revoked or RevokedKeys(), at(1000.0))
    return Authenticate(keys, Tokens(), Certificates(at(1000.0)))


async def identified(
    state: Snapshot, credential: str | None, revoked: RevokedKeys | None = None
) -> Principal | Refuse:
    return await authenticate(revoked).identify(Presented(credential, CERTIFICATE), state)


async def test_a_certificate_alone_says_who_calls() -> None:
    found = principal(await identified(snapshot(RULE), None))
    assert (found.subject, found.agent) == (f"cert:agents:{AGENT}", None)


async def test_a_token_says_who_calls_and_the_certificate_through_whom() -> None:
    found = principal(await identified(snapshot(RULE), "token"))
    assert (found.subject, found.agent) == ("ann", f"cert:agents:{AGENT}")
    assert found.evidence == replace(Tokens.evidence, agent=f"cert:agents:{AGENT}")


async def test_a_key_says_who_calls_and_the_certificate_through_whom() -> None:
    found = principal(await identified(snapshot(RULE), KEY))
    assert (found.subject, found.agent) == ("ann", f"cert:agents:{AGENT}")


@pytest.mark.parametrize(("credential", "agent"), [("token", "desk"), (KEY, None)])
async def test_a_certificate_nobody_knows_names_no_agent(
    credential: str, agent: str | None
) -> None:
    assert principal(await identified(snapshot(), credential)).agent == agent


async def test_an_agent_that_was_shut_out_acts_for_nobody() -> None:
    people = {("certificate", AGENT): Person("u-1", "The desk", is_active=False)}
    assert isinstance(await identified(snapshot(RULE, people=people), "token"), Refuse)
    revoked = RevokedKeys()
    revoked.revoke("u-1")
    people = {("certificate", AGENT): Person("u-1", "The desk")}
    assert isinstance(await identified(snapshot(RULE, people=people), KEY, revoked), Refuse)


async def test_a_refused_credential_is_not_saved_by_a_certificate() -> None:
    assert isinstance(await identified(snapshot(RULE), "bsc_nobodys"), Refuse)


async def test_where_certificates_are_not_known_they_change_nothing() -> None:
    plain = Authenticate(ApiKeys(RevokedKeys()))
    found = principal(await plain.identify(Presented(KEY, CERTIFICATE), snapshot(RULE)))
    assert found.agent is None


async def test_the_stage_reads_the_certificate_of_the_call() -> None:
    call = Call(Method.PING, "c-1", credential=KEY, certificate=CERTIFICATE)
    call.snapshot = snapshot(RULE)
    assert await authenticate().inbound(call) is PASS
    assert call.principal is not None
    assert call.principal.agent == f"cert:agents:{AGENT}"
