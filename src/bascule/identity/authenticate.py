"""The stage that knows the caller, by whichever proof came with the call."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

from bascule.gateway.bearer import Bearer
from bascule.gateway.call import EVERYTHING, Call, Endpoint, EndpointKind
from bascule.gateway.errors import ErrorCode
from bascule.gateway.principal import Certificate, Means, Presented, Principal
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.stage import FailureMode
from bascule.gateway.verdict import PASS, Refuse, Verdict
from bascule.identity.api_keys import UNKNOWN_KEY, ApiKeys
from bascule.identity.certificates import stranger
from bascule.identity.rejections import Reason, Rejection
from bascule.identity.standing import still_standing


class Proofs(Protocol):
    """A way to prove who one is, besides API keys: tokens of issuers, client certificates."""

    def known(self, presented: Presented, snapshot: Snapshot) -> Principal | Refuse | None:
        """The answer where it takes no waiting; None where `identify` must be asked."""
        ...

    async def identify(self, presented: Presented, snapshot: Snapshot) -> Principal | Refuse:
        """Who brings `presented`; may wait for an issuer's keys."""
        ...


class Agents(Proofs, Protocol):
    """Proofs that also say which software brings the credential of somebody else."""

    def agent(self, certificate: Certificate, snapshot: Snapshot) -> Principal | Refuse | None:
        """Who has `certificate`; None where nothing is known of it."""
        ...


class Authenticate:
    """Identifies callers by API key, access token or client certificate. Shared by every door.

    A credential decides alone who calls: where it is refused, a certificate beside it does not
    help. Where it is not, a certificate that is known names the agent that acts for the caller;
    one that is known and not accepted any more is refused, whomever it acts for.
    """

    name = "authenticate"
    on_failure = FailureMode.CLOSED

    def __init__(
        self,
        keys: ApiKeys,
        tokens: Proofs | None = None,
        certificates: Agents | None = None,
        now_seconds: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._now = now_seconds
        self._tokens = tokens
        self._certificates = certificates

    async def inbound(self, call: Call) -> Verdict:
        """Set `call.principal`, and drop the secret from the call."""
        credential, call.credential = call.credential, None
        snapshot = call.snapshot
        if (
            credential is not None
            and call.certificate is None
            and not snapshot.hosts
            and self._keys.issued(credential)
        ):
            found = self._keys.principal_for(credential, snapshot)
        elif credential is None and call.vouched is not None:
            found = self.judge_anew(call.vouched, snapshot)
        else:
            place = "/mcp" if call.endpoint is EVERYTHING else place_of(call.endpoint)
            presented = Presented(credential, call.certificate, call.host, place)
            found = await self.identify(presented, snapshot)
        if isinstance(found, Refuse):
            return found
        call.principal = found
        if credential is not None and found.means is Means.TOKEN:
            call.bearer = Bearer(credential)
        return PASS

    def judge_anew(self, known: Principal, snapshot: Snapshot) -> Principal | Refuse:
        """Somebody identified before, as they stand now: by their evidence, or the key they used.

        Whether a sign-in was ended since, only who keeps sign-ins can say.
        """
        if known.evidence is not None:
            found = still_standing(known.evidence, snapshot, self._now)
        elif known.key_id is not None:
            found = self._keys.holder_of(known.tenant, known.key_id, snapshot)
        else:
            return _UNPROVED
        if isinstance(found, Refuse):
            return found
        if self._keys.shut_out(found):
            return _SHUT_OUT
        if (found.tenant, found.owner) != (known.tenant, known.owner):
            return _UNPROVED
        return found if found.agent == known.agent else replace(found, agent=known.agent)

    async def identify(self, presented: Presented, snapshot: Snapshot) -> Principal | Refuse:
        """Who brings `presented`, according to `snapshot` and live revocations."""
        proofs = self._proofs(presented)
        if proofs is None:
            found = self._keys.principal_for(presented.credential, snapshot)
        else:
            found = proofs.known(presented, snapshot)
            if found is None:
                found = await proofs.identify(presented, snapshot)
        if isinstance(found, Refuse):
            return found
        if not _is_at_home(found, presented.host, snapshot):
            return _stranger(found, presented)
        if self._keys.shut_out(found):
            return _SHUT_OUT
        if presented.certificate is None or not presented.credential:
            return found
        return self._through_agent(found, presented.certificate, snapshot)

    def _through_agent(
        self, found: Principal, certificate: Certificate, snapshot: Snapshot
    ) -> Principal | Refuse:
        """`found` with the agent of its tenant that has `certificate`."""
        if self._certificates is None:
            return found
        agent = self._certificates.agent(certificate, snapshot)
        if agent is None or isinstance(agent, Refuse):
            return found if agent is None else agent
        if agent.tenant != found.tenant:  # whose agents there are is no other tenant's business
            return found
        if self._keys.shut_out(agent):
            return _SHUT_OUT
        evidence = found.evidence and replace(found.evidence, agent=agent.subject)
        return replace(found, agent=agent.subject, evidence=evidence)

    def _proofs(self, presented: Presented) -> Proofs | None:
        credential = presented.credential
        if credential:
            return None if self._keys.issued(credential) else self._tokens
        return self._certificates if presented.certificate is not None else None


def place_of(endpoint: Endpoint) -> str:
    """The path of `endpoint`, as `Presented.place` has it."""
    if endpoint.kind is EndpointKind.ALL:
        return "/mcp"
    return f"/mcp/{endpoint.kind}s/{endpoint.name}"


def _is_at_home(found: Principal, host: str, snapshot: Snapshot) -> bool:
    """Whether the host that was called is nobody's, or of the caller's tenant."""
    owner = snapshot.hosts.get(host) if snapshot.hosts else None
    return owner is None or owner == found.tenant or found.may("system_admin")


def _stranger(found: Principal, presented: Presented) -> Refuse:
    """The words for what nobody knows: whether it is good elsewhere is nobody's business here."""
    if found.means is Means.CERTIFICATE and presented.certificate is not None:
        unknown = stranger(presented.certificate)
    elif found.means is Means.TOKEN:
        unknown = Rejection(Reason.TENANT, "").refuse()
    else:
        unknown = UNKNOWN_KEY
    return replace(unknown, private="the credential belongs to another tenant than the host")


_SHUT_OUT: Final = Refuse(
    ErrorCode.INVALID_TOKEN,
    public="This credential is not accepted any more. Sign in again, or ask an administrator.",
    private="the user was deactivated or removed since the snapshot",
)
_UNPROVED: Final = Refuse(
    ErrorCode.INVALID_TOKEN,
    public="This credential is not accepted any more. Sign in again, or ask an administrator.",
    private="vouched for without a credential that could be judged again, or as somebody else",
)
