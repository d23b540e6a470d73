"""What became of a token and why, for an administrator: every claim that counts, every rule."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bascule.gateway.issuer import Issuer
from bascule.gateway.principal import Principal
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.verdict import Refuse
from bascule.identity.claims import Claims, at
from bascule.identity.jws import open_envelope
from bascule.identity.rejections import Reason, Rejection, shown
from bascule.identity.standing import standing_of
from bascule.identity.verifying import Verified, Verifier

_REGISTERED = ("iss", "exp", "nbf", "iat", "jti", "typ", "token_use", "ver", "cnf")


@dataclass(frozen=True, slots=True)
class Explanation:
    """A token examined. `refusal` and `principal`: one of them is there, unless it is no token."""

    algorithm: str = ""
    key_id: str | None = None
    claims: Mapping[str, object] = field(default_factory=dict[str, object])
    """What was read, by the path it was read at; not believed where the token is refused."""
    verified: Verified | None = None
    principal: Principal | None = None
    reason: str = ""
    """The class of the refusal; "" for none."""
    refusal: Refuse | None = None


async def explain(
    token: str, issuer: Issuer, verifier: Verifier, snapshot: Snapshot
) -> Explanation:
    """Examine `token` as one of `issuer`, whether that is in force or not. Nothing is kept."""
    envelope = open_envelope(token)
    if isinstance(envelope, Rejection):
        return Explanation(reason=envelope.reason, refusal=envelope.refuse())
    head = (envelope.algorithm, envelope.key_id, _read(envelope.claims, issuer))
    found = await verifier.verify(token, {issuer.issuer: issuer})
    if isinstance(found, Rejection):
        found = _of_another(envelope.claims, issuer) or found
        return Explanation(*head, reason=found.reason, refusal=found.refuse())
    standing = standing_of(found.reading.evidence, snapshot, verifier.now)
    if isinstance(standing, Refuse):
        return Explanation(*head, verified=found, reason=Reason.STANDING, refusal=standing)
    return Explanation(*head, verified=found, principal=standing)


def _of_another(claims: Claims, issuer: Issuer) -> Rejection | None:
    named = claims.get("iss")
    if named == issuer.issuer:
        return None
    said = f"its iss is {shown(named)}, and {issuer.name} is {shown(issuer.issuer)}"
    return Rejection(Reason.ISSUER, f"{said}: they must be the same, character by character")


def _read(claims: Claims, issuer: Issuer) -> Mapping[str, object]:
    found: dict[str, object] = {}
    for path in dict.fromkeys(_paths(issuer)):
        value = at(claims, path)
        if value is not None:
            found[path] = value
    return found


def _paths(issuer: Issuer) -> Iterable[str]:
    yield from _REGISTERED
    yield from issuer.audience_claims
    yield issuer.subject_claim
    yield from issuer.name_claims
    yield from issuer.agent_claims
    yield from issuer.roles_claims
    yield from issuer.groups_claims
    yield from issuer.scope_claims
    yield from issuer.required_claims
    if issuer.tenant_claim:
        yield issuer.tenant_claim
