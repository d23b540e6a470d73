"""Client certificates as proof of who one is: the rules of an administrator say for whom.

That a certificate is good, and in the hands of who brings it, the listener has verified, or a
proxy that it trusts. Sources: RFC 5280 section 4.2.1.6 (names), RFC 4514 (names as text).
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Final

from bascule.gateway.errors import ErrorCode
from bascule.gateway.issuer import CertificateRule
from bascule.gateway.principal import Certificate, Evidence, Means, Presented, Principal
from bascule.gateway.snapshot import EMPTY_SNAPSHOT, Snapshot
from bascule.gateway.verdict import Refuse
from bascule.identity.standing import standing_of

ISSUER: Final = "certificate"
"""`Evidence.issuer` of everybody who is known by a certificate."""

_DIGEST_KIND: Final = "SHA256:"
_MOST_REMEMBERED: Final = 10_000
_LONGEST_SHOWN: Final = 80
_SHOWN_OF_LONGER: Final = 60


class Certificates:
    """Knows the bearers of certificates by the rules in a snapshot. Implements `Proofs`."""

    def __init__(self, now_seconds: Callable[[], float] = time.time) -> None:
        self._now = now_seconds
        # What the rules of one snapshot make of each certificate; who it is now is asked anew.
        self._snapshot = EMPTY_SNAPSHOT
        self._known: dict[Certificate, Evidence | None] = {}

    def known(self, presented: Presented, snapshot: Snapshot) -> Principal | Refuse | None:
        """Whose the certificate is, with the next call after a rule has changed. Never waits."""
        certificate = presented.certificate
        if certificate is None:
            return _NO_CERTIFICATE
        return self.agent(certificate, snapshot) or stranger(certificate)

    async def identify(self, presented: Presented, snapshot: Snapshot) -> Principal | Refuse:
        """As `known`."""
        return self.known(presented, snapshot) or _NO_CERTIFICATE

    def agent(self, certificate: Certificate, snapshot: Snapshot) -> Principal | Refuse | None:
        """Who has `certificate`; None where no rule is about it."""
        if snapshot is not self._snapshot or len(self._known) > _MOST_REMEMBERED:
            self._snapshot, self._known = snapshot, {}
        if certificate not in self._known:
            self._known[certificate] = evidence_of(certificate, snapshot.certificate_rules)
        evidence = self._known[certificate]
        return None if evidence is None else standing_of(evidence, snapshot, self._now)


def evidence_of(certificate: Certificate, rules: tuple[CertificateRule, ...]) -> Evidence | None:
    """What the first rule that fits makes of `certificate`; None where none fits."""
    for rule in rules:
        if rule.issuer and rule.issuer != certificate.issuer:
            continue
        pattern = _comparable(rule.pattern)
        for name in _names(certificate):
            if fnmatchcase(name, pattern):
                return _evidence(certificate, rule, name)
    return None


def _evidence(certificate: Certificate, rule: CertificateRule, name: str) -> Evidence:
    limited = certificate.not_after != float("inf")
    return Evidence(
        means=Means.CERTIFICATE,
        tenant=rule.tenant,
        issuer=ISSUER,
        # Under a rule for one authority, a name is somebody else's than under another.
        subject=f"{name} of {rule.issuer}" if rule.issuer else name,
        label=f"cert:{rule.name}:{_short(name)}",
        display=name.partition(":")[2],
        roles=frozenset(rule.roles),
        issued_at=certificate.not_before,
        expires_at=certificate.not_after if limited else None,
        credential_id=certificate.sha256,
        basis=rule,
    )


def _names(certificate: Certificate) -> Iterator[str]:
    """What a pattern is held against, in this order."""
    yield from certificate.names
    if certificate.subject:
        yield f"SUBJECT:{certificate.subject}"
    yield f"{_DIGEST_KIND}{certificate.sha256}"


def _comparable(pattern: str) -> str:
    """A digest as tools print it, with colons and in capitals, in the form it is compared in."""
    if not pattern.startswith(_DIGEST_KIND):
        return pattern
    return _DIGEST_KIND + pattern.removeprefix(_DIGEST_KIND).replace(":", "").lower()


def _short(name: str) -> str:
    """`name`, or enough of it to stay apart from all others."""
    if len(name) <= _LONGEST_SHOWN:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{name[:_SHOWN_OF_LONGER]}~{digest}"


def stranger(certificate: Certificate) -> Refuse:
    """What whoever brings a certificate that no rule fits is told."""
    return Refuse(
        ErrorCode.INVALID_TOKEN,
        public="This client certificate is good, but not known here. Ask an administrator for a "
        f"certificate rule, and say that its SHA-256 is {certificate.sha256}.",
        private=f"no certificate rule fits {certificate.subject[:200] or 'no subject'} "
        f"({', '.join(certificate.names)[:300] or 'no alternative names'})",
    )


_NO_CERTIFICATE: Final = Refuse(
    ErrorCode.AUTH_REQUIRED,
    public="Send an API key (Authorization: Bearer <key>), or connect with a client certificate.",
    private="neither a credential nor a certificate",
)
