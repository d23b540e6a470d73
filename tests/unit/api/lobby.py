"""A site where people sign in: a clock to turn, cheap hashes, and a provider that can be told."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx2
from argon2 import Parameters, Type

from bascule.api.app import build_api
from bascule.api.signin.attempts import Attempts
from bascule.api.signin.browsers import Browsers, Lifetimes
from bascule.api.signin.cookies import Cookies
from bascule.api.signin.desk import Desk, PasswordRules
from bascule.api.signin.entries import Entries
from bascule.api.signin.house import SignIn
from bascule.api.signin.providers import Providers, Reach
from bascule.api.signin.setup import SetupLinks
from bascule.gateway.errors import ErrorCode
from bascule.gateway.issuer import Issuer
from bascule.gateway.record import AuditRecord, EventType
from bascule.gateway.verdict import Refuse
from bascule.identity.fetching import Fetched, IssuerUnusable
from bascule.identity.passwords import Passwords
from bascule.state.memory import MemoryState
from bascule.storage.identity_tables import IssuerRow
from bascule.storage.repositories.issuers import document_of
from bascule.storage.repositories.users import UserDraft, Users
from unit.api.site import Site

CHEAP: Final = Parameters(Type.ID, 19, 16, 32, time_cost=1, memory_cost=64, parallelism=1)
GOOD: Final = "an elk in the attic"
BASE: Final = "http://127.0.0.1"
IDP: Final = "https://id.example"
ISSUER: Final = Issuer(
    name="corp",
    issuer=IDP,
    tenant="default",
    roles_claims=("roles",),
    groups_claims=("groups",),
    role_map={"Staff": ("user",), "Boss": ("operator",)},
    client_id="console",
    client_secret="s3cret",
)


class Clock:
    """The time of day, which goes on only when told. It is ahead of that of the tables."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC) + timedelta(minutes=1)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **amount: float) -> None:
        """Let time go by."""
        self.now += timedelta(**amount)


@dataclass
class FakeProvider:
    """An OpenID provider as far as the network shows it. `said` is in the next ID token."""

    said: dict[str, Any] = field(default_factory=dict[str, Any])
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])
    posted: list[Any] = field(default_factory=list[Any])
    status: int = 200
    down: bool = False
    nonces: dict[str, str] = field(default_factory=dict[str, str])
    body: bytes | None = None

    def __post_init__(self) -> None:
        self.metadata = {
            "issuer": IDP,
            "authorization_endpoint": f"{IDP}/authorize",
            "token_endpoint": f"{IDP}/token",
            "end_session_endpoint": f"{IDP}/logout",
            "jwks_uri": f"{IDP}/jwks",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            **self.metadata,
        }

    async def fetch(self, url: str, *, chosen_here: bool) -> Fetched:
        assert chosen_here
        if self.down:
            raise IssuerUnusable("it is down")
        return Fetched(200, json.dumps(self.metadata).encode())

    async def post(
        self,
        url: str,
        form: Mapping[str, str],
        headers: tuple[tuple[str, str], ...],
        *,
        chosen_here: bool,
    ) -> Fetched:
        self.posted.append((url, form, dict(headers), chosen_here))
        body = json.dumps({"access_token": "a", "id_token": json.dumps(self.said)}).encode()
        return Fetched(self.status, self.body or body)

    async def verify(
        self, issuer: Issuer, token: str, *, audience: str, nonce: str
    ) -> Mapping[str, object] | Refuse:
        """As `Tokens.verify_id_token`, which has its own tests: here the claims are the token."""
        claims = json.loads(token)
        if claims.get("nonce", nonce) != nonce or audience != issuer.client_id:
            return Refuse(ErrorCode.INVALID_TOKEN, "bad", "the nonce is not that of the sign-in")
        return claims

    async def resolve(self, tenant: str, text: str) -> str:
        return text


@dataclass
class Lobby:
    """A site, and everything of its sign-in."""

    site: Site
    sign_in: SignIn
    app: Any
    clock: Clock
    provider: FakeProvider
    state: MemoryState

    def browser(self, base: str = BASE, **headers: str) -> httpx2.AsyncClient:
        """A browser without cookies yet."""
        transport = httpx2.ASGITransport(self.app)
        return httpx2.AsyncClient(base_url=base, transport=transport, headers=headers)

    async def add(
        self, name: str = "ann", *roles: str, tenant: str = "default", password: str = GOOD
    ) -> None:
        """Add an account."""
        kept = await self.sign_in.desk.passwords.hash(password)
        draft = UserDraft(name, roles=frozenset(roles), password_hash=kept)
        async with self.site.rows(tenant) as (session, tenant_id):
            await Users(session, tenant_id).create(draft)

    async def add_issuer(self, issuer: Issuer = ISSUER) -> None:
        """Believe an issuer."""
        async with self.site.rows(issuer.tenant) as (session, tenant_id):
            Users(session, tenant_id)  # makes the session that tenant's
            session.add(
                IssuerRow(
                    tenant_id=tenant_id,
                    name=issuer.name,
                    issuer=issuer.issuer,
                    document=document_of(issuer),
                    updated_by="t",
                )
            )

    async def enter(
        self, browser: httpx2.AsyncClient, name: str = "ann", password: str = GOOD, **more: str
    ) -> httpx2.Response:
        """Sign in by the page."""
        form = await browser.get("/sign-in")
        sent = {"csrf": token_in(form), "name": name, "password": password, **more}
        async with asyncio.timeout(10):
            return await browser.post("/sign-in", data=sent)

    @asynccontextmanager
    async def entered(
        self, name: str = "ann", **headers: str
    ) -> AsyncGenerator[httpx2.AsyncClient]:
        """A browser that has signed in."""
        async with self.browser(**headers) as browser:
            answer = await self.enter(browser, name)
            assert answer.status_code == 303, answer.text
            yield browser

    def events(self, action: str) -> list[AuditRecord]:
        """What is on record of sign-ins."""
        records = self.site.recorder.records
        wanted = (EventType.AUTH_EVENT, action)
        return [one for one in records if (one.event_type, one.action) == wanted]


@asynccontextmanager
async def open_lobby(
    site: Site,
    *,
    cookies: Cookies = Cookies(),  # noqa: B008 - frozen
    rules: PasswordRules = PasswordRules(),  # noqa: B008 - frozen
    attempts: int = 5,
    state: MemoryState | None = None,
) -> AsyncGenerator[Lobby]:
    """Sign-in over the control plane of `site`."""
    clock, provider, passwords = Clock(), FakeProvider(), Passwords(CHEAP)
    state = state or MemoryState()
    control = site.control
    browsers = Browsers(
        control.database, control.snapshot, control.refresh, cookies, Lifetimes(), clock
    )
    control = replace(control, sessions=browsers, passwords=passwords)
    entries = Entries(control, browsers)
    counted = Attempts(state, attempts, lambda: clock().timestamp())
    desk = Desk(entries, passwords, counted, rules)
    reach = Reach(provider.fetch, provider.post, provider.verify, provider.resolve)
    providers = Providers(entries, reach, state, counted)
    sign_in = SignIn(entries, desk, SetupLinks(desk, state), providers)
    try:
        app = build_api(control, sign_in)
        yield Lobby(replace(site, control=control), sign_in, app, clock, provider, state)
    finally:
        passwords.close()


def token_in(response: httpx2.Response) -> str:
    """What the forms of a page carry."""
    found = re.search(r'name="csrf" value="([^"]+)"', response.text)
    assert found is not None, response.text
    return found[1]


def said(response: httpx2.Response) -> str:
    """What a page says that must not be overlooked."""
    found = re.search(r'role="(?:alert|status)">(.*?)</p>', response.text)
    return found[1] if found else ""


def query_of(url: str) -> dict[str, str]:
    """The members of a query, each of which is there once."""
    found = parse_qs(urlsplit(url).query, strict_parsing=True)
    assert all(len(values) == 1 for values in found.values())
    return {name: values[0] for name, values in found.items()}


def changed(issuer: Issuer, **members: Any) -> Issuer:
    """`issuer`, otherwise."""
    return Issuer(**{**asdict(issuer), **members})
