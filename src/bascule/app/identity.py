"""Access tokens put together: issuers asked over the network, secrets resolved, and counters."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, Counter

from bascule.gateway.errors import GatewayError
from bascule.gateway.snapshot import Snapshot
from bascule.identity.fetching import Fetched, IssuerUnusable, is_loopback
from bascule.identity.key_sets import KeyRules, KeySets
from bascule.identity.rejections import Reason
from bascule.identity.tokens import Tokens
from bascule.identity.verifying import TokenRules, Verifier
from bascule.settings.model import Settings
from bascule.upstreams.egress import AddressRules, parse_networks
from bascule.upstreams.http1 import HttpClient, HttpRequest, Origin, PoolConfig
from bascule.upstreams.secrets.resolver import SecretResolver

_FETCH_SECONDS: Final = 5.0
_MOST_BYTES: Final = 262_144
_CONNECTIONS: Final = 4
_LOOK_SECONDS: Final = 2.0
_LOOPBACK_NAMES: Final = ("127.0.0.1", "localhost", "[::1]")
_DEVELOPMENT: Final = "development"


class IssuerFetch:
    """A `Fetch` over HTTP. What a document names must be public, or of an allowed network."""

    def __init__(self, chosen: HttpClient, named: HttpClient) -> None:
        self._chosen = chosen
        self._named = named

    @classmethod
    @asynccontextmanager
    async def open(cls, rules: AddressRules) -> AsyncGenerator["IssuerFetch"]:
        """Open the clients; they close with the block."""

        def client(rules: AddressRules) -> HttpClient:
            return HttpClient(
                PoolConfig(
                    max_connections=_CONNECTIONS,
                    max_body_bytes=_MOST_BYTES,
                    rules=rules,
                    follows_redirects=False,
                )
            )

        async with client(rules) as chosen, client(rules.for_strangers()) as named:
            yield cls(chosen, named)

    async def __call__(self, url: str, *, chosen_here: bool) -> Fetched:
        """As `Fetch`."""
        client = self._chosen if chosen_here else self._named
        try:
            origin, target = Origin.locate(url)
            request = HttpRequest(origin, "GET", target, (("accept", "application/json"),))
            answer = await client.request(request, time.monotonic() + _FETCH_SECONDS)
        except GatewayError as failure:
            raise IssuerUnusable(f"{url}: {failure.private}") from None
        except ValueError as error:
            raise IssuerUnusable(f"{url}: {error}") from None
        return Fetched(answer.status, answer.body)


@dataclass(frozen=True, slots=True)
class Inbound:
    """What knows the callers who bring access tokens, and what is counted of it."""

    tokens: Tokens
    counters: tuple[Counter, ...]

    def register(self, registry: CollectorRegistry) -> None:
        """Show the counters among the metrics."""
        for one in self.counters:
            registry.register(one)

    async def keep_fresh(self, snapshot: Callable[[], Snapshot]) -> None:
        """Fetch keys before their time is over, so that no call waits; runs until cancelled."""
        keys = self.tokens.verifier.keys
        while True:
            await keys.refresh_due(snapshot().issuers.values())
            await asyncio.sleep(_LOOK_SECONDS)


@asynccontextmanager
async def open_inbound(
    settings: Settings, resolver: SecretResolver, listens_at: str = ""
) -> AsyncGenerator[Inbound]:
    """Everything that access tokens need; it closes with the block.

    `listens_at` is the address that is listened on, as a URL without a path.
    """
    identity = settings.identity
    rules = AddressRules(parse_networks(str(one) for one in settings.upstreams.allowed_networks))
    fetches, refused = _counters()
    addresses = tuple(own_addresses(settings, listens_at))
    async with AsyncExitStack() as stack:
        keys = KeySets(
            await stack.enter_async_context(IssuerFetch.open(rules)),
            KeyRules(
                identity.jwks_seconds,
                identity.stale_jwks_seconds,
                allows_secrets=settings.app.environment == _DEVELOPMENT,
            ),
            resolver.resolve,
            on_fetch=lambda went_well: fetches.labels("ok" if went_well else "failed").inc(),
        )
        stack.push_async_callback(keys.close)
        verifier = Verifier(keys, TokenRules(lambda: addresses, identity.clock_skew_seconds))
        tokens = Tokens(
            verifier,
            max_tokens=identity.max_tokens,
            on_refused=lambda reason: refused.labels(reason.value).inc(),
        )
        yield Inbound(tokens, (fetches, refused))


def own_addresses(settings: Settings, listens_at: str) -> Sequence[str]:
    """Under which addresses, without a path, clients know this gateway as the audience of tokens.

    Without `server.public_url`: what it listens on, under every name that requests may have.
    """
    server = settings.server
    if server.public_url:
        return (server.public_url,)
    parts = urlsplit(listens_at or f"http://{server.host}:{server.port}")
    if not parts.port:
        return ()
    named = [one for one in server.allowed_hosts if not is_loopback(one)]
    found = [
        f"{scheme}://{name}:{parts.port}"
        for scheme in ("http", "https")
        for name in (*_LOOPBACK_NAMES, *named)
    ]
    return (*found, *(f"https://{name}" for name in named))


def _counters() -> tuple[Counter, Counter]:
    fetches = Counter(
        "bascule_jwks_fetches",
        "Times the keys of an issuer were fetched.",
        ["outcome"],
        registry=None,
    )
    refused = Counter(
        "bascule_token_refusals", "Access tokens that were refused.", ["reason"], registry=None
    )
    for outcome in ("ok", "failed"):
        fetches.labels(outcome)
    for reason in Reason:
        refused.labels(reason.value)
    return fetches, refused
