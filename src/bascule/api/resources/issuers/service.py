"""Keeping issuers, and trying them: what they answer, and what becomes of a token."""

from datetime import UTC, datetime, timedelta
from typing import Final

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.resources.issuers.checks import (
    check_roles,
    issuer_of,
    shown_fields,
    tenants_of,
)
from bascule.api.resources.issuers.schemas import (
    Bearer,
    Issuer,
    IssuerKey,
    IssuerTest,
    IssuerWrite,
    KeySet,
    TokenExplained,
)
from bascule.api.resources.issuers.secrets import try_secrets
from bascule.gateway import issuer as gateway
from bascule.gateway.errors import ErrorCode, GatewayError, InvalidValue
from bascule.gateway.principal import Principal
from bascule.identity.explaining import Explanation, explain
from bascule.identity.fetching import IssuerUnusable
from bascule.identity.jwks import SHARED_SECRET, fitting
from bascule.identity.key_sets import Issued
from bascule.identity.tokens import Tokens
from bascule.identity.verifying import Verified
from bascule.storage.repositories.issuers import (
    Issuers,
    StoredIssuer,
    all_issuers,
    find_issuer,
    roles_of,
)
from bascule.storage.repositories.tenants import Tenants

_LATEST: Final = datetime.max.replace(tzinfo=UTC)


class NoTokens(GatewayError):
    """This process accepts no access tokens, so it cannot try any."""

    error = ErrorCode.UNAVAILABLE


async def list_issuers(control: Control) -> list[Issuer]:
    """Every issuer of every tenant."""
    async with control.database.read() as session:
        return [_shown(control, one) for one in await all_issuers(session)]


async def get_issuer(control: Control, name: str) -> Issuer:
    """One issuer.

    Raises:
        NotFound: there is none of that name.
    """
    async with control.database.read() as session:
        return _shown(control, await find_issuer(session, name))


async def create_issuer(control: Control, caller: Caller, wanted: IssuerWrite) -> Issuer:
    """Accept the tokens of an issuer, from when this returns.

    Raises:
        InvalidValue: the record cannot be; says what to change.
        NotFound: its tenant is not there.
        Conflict: name or issuer is taken.
    """
    issuer = issuer_of(wanted, wanted.tenant or caller.tenant)
    _check_secret(control, issuer)
    details = {"issuer": issuer.issuer, "tenant": issuer.tenant}
    async with control.change(caller, "issuer.create", issuer.name, details) as rows:
        tenant = await Tenants(rows.session).get(issuer.tenant)
        check_roles(issuer, await roles_of(rows.session, tenants_of(issuer)))
        stored = await Issuers(rows.session, tenant.id).create(issuer, is_active=wanted.is_active)
        return _shown(control, stored)


async def put_issuer(control: Control, caller: Caller, name: str, wanted: IssuerWrite) -> Issuer:
    """Replace the record of an issuer. Every token is judged anew.

    Raises:
        InvalidValue: as `create_issuer`, or name or tenant differ from those it has.
        NotFound: there is none of that name.
    """
    if wanted.name != name:
        raise InvalidValue(
            f"The issuer is named {wanted.name} in the body and {name} in the path.",
            details={"field": "name"},
        )
    details = {"issuer": wanted.issuer}
    async with control.change(caller, "issuer.put", name, details) as rows:
        known = await find_issuer(rows.session, name)
        issuer = issuer_of(wanted, known.issuer.tenant)
        if wanted.tenant not in {"", issuer.tenant}:
            raise InvalidValue(
                f"tenant: {name} leads to {issuer.tenant}, for good. Remove it, and add it anew.",
                details={"field": "tenant"},
            )
        _check_secret(control, issuer)
        check_roles(issuer, await roles_of(rows.session, tenants_of(issuer)))
        issuers = Issuers(rows.session, known.tenant_id)
        return _shown(control, await issuers.replace(issuer, is_active=wanted.is_active))


async def set_status(control: Control, caller: Caller, name: str, *, is_active: bool) -> Issuer:
    """Accept the tokens of an issuer, or do not any more, and change nothing else.

    Raises:
        NotFound: there is none of that name.
    """
    details = {"is_active": is_active}
    async with control.change(caller, "issuer.status", name, details) as rows:
        known = await find_issuer(rows.session, name)
        issuers = Issuers(rows.session, known.tenant_id)
        return _shown(control, await issuers.replace(known.issuer, is_active=is_active))


async def delete_issuer(control: Control, caller: Caller, name: str) -> None:
    """Remove an issuer; none of its tokens is accepted when this returns.

    Raises:
        NotFound: there is none of that name.
    """
    async with control.change(caller, "issuer.delete", name) as rows:
        known = await find_issuer(rows.session, name)
        await Issuers(rows.session, known.tenant_id).delete(name)


async def test_issuer(control: Control, caller: Caller, name: str) -> IssuerTest:
    """Ask an issuer for its document and keys now, and read the secrets of its record.

    What goes wrong is in the answer.

    Raises:
        NotFound: there is none of that name.
    """
    issuer = (await _stored(control, name)).issuer
    keys = _tokens(control).verifier.keys
    await control.note_action(caller, "issuer.test", name)
    report = IssuerTest(
        ok=False,
        issuer=issuer.issuer,
        jwks_url=issuer.jwks_url,
        keys=[],
        algorithms=list(keys.algorithms(issuer)),
        secrets=[],
        problems=[],
    )
    try:
        if issuer.algorithms:
            _report(report, await keys.fetch_now(issuer))
    except IssuerUnusable as failure:
        report.problems.append(failure.private)
    await try_secrets(report, control, issuer, keys)
    report.ok = not report.problems
    return report


async def explain_token(control: Control, caller: Caller, name: str, token: str) -> TokenExplained:
    """What becomes of a token under an issuer's record. The token is kept nowhere.

    Raises:
        NotFound: there is no issuer of that name.
    """
    stored = await _stored(control, name)
    await control.note_action(caller, "issuer.explain", name)
    verifier = _tokens(control).verifier
    found = await explain(token, stored.issuer, verifier, control.snapshot())
    explained = _explained(found)
    if not stored.is_active:
        explained.explanation += f" But {name} is not active, so no token of it is accepted."
        explained.accepted = False
    return explained


async def _stored(control: Control, name: str) -> StoredIssuer:
    async with control.database.read() as session:
        return await find_issuer(session, name)


def _tokens(control: Control) -> Tokens:
    if control.tokens is None:
        raise NoTokens("No access tokens are accepted by this process.")
    return control.tokens


def _key_set(control: Control, issuer: gateway.Issuer) -> KeySet | None:
    if control.tokens is None or not issuer.algorithms:
        return None
    state = control.tokens.verifier.keys.state(issuer)
    now = datetime.now(UTC)
    return KeySet(
        keys=state.keys,
        fetched_at=_ago(now, state.age),
        age_seconds=None if state.age is None else int(state.age),
        is_stale=state.is_stale,
        usable_until=_ago(now, None if state.usable_for is None else -state.usable_for),
        failures=state.failures,
        last_error=state.failure,
        last_error_at=_ago(now, state.failed_ago),
    )


def _ago(now: datetime, seconds: float | None) -> datetime | None:
    """The moment so long before `now`, to the second."""
    if seconds is None:
        return None
    return (now - timedelta(seconds=seconds)).replace(microsecond=0)


def _check_secret(control: Control, issuer: gateway.Issuer) -> None:
    """Refuse a shared secret where it would not count."""
    if not issuer.shared_secret or control.tokens is None:
        return
    if SHARED_SECRET not in control.tokens.verifier.keys.algorithms(issuer):
        raise InvalidValue(
            "shared_secret: HS256 is for local development: it counts where app.environment is "
            "development. Use an issuer that signs with a key pair.",
            details={"field": "shared_secret"},
        )


def _report(report: IssuerTest, issued: Issued) -> None:
    report.jwks_url = issued.jwks_url
    report.keys = [
        IssuerKey(key_id=one.key_id, kind=one.kind, algorithm=one.algorithm) for one in issued.keys
    ]
    if not any(fitting(issued.keys, one, None) for one in report.algorithms):
        kinds = sorted({one.algorithm or one.kind for one in issued.keys})
        report.problems.append(
            f"None of its keys ({', '.join(kinds)}) fits the algorithms that are accepted "
            f"({', '.join(report.algorithms)}). Set algorithms to what it signs with."
        )


def _explained(found: Explanation) -> TokenExplained:
    refusal, principal = found.refusal, found.principal
    explanation = refusal.private if refusal else "Accepted."
    bearer = None
    if found.verified is not None and principal is not None:
        bearer = _bearer(found.verified, principal)
        if not principal.permissions:
            explanation = (
                "Accepted, but its bearer may do nothing: no role came of it. Set role_map, "
                "default_roles or roles of groups, or give the user a role."
            )
    return TokenExplained(
        accepted=refusal is None,
        code=refusal.error.code if refusal else "",
        reason=found.reason,
        explanation=explanation,
        told=refusal.public if refusal else "",
        algorithm=found.algorithm[:100],
        key_id=found.key_id,
        claims=dict(found.claims),
        bearer=bearer,
    )


def _bearer(verified: Verified, principal: Principal) -> Bearer:
    reading = verified.reading
    return Bearer(
        tenant=principal.tenant,
        subject=principal.subject,
        display=reading.evidence.display,
        agent=principal.agent,
        user_id=principal.user_id,
        claimed_roles=sorted(reading.claimed_roles),
        claimed_groups=sorted(reading.evidence.groups),
        claimed_scopes=sorted(reading.claimed_scopes),
        roles=sorted(principal.roles),
        permissions=sorted(principal.permissions),
        withheld=sorted(principal.withheld),
        good_at=sorted(verified.reach.places or ()),
        bound_to_certificate=verified.thumbprint or "",
        expires_at=_moment(reading.evidence.expires_at),
        notes=list(reading.notes),
    )


def _moment(seconds: float | None) -> datetime | None:
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return _LATEST


def _shown(control: Control, stored: StoredIssuer) -> Issuer:
    return Issuer.model_validate(
        {
            **shown_fields(stored.issuer),
            "key_set": _key_set(control, stored.issuer),
            "is_active": stored.is_active,
            "created_at": stored.created_at,
            "updated_at": stored.updated_at,
            "updated_by": stored.updated_by,
        }
    )
