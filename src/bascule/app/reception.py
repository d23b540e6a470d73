"""People's sign-in put together: passwords, providers asked over the network, sessions."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from bascule.api.control import Control
from bascule.api.signin.attempts import Attempts
from bascule.api.signin.browsers import Browsers, Lifetimes
from bascule.api.signin.cookies import Cookies
from bascule.api.signin.desk import Desk, PasswordRules
from bascule.api.signin.entries import Entries
from bascule.api.signin.house import SignIn
from bascule.api.signin.providers import Providers, Reach
from bascule.api.signin.setup import SetupLinks
from bascule.app.identity import Inbound, IssuerFetch
from bascule.gateway.errors import GatewayError
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.state import StateStore
from bascule.identity.fetching import Fetched, IssuerUnusable
from bascule.identity.passwords import Passwords
from bascule.settings.model import Settings
from bascule.storage.database import Database
from bascule.upstreams.egress import AddressRules, parse_networks
from bascule.upstreams.http1 import HttpClient, HttpRequest, Origin, PoolConfig
from bascule.upstreams.secrets.resolver import SecretResolver

_POST_SECONDS: Final = 10.0
_MOST_BYTES: Final = 262_144
_CONNECTIONS: Final = 4
_FORM: Final = "application/x-www-form-urlencoded"


class FormPost:
    """A `PostForm` over HTTP. What a document names must be public, or of an allowed network."""

    def __init__(self, chosen: HttpClient, named: HttpClient) -> None:
        self._chosen = chosen
        self._named = named

    async def __call__(
        self,
        url: str,
        form: Mapping[str, str],
        headers: tuple[tuple[str, str], ...],
        *,
        chosen_here: bool,
    ) -> Fetched:
        """As `PostForm`."""
        client = self._chosen if chosen_here else self._named
        sent = (("content-type", _FORM), ("accept", "application/json"), *headers)
        try:
            origin, target = Origin.locate(url)
            request = HttpRequest(origin, "POST", target, sent, urlencode(form).encode())
            answer = await client.request(request, time.monotonic() + _POST_SECONDS)
        except GatewayError as failure:
            raise IssuerUnusable(f"{url}: {failure.private}") from None
        except ValueError as error:
            raise IssuerUnusable(f"{url}: {error}") from None
        return Fetched(answer.status, answer.body)


@dataclass(frozen=True, slots=True)
class Reception:
    """What people's sign-in needs and no snapshot holds."""

    settings: Settings
    passwords: Passwords
    reach: Reach

    def browsers(
        self,
        database: Database,
        snapshot: Callable[[], Snapshot],
        refresh: Callable[[], Awaitable[Snapshot]],
    ) -> Browsers:
        """Who is signed in."""
        identity = self.settings.identity
        lifetimes = Lifetimes(
            timedelta(minutes=identity.session_idle_minutes),
            timedelta(hours=identity.session_hours),
        )
        server = self.settings.server
        cookies = Cookies(server.public_url, frozenset(server.allowed_origins))
        return Browsers(database, snapshot, refresh, cookies, lifetimes)

    def sign_in(self, control: Control, browsers: Browsers, state: StateStore) -> SignIn:
        """Every way in, over `control`."""
        identity = self.settings.identity
        rules = PasswordRules(identity.local_accounts, identity.min_password_characters)
        entries = Entries(control, browsers)
        attempts = Attempts(state, identity.sign_in_attempts)
        desk = Desk(entries, self.passwords, attempts, rules)
        providers = Providers(entries, self.reach, state, attempts)
        return SignIn(entries, desk, SetupLinks(desk, state), providers)


@asynccontextmanager
async def open_reception(
    settings: Settings, inbound: Inbound, resolver: SecretResolver
) -> AsyncGenerator[Reception]:
    """Open what it takes; it closes with the block."""
    networks = (str(one) for one in settings.upstreams.allowed_networks)
    rules = AddressRules(parse_networks(networks))
    async with AsyncExitStack() as stack:
        fetch = await stack.enter_async_context(IssuerFetch.open(rules))
        chosen = await stack.enter_async_context(_client(rules))
        named = await stack.enter_async_context(_client(rules.for_strangers()))
        passwords = Passwords()
        stack.push_async_callback(asyncio.to_thread, passwords.close)
        reach = Reach(
            fetch, FormPost(chosen, named), inbound.tokens.verify_id_token, resolver.resolve
        )
        yield Reception(settings, passwords, reach)


def _client(rules: AddressRules) -> HttpClient:
    return HttpClient(
        PoolConfig(
            max_connections=_CONNECTIONS,
            max_body_bytes=_MOST_BYTES,
            rules=rules,
            follows_redirects=False,
        )
    )
