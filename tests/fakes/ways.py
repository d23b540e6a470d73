"""An upstream's way to its authorization server, put together over loopback."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bascule.gateway.connector import UserGrants
from bascule.upstreams.egress import AddressRules, parse_networks
from bascule.upstreams.http1 import HttpClient, PoolConfig
from bascule.upstreams.oauth.access import Access
from bascule.upstreams.oauth.exchange import Clients, Exchange
from bascule.upstreams.oauth.failures import ConsentNeeded
from bascule.upstreams.oauth.flow import Flow
from bascule.upstreams.oauth.ground import Ground
from bascule.upstreams.oauth.headless import HeadlessConsent
from bascule.upstreams.oauth.memory import MemoryGrants, MemoryRegistrations
from bascule.upstreams.oauth.ports import Callback, Pending
from bascule.upstreams.oauth.setup import Setup
from bascule.upstreams.secrets import SecretResolver
from bascule.upstreams.secrets.box import SecretBox
from bascule.upstreams.secrets.sources import Stored
from fakes.authorization import AuthorizationServer, Service, at

BACK = "http://127.0.0.1:9/callback"
LOOPBACK = AddressRules(parse_networks(["127.0.0.0/8"])).for_strangers()


class Away:
    """A `Consent` whose people are elsewhere."""

    redirect_uri = BACK

    def __init__(self) -> None:
        self.asked: list[Pending] = []

    async def ask(self, pending: Pending) -> Callback:
        self.asked.append(pending)
        raise ConsentNeeded("https://gateway.example/consent/1", pending.upstream)


@dataclass
class World:
    """Everything between an upstream and a grant."""

    server: AuthorizationServer
    service: Service
    client: HttpClient
    exchange: Exchange
    grants: MemoryGrants
    registrations: MemoryRegistrations
    away: Away

    def setup(self, *, one_person: bool = True, document_url: str = "") -> Setup:
        consent = HeadlessConsent(self.client, BACK) if one_person else self.away
        return Setup(
            self.grants,
            self.registrations,
            consent,
            document_url,
            one_person=one_person,
            consent_seconds=5,
        )

    def flow(self, wanted: UserGrants | None = None, setup: Setup | None = None) -> Flow:
        resolver = SecretResolver(Stored(SecretBox([b"k" * 32])), {})
        wanted = wanted or UserGrants()
        return Flow("t", wanted, self.exchange, setup or self.setup(), resolver)

    def access(self, setup: Setup | None = None) -> Access:
        setup = setup or self.setup()
        return Access("t", "s", self.flow(setup=setup), self.exchange.ground, setup)


@asynccontextmanager
async def world() -> AsyncGenerator[World]:
    """An upstream that wants tokens, its server, and nothing known of either."""
    server = AuthorizationServer()
    service = Service(server)
    config = PoolConfig(rules=LOOPBACK)
    async with at(server, service), HttpClient() as client, HttpClient(config) as others:
        exchange = Exchange("s", Ground(f"{service.url}/mcp"), Clients(client, others))
        yield World(
            server, service, client, exchange, MemoryGrants(), MemoryRegistrations(), Away()
        )
