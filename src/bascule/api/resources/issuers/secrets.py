"""The secrets of an issuer's record: whether this gateway can read what they refer to."""

from collections.abc import Awaitable, Callable

from bascule.api.control import Control
from bascule.api.resources.issuers.schemas import IssuerSecret, IssuerTest
from bascule.gateway.errors import GatewayError
from bascule.gateway.issuer import Issuer
from bascule.identity.jwks import SHARED_SECRET
from bascule.identity.key_sets import KeySets
from bascule.upstreams.secrets.references import shown


async def try_secrets(report: IssuerTest, control: Control, issuer: Issuer, keys: KeySets) -> None:
    """Read them where, and as, calls and sign-ins do; add to `report` what came of it, no value."""
    if issuer.shared_secret:
        await _try(report, "shared_secret", issuer.shared_secret, lambda: _shared(issuer, keys))
    if issuer.client_secret:
        await _try(report, "client_secret", issuer.client_secret, lambda: _client(control, issuer))


async def _try(
    report: IssuerTest, field: str, reference: str, read: Callable[[], Awaitable[str]]
) -> None:
    try:
        problem = await read()
    except GatewayError as failure:
        problem = failure.private
    report.secrets.append(
        IssuerSecret(field=field, reference=shown(reference), is_usable=not problem)
    )
    if problem:
        report.problems.append(f"{field}: {problem}")


async def _shared(issuer: Issuer, keys: KeySets) -> str:
    """What is wrong with the secret that its tokens are signed with; "" for nothing."""
    if SHARED_SECRET not in keys.algorithms(issuer):
        return "Its shared secret counts in development only."
    await keys.find(issuer, SHARED_SECRET, None)
    return ""


async def _client(control: Control, issuer: Issuer) -> str:
    """What is wrong with this gateway's own secret there; "" for nothing."""
    if control.resolve is None:
        return "This process reads no secrets. Ask one that serves calls."
    if not await control.resolve(issuer.tenant, issuer.client_secret):
        return f"{shown(issuer.client_secret)} is empty, so nobody can sign in with it."
    return ""
