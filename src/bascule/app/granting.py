"""Access to an upstream on behalf of each caller, put together."""

import ssl
from dataclasses import replace
from typing import Final, NamedTuple

from bascule.app.connectors import Reach
from bascule.upstreams.credentials import CredentialedClient
from bascule.upstreams.http1 import HttpClient, PoolConfig
from bascule.upstreams.oauth.access import Access
from bascule.upstreams.oauth.client import GrantedClients
from bascule.upstreams.oauth.exchange import Clients, Exchange
from bascule.upstreams.oauth.flow import Flow
from bascule.upstreams.oauth.ground import Ground
from bascule.upstreams.oauth.setup import Setup
from bascule.upstreams.secrets import SecretResolver

_LOOPBACK: Final = ("127.0.0.0/8", "::1/128")


class Ways(NamedTuple):
    """What the clients of authorization servers are made of; `config` bounds those of all."""

    config: PoolConfig
    tls: ssl.SSLContext
    resolver: SecretResolver


def granted(tenant: str, reach: Reach, setup: Setup, ways: Ways) -> GrantedClients:
    """The clients that come to the upstream of `reach` on behalf of each of its callers.

    What the upstream leads to may be public, or in the ranges of the settings and of its own
    connector; on this machine, where the upstream is there itself.

    Raises:
        ValueError: its record cannot be used.
    """
    upstream, wanted = reach.upstream, reach.upstream.connector.user_grants
    client, lasting = reach.client, reach.lasting
    plain = (HttpClient, CredentialedClient)
    if wanted is None or not isinstance(client, plain) or not isinstance(lasting, plain):
        raise ValueError("its connector asks for no access on behalf of callers")
    ground = Ground(upstream.url)
    networks = (*upstream.connector.networks, *(_LOOPBACK if ground.is_local else ()))
    rules = ways.config.rules.for_strangers().widened(networks)
    others = HttpClient(replace(ways.config, rules=rules), tls=ways.tls)
    exchange = Exchange(upstream.name, ground, Clients(reach.bare, others))
    flow = Flow(tenant, wanted, exchange, setup, ways.resolver)
    access = Access(tenant, upstream.name, flow, ground, setup)
    return GrantedClients(access, client, lasting, others.close)
