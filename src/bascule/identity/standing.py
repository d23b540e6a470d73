"""What evidence of a caller comes to in a snapshot: accounts, groups, roles and permissions."""

from collections.abc import Callable
from typing import Final

from bascule.gateway.errors import ErrorCode
from bascule.gateway.issuer import CertificateRule, Issuer
from bascule.gateway.principal import Evidence, Means, Principal
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.verdict import Refuse


def standing_of(
    evidence: Evidence, snapshot: Snapshot, now_seconds: Callable[[], float]
) -> Principal | Refuse:
    """The caller of `evidence` as the snapshot has it; refused where it must not come in any more.

    Cheap enough for every call: look-ups and unions of small sets.
    """
    if evidence.expires_at is not None and evidence.expires_at <= now_seconds():
        return _EXPIRED
    view = snapshot.tenants.get(evidence.tenant)
    if view is None:
        return _refused("its tenant is not there, or not active")
    issuer = "" if evidence.means is Means.SESSION else evidence.issuer
    person = view.people.get((issuer, evidence.subject))
    if person is not None:
        if not person.is_active:
            return _refused(f"the user {person.name} is not active")
        # `iat` has whole seconds: of two tokens of one second both stay out, rather than both in.
        if evidence.issued_at < person.signed_out_at:
            return _refused(f"{person.name} signed out everywhere after it was issued")
    elif evidence.means is Means.SESSION:
        return _refused("the account it was opened for is not there any more")
    claimed = (view.group_roles.get(group, frozenset[str]()) for group in evidence.groups)
    own = frozenset[str]() if person is None else person.roles
    roles = evidence.roles.union(own, *claimed).intersection(view.roles)
    held = frozenset[str]().union(*(view.roles[role] for role in roles))
    permissions = held if evidence.scopes is None else held & evidence.scopes
    return Principal(
        tenant=evidence.tenant,
        subject=evidence.label if person is None else person.name,
        roles=roles,
        permissions=permissions,
        agent=evidence.agent,
        groups=evidence.groups,
        withheld=held - permissions,
        user_id=None if person is None else person.user_id,
        evidence=evidence,
    )


def still_standing(
    evidence: Evidence, snapshot: Snapshot, now_seconds: Callable[[], float]
) -> Principal | Refuse:
    """As `standing_of`, for who was identified under an earlier snapshot and listens on.

    Refused where the issuer or certificate rule that was believed then is gone, or another now.
    """
    basis = evidence.basis
    if isinstance(basis, Issuer) and snapshot.issuers.get(basis.issuer) != basis:
        return _refused(f"the issuer {basis.name} is not what it was when it was identified")
    if isinstance(basis, CertificateRule) and basis not in snapshot.certificate_rules:
        return _refused(f"the rule {basis.name} is not what it was when it was identified")
    return standing_of(evidence, snapshot, now_seconds)


_EXPIRED: Final = Refuse(
    ErrorCode.TOKEN_EXPIRED,
    public="This credential has expired. Get a new one.",
    private="expired",
)


def _refused(private: str) -> Refuse:
    return Refuse(
        ErrorCode.INVALID_TOKEN,
        public="This credential is not accepted any more. Sign in again, or ask an administrator.",
        private=private,
    )
