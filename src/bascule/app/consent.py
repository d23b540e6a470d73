"""Consent of people who call through a gateway that others run: over its own page, and back.

An authorization waits in the state that processes share, encrypted and bound to its key there: by
the digest of its link until somebody agreed, then by the digest of its `state`, which no browser
has seen before. Each is taken out to be used, and lasts ten minutes.
"""

import hashlib
import secrets
from collections.abc import Callable
from typing import Final, NoReturn, Protocol, TypeVar

import msgspec
import structlog

from bascule.api.consenting import Approved
from bascule.app.grants import DatabaseGrants, DatabaseRegistrations
from bascule.gateway.errors import Conflict, ErrorCode, GatewayError, NotFound
from bascule.gateway.secrets import SealedSecret
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.state import StateStore
from bascule.gateway.tool import Upstream
from bascule.storage.database import Database
from bascule.upstreams.oauth.clients import client_document
from bascule.upstreams.oauth.failures import ConsentNeeded
from bascule.upstreams.oauth.ports import Callback, Pending
from bascule.upstreams.oauth.setup import Setup
from bascule.upstreams.secrets.box import SecretBox
from bascule.upstreams.secrets.failures import SecretUnavailable

_log = structlog.get_logger(__name__)

_T = TypeVar("_T")

LIFE_SECONDS: Final = 600.0
_SAME_LINK_SECONDS: Final = 300.0
"""For how long who is asked again is given the same link; it is good for as long again."""
CALLBACK_PATH: Final = "/oauth/callback"
DOCUMENT_PATH: Final = "/oauth/client.json"
PAGE_PATH: Final = "/oauth/consent/"


class NoAddress(GatewayError):
    """Nobody could be sent back here."""

    error = ErrorCode.UNAVAILABLE


class Access(Protocol):
    """Access to one server on behalf of its callers (`upstreams.oauth.access.Access`)."""

    async def connect(self, owner: str) -> object:
        """Ask `owner` to consent. Raises ConsentNeeded."""
        ...

    async def finish(self, pending: Pending, callback: Callback) -> object:
        """Redeem what the browser came back with, and keep the grant."""
        ...


AccessOf = Callable[[str, Upstream], Access | None]
"""The access of a tenant to a server; None where that is not called on behalf of callers."""


class _Sealed(msgspec.Struct, frozen=True):
    nonce: bytes
    ciphertext: bytes
    key_id: str


class GovernedConsent:
    """A `Consent` whose questions are put on pages here, and the `Consents` behind those pages."""

    def __init__(self, state: StateStore, box: SecretBox, public_url: str) -> None:
        """`public_url` is where people reach this gateway, without a path; "" where unknown."""
        self._state = state
        self._box = box
        self._public_url = public_url.rstrip("/")
        self._snapshot: Callable[[], Snapshot] = Snapshot
        self._access_of: AccessOf = _nobody

    def attach(self, snapshot: Callable[[], Snapshot], access_of: AccessOf) -> None:
        """Say what is behind the gateway; before, nothing is."""
        self._snapshot, self._access_of = snapshot, access_of

    @property
    def public_url(self) -> str:
        """As `Consents.public_url`."""
        return self._public_url

    @property
    def redirect_uri(self) -> str:
        """As `Consent.redirect_uri`."""
        return f"{self._base()}{CALLBACK_PATH}"

    @property
    def document_url(self) -> str:
        """Where this gateway describes itself; "" where authorization servers would not look."""
        base = self._public_url
        return f"{base}{DOCUMENT_PATH}" if base.startswith("https://") else ""

    @property
    def client_document(self) -> dict[str, object] | None:
        """As `Consents.client_document`."""
        url = self.document_url
        return client_document(url, self.redirect_uri) if url else None

    async def ask(self, pending: Pending) -> NoReturn:
        """As `Consent.ask`: gives no answer, since the call that asks does not wait for one.

        Raises:
            ConsentNeeded: always.
        """
        base, known = self._base(), _digest("same", _asked(pending))
        link = await self._again(known)
        if link is None:
            link = secrets.token_urlsafe(32)
            await self._put(_page(link), pending)
            sealed = self._seal(known, link.encode())
            if not await self._state.put_new(known, sealed, _SAME_LINK_SECONDS):
                # Another call of the same caller was faster; one link is enough for both.
                link = await self._again(known) or link
        raise ConsentNeeded(f"{base}{PAGE_PATH}{link}", pending.upstream)

    async def find(self, link: str) -> Pending | None:
        """As `Consents.find`."""
        return self._opened(_page(link), await self._state.get(_page(link)), Pending)

    async def approve(self, link: str, approved: Approved) -> bool:
        """As `Consents.approve`."""
        pending = await self._take(_page(link), Pending)
        if pending is None:
            return False
        await self._state.delete(_digest("same", _asked(pending)))
        await self._put(_begun(pending.state), approved)
        return True

    async def decline(self, link: str) -> Pending | None:
        """As `Consents.decline`."""
        pending = await self._take(_page(link), Pending)
        if pending is not None:
            await self._state.delete(_digest("same", _asked(pending)))
        return pending

    async def take(self, state: str) -> Approved | None:
        """As `Consents.take`."""
        return await self._take(_begun(state), Approved)

    async def finish(self, pending: Pending, callback: Callback) -> None:
        """As `Consents.finish`."""
        await self._access(pending.tenant, pending.upstream).finish(pending, callback)

    async def connect(self, tenant: str, upstream: str, owner: str) -> str:
        """As `Consents.connect`."""
        try:
            await self._access(tenant, upstream).connect(owner)
        except ConsentNeeded as needed:
            return needed.url
        raise RuntimeError("consent is asked for on a page")

    def _access(self, tenant: str, name: str) -> Access:
        upstream = self._snapshot().tenant(tenant).upstreams.get(name)
        if upstream is None:
            raise NotFound(f"There is no MCP server named {name}.", details={"field": "upstream"})
        access = self._access_of(tenant, upstream)
        if access is None:
            raise Conflict(
                f"{name} is not called on behalf of its callers: its connector has no user_grants.",
                details={"upstream": name},
            )
        return access

    def _base(self) -> str:
        if not self._public_url:
            raise NoAddress(
                "This gateway does not know under which address people reach it, so nobody can be "
                "asked for consent. An operator must set server.public_url."
            )
        return self._public_url

    async def _again(self, known: str) -> str | None:
        """The link that was given out for the same, if it is good still."""
        sealed = await self._state.get(known)
        raw = None if sealed is None else self._unsealed(known, sealed)
        if raw is None:
            return None
        link = raw.decode()
        return link if await self.find(link) is not None else None

    async def _put(self, key: str, value: Pending | Approved) -> None:
        sealed = self._seal(key, msgspec.json.encode(value))
        await self._state.put(key, sealed, LIFE_SECONDS)

    async def _take(self, key: str, kind: type[_T]) -> _T | None:
        return self._opened(key, await self._state.take(key), kind)

    def _opened(self, key: str, sealed: bytes | None, kind: type[_T]) -> _T | None:
        raw = None if sealed is None else self._unsealed(key, sealed)
        return None if raw is None else msgspec.json.decode(raw, type=kind)

    def _seal(self, key: str, content: bytes) -> bytes:
        closed = self._box.close("", key, content.decode())
        return msgspec.msgpack.encode(_Sealed(closed.nonce, closed.ciphertext, closed.key_id))

    def _unsealed(self, key: str, sealed: bytes) -> bytes | None:
        try:
            found = msgspec.msgpack.decode(sealed, type=_Sealed)
            closed = SealedSecret(key, found.nonce, found.ciphertext, found.key_id)
            return self._box.open("", closed).encode()
        except (SecretUnavailable, msgspec.DecodeError):
            _log.warning("consent.unreadable")
            return None


def open_consent(
    database: Database, state: StateStore, box: SecretBox, public_url: str
) -> tuple[Setup, GovernedConsent]:
    """What OAuth needs of a gateway that others run, and the part of it that people meet."""
    consent = GovernedConsent(state, box, public_url)
    setup = Setup(
        DatabaseGrants(database, box, state),
        DatabaseRegistrations(database, box),
        consent,
        consent.document_url,
    )
    return setup, consent


def _nobody(tenant: str, upstream: Upstream) -> None:
    del tenant, upstream


def _asked(pending: Pending) -> str:
    """What makes two authorizations the same to a person."""
    parts = [pending.tenant, pending.owner, pending.upstream, pending.issuer, pending.resource]
    return msgspec.json.encode([*parts, pending.client_id, pending.scopes]).decode()


def _page(link: str) -> str:
    return _digest("page", link)


def _begun(state: str) -> str:
    return _digest("state", state)


def _digest(kind: str, text: str) -> str:
    """A key of the store, from which nobody who reads the store learns a link or a state."""
    return f"consent:{kind}:{hashlib.sha256(text.encode(errors='replace')).hexdigest()}"
