"""What a token says of its bearer, in the words of the issuer's record: claims to evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from bascule.gateway.issuer import Issuer
from bascule.gateway.principal import Evidence, Means
from bascule.identity.claims import (
    LONGEST_SUBJECT,
    Claims,
    at,
    first_text,
    gathered,
    text_of,
    texts_of,
    words,
)
from bascule.identity.rejections import Reason, Rejection, shown
from bascule.identity.times import Times

GROUPS_LEFT_OUT: Final = (
    "The token says that its bearer has more groups than fit into it, and where to ask for them "
    "(Entra ID's overage claim). They are not asked for: nothing comes of groups. Have the issuer "
    "send only the groups that are assigned to the application, or use roles."
)


@dataclass(frozen=True, slots=True)
class Reading:
    """Evidence, and what an operator should know of how it came about."""

    evidence: Evidence
    claimed_roles: frozenset[str] = frozenset()
    claimed_scopes: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def read_claims(claims: Claims, issuer: Issuer, times: Times) -> Reading | Rejection:
    """Who bears a token with `claims`, which is verified and counts."""
    wrong = _missing(claims, issuer.required_claims)
    if wrong is not None:
        return wrong
    subject = text_of(at(claims, issuer.subject_claim), LONGEST_SUBJECT)
    if subject is None:
        found = shown(at(claims, issuer.subject_claim))
        return Rejection(Reason.CLAIMS, f"{issuer.subject_claim} is {found}: no subject")
    tenant = _tenant(claims, issuer)
    if isinstance(tenant, Rejection):
        return tenant
    claimed_roles = gathered(claims, issuer.roles_claims)
    claimed_scopes = words(claims, issuer.scope_claims)
    overage = has_overage(claims)
    evidence = Evidence(
        means=Means.TOKEN,
        tenant=tenant,
        issuer=issuer.issuer,
        subject=subject,
        label=f"{issuer.name}:{subject}",
        display=first_text(claims, issuer.name_claims) or "",
        agent=first_text(claims, issuer.agent_claims),
        roles=frozenset(issuer.default_roles) | _mapped(claimed_roles, issuer.role_map),
        groups=frozenset() if overage else gathered(claims, issuer.groups_claims),
        scopes=_mapped(claimed_scopes, issuer.scopes) if issuer.scopes else None,
        issued_at=times.issued_at,
        expires_at=times.expires_at,
        credential_id=first_text(claims, ("jti", "uti", "sid")) or "",
        basis=issuer,
    )
    notes = (GROUPS_LEFT_OUT,) if overage else ()
    return Reading(evidence, claimed_roles, claimed_scopes, notes)


def has_overage(claims: Claims) -> bool:
    """Whether the groups are elsewhere: too many for the token.

    https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference, "Groups
    overage claim"; `hasgroups` is what tokens of the implicit flow have.
    """
    elsewhere = claims.get("_claim_names")
    named = isinstance(elsewhere, dict) and "groups" in cast("Claims", elsewhere)
    return named or claims.get("hasgroups") in (True, "true")


def _mapped(claimed: frozenset[str], meanings: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    return frozenset(one for name in claimed for one in meanings.get(name, ()))


def _tenant(claims: Claims, issuer: Issuer) -> str | Rejection:
    if not issuer.tenant_claim:
        return issuer.tenant
    value = at(claims, issuer.tenant_claim)
    tenant = issuer.tenants.get(value) if isinstance(value, str) else None
    if tenant is None:
        return Rejection(
            Reason.TENANT, f"{issuer.tenant_claim} is {shown(value)}, which stands for no tenant"
        )
    return tenant


def _missing(claims: Claims, required: Mapping[str, tuple[str, ...]]) -> Rejection | None:
    for path, accepted in required.items():
        found = at(claims, path)
        if found is None:
            return Rejection(Reason.CLAIMS, f"{path} is absent")
        if accepted and not _values(found).intersection(accepted):
            said = f"{path} is {shown(found)}, not {shown(list(accepted))}"
            return Rejection(Reason.CLAIMS, said)
    return None


def _values(found: object) -> frozenset[str]:
    """Numbers and truth values by their JSON, so that a record can name them."""
    if isinstance(found, bool):
        return frozenset({"true" if found else "false"})
    if isinstance(found, int | float):
        return frozenset({str(found)})
    return frozenset(texts_of(found))
