"""People whom an OpenID provider vouches for: sent there, taken back, and known from then on."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

import msgspec

from bascule.api.control import Control
from bascule.api.signin.attempts import Attempts
from bascule.api.signin.browsers import claims_of
from bascule.api.signin.cookies import Ticket
from bascule.api.signin.entries import Entries, Vouched
from bascule.api.signin.newcomers import Newcomers
from bascule.api.signin.oidc import (
    Begun,
    authorization_url,
    begin,
    digest_of,
    objection_to_answer,
    redemption,
    sign_out_url,
)
from bascule.api.signin.visits import Event, Visit, write_down
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.gateway.issuer import Issuer
from bascule.gateway.record import Status
from bascule.gateway.state import StateStore
from bascule.gateway.trickle import Trickle
from bascule.gateway.verdict import Refuse
from bascule.identity.discovery import Metadata, discover, read_object
from bascule.identity.fetching import Fetch, Fetched, IssuerUnusable
from bascule.identity.reading import read_claims
from bascule.identity.rejections import Rejection
from bascule.identity.times import Times

SIGN_IN_SECONDS: Final = 600.0
_METADATA_SECONDS: Final = 600.0
_FAILURE_SECONDS: Final = 5.0
"""How long nobody who is down is asked again: strangers could have it asked without end."""


class PostForm(Protocol):
    """Posts a form to a provider, bounded in size and time; redirects are not followed."""

    async def __call__(
        self,
        url: str,
        form: Mapping[str, str],
        headers: tuple[tuple[str, str], ...],
        *,
        chosen_here: bool,
    ) -> Fetched:
        """POST to `url`. `chosen_here` as in `Fetch`.

        Raises:
            IssuerUnusable: no answer, one that is too large, or the address may not be asked.
        """
        ...


class VerifyIdToken(Protocol):
    """Verifies what a provider says of somebody who signed in (`identity.tokens.Tokens`)."""

    async def __call__(
        self, issuer: Issuer, token: str, *, audience: str, nonce: str
    ) -> Mapping[str, object] | Refuse:
        """The claims of `token`."""
        ...


@dataclass(frozen=True, slots=True)
class Reach:
    """How providers are reached, and what they say is verified. `resolve` gives what a reference
    to a secret stands for, by tenant and text."""

    fetch: Fetch
    post: PostForm
    verify: VerifyIdToken
    resolve: Callable[[str, str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody who came back from a provider, and where they wanted to go."""

    ticket: Ticket
    next_path: str


@dataclass(frozen=True, slots=True)
class Return:
    """A browser that came back: to which path and host, with which cookie, and what it brings."""

    name: str
    host: str
    browser: str
    answer: Mapping[str, str]
    old: Ticket | None = None


class Providers:
    """The issuers that people may sign in at: those with a `client_id` of this gateway."""

    def __init__(
        self, entries: Entries, reach: Reach, state: StateStore, attempts: Attempts
    ) -> None:
        self._entries = entries
        self._control: Control = entries.control
        self._newcomers = Newcomers(entries.control, attempts)
        self._reach = reach
        self._state = state
        self._metadata: dict[str, tuple[float, Metadata | IssuerUnusable]] = {}
        self._asking: dict[str, asyncio.Lock] = {}
        self._strangers = Trickle()

    def offered(self, host: str) -> tuple[Issuer, ...]:
        """Those whose people may come in under `host`, by name."""
        snapshot = self._control.snapshot()
        owner = snapshot.hosts.get(host)
        found = (
            one
            for one in snapshot.issuers.values()
            if one.client_id and (owner is None or one.tenant_claim or one.tenant == owner)
        )
        return tuple(sorted(found, key=lambda one: (one.name, one.issuer)))

    def find(self, name: str, host: str) -> Issuer | None:
        """The one of that name under `host`; the first of several tenants'."""
        return next((one for one in self.offered(host) if one.name == name), None)

    async def begin(
        self, issuer: Issuer, base_url: str, browser: str, next_path: str
    ) -> str | Refuse:
        """Where to send the browser that has the cookie `browser`.

        Raises:
            StateUnavailable: the sign-in cannot be remembered.
        """
        try:
            metadata = await self._metadata_of(issuer)
        except IssuerUnusable as failure:
            return _unreachable(issuer, failure.private)
        if not metadata.authorization_endpoint or not metadata.token_endpoint:
            return _unreachable(issuer, "its metadata names no endpoints to sign in at")
        if metadata.challenge_methods and "S256" not in metadata.challenge_methods:
            return _unreachable(issuer, "it does not do PKCE with S256")
        redirect_uri = f"{base_url}/sign-in/{issuer.name}/callback"
        begun, state = begin(issuer, redirect_uri, browser, next_path), secrets.token_urlsafe(32)
        await self._state.put(_key(state), msgspec.json.encode(begun), SIGN_IN_SECONDS)
        return authorization_url(issuer, metadata, begun, state)

    async def finish(self, visit: Visit, back: Return) -> Arrival | Refuse:
        """Sign in who came back; the sign-in they began is over, whatever comes of it.

        Raises:
            StateUnavailable, StorageError, RecordingFailed: nobody is signed in.
        """
        kept = await self._state.take(_key(back.answer.get("state", "")))
        begun = None if kept is None else msgspec.json.decode(kept, type=Begun)
        if begun is None or begun.browser != digest_of(back.browser):
            return self._failed(visit, None, "no sign-in with this state began in this browser")
        issuer = self._control.snapshot().issuers.get(begun.issuer)
        if issuer is None or issuer.name != back.name or not issuer.client_id:
            return self._failed(visit, None, "the issuer is not asked for sign-ins any more")
        try:
            said = await self._redeem(issuer, begun, back.answer)
        except GatewayError as failure:
            return self._failed(visit, issuer, failure.private)
        if isinstance(said, str):
            return self._failed(visit, issuer, said)
        return await self._arrive(visit, issuer, said, back, begun.next_path)

    async def sign_out_url(self, issuer: str, back_to: str) -> tuple[str, str] | None:
        """The name of a provider, and where to sign out there as well; None where it has none."""
        known = self._control.snapshot().issuers.get(issuer)
        if known is None or not known.client_id:
            return None
        try:
            url = sign_out_url(known, await self._metadata_of(known), back_to)
        except IssuerUnusable:
            return None
        return None if url is None else (known.name, url)

    async def _redeem(
        self, issuer: Issuer, begun: Begun, answer: Mapping[str, str]
    ) -> Mapping[str, object] | str:
        """The claims of who signed in, or why there are none."""
        metadata = await self._metadata_of(issuer)
        wrong = objection_to_answer(issuer, metadata, answer)
        if wrong is not None:
            return wrong
        reference = issuer.client_secret
        secret = await self._reach.resolve(issuer.tenant, reference) if reference else ""
        form, headers = redemption(issuer, metadata, begun, answer["code"], secret)
        url = metadata.token_endpoint
        chosen = urlsplit(url).netloc == urlsplit(issuer.issuer).netloc
        answered = await self._reach.post(url, form, headers, chosen_here=chosen)
        if answered.status != 200:
            return f"the token endpoint answered {answered.status}"
        token = read_object(answered.body, "the token endpoint's answer").get("id_token")
        if not isinstance(token, str):
            return "the token endpoint gave no ID token"
        audience = issuer.client_id
        claims = await self._reach.verify(issuer, token, audience=audience, nonce=begun.nonce)
        return f"the ID token: {claims.private}" if isinstance(claims, Refuse) else claims

    async def _arrive(
        self,
        visit: Visit,
        issuer: Issuer,
        claims: Mapping[str, object],
        back: Return,
        next_path: str,
    ) -> Arrival | Refuse:
        reading = read_claims(claims, issuer, Times(0.0, 0.0))
        if isinstance(reading, Rejection):
            return self._failed(visit, issuer, reading.private)
        tenant, snapshot = reading.evidence.tenant, self._control.snapshot()
        if tenant not in snapshot.tenants or snapshot.hosts.get(back.host, tenant) != tenant:
            return self._failed(visit, issuer, f"nobody of {tenant} comes in here")
        user = await self._newcomers.known(visit, issuer, reading.evidence, claims)
        if isinstance(user, Refuse):
            self._note(visit, issuer, user.error, "too many new accounts")
            return user
        vouched = Vouched(
            issuer.issuer,
            claims_of(reading.claimed_roles, reading.evidence.groups),
            by=issuer.name,
        )
        ticket = await self._entries.open(visit, tenant, user, vouched, back.old)
        if ticket is None:
            return self._failed(visit, issuer, f"the user {user.name} is not active")
        return Arrival(ticket, next_path)

    async def _metadata_of(self, issuer: Issuer) -> Metadata:
        """What it says of itself, asked once for all who wait.

        Raises:
            IssuerUnusable: it cannot be asked, or could not a moment ago.
        """
        name = issuer.issuer
        async with self._asking.setdefault(name, asyncio.Lock()):
            until, found = self._metadata.get(name, (0.0, None))
            if found is None or time.monotonic() >= until:
                try:
                    found, seconds = await discover(self._reach.fetch, name), _METADATA_SECONDS
                except IssuerUnusable as failure:
                    found, seconds = failure, _FAILURE_SECONDS
                self._metadata[name] = (time.monotonic() + seconds, found)
        if isinstance(found, IssuerUnusable):
            raise IssuerUnusable(found.private)
        return found

    def _failed(self, visit: Visit, issuer: Issuer | None, reason: str) -> Refuse:
        self._note(visit, issuer, ErrorCode.INVALID_TOKEN, reason)
        return Refuse(ErrorCode.INVALID_TOKEN, _NOT_SIGNED_IN, reason)

    def _note(self, visit: Visit, issuer: Issuer | None, error: ErrorCode, reason: str) -> None:
        held_back = self._strangers.take(time.monotonic())
        if held_back is not None:
            tenant = "" if issuer is None else issuer.tenant
            event = Event("sign_in", tenant, "", Status.DENIED, error, reason)
            more = {"held_back": held_back} if held_back else {}
            write_down(self._control, visit, event, by=issuer.name if issuer else "", **more)


def _unreachable(issuer: Issuer, reason: str) -> Refuse:
    return Refuse(
        ErrorCode.UNAVAILABLE,
        public=f"{issuer.name} cannot be used to sign in at the moment. Try again shortly; if that "
        "does not help, ask an administrator to check the issuer.",
        private=f"{issuer.name}: {reason}",
    )


def _key(state: str) -> str:
    return f"sign-in:begun:{digest_of(state)}"


_NOT_SIGNED_IN: Final = (
    "Signing in did not work, or took longer than ten minutes. Begin again; if that does not help, "
    "give an administrator the number below."
)
