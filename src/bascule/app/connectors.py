"""How each upstream is reached: by which client, and as whom; kept from snapshot to snapshot."""

import asyncio
import ssl
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, TypeAlias

import structlog

from bascule.app.background import Background
from bascule.gateway.connector import Connector
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.tool import Upstream
from bascule.upstreams.credentials import (
    ClientCertificate,
    CredentialedClient,
    Credentials,
    ExchangingClients,
    Tokens,
    Way,
)
from bascule.upstreams.egress import AddressRules
from bascule.upstreams.http1 import HttpClient, HttpSender, PoolConfig
from bascule.upstreams.secrets import SecretResolver
from bascule.upstreams.secrets.references import needs_resolving

_log = structlog.get_logger(__name__)

_LAST_WORDS_SECONDS: Final = 5.0
"""After the grace of its calls, a server that goes is still told that its sessions end."""
_SET_PER_MESSAGE: Final = frozenset(
    {"accept", "content-type", "last-event-id", "traceparent", "x-correlation-id",
     "x-mcp-tool-name", "x-mcp-risk-level", "mcp-protocol-version", "mcp-method", "mcp-name",
     "mcp-session-id"}
)  # fmt: skip


class Clients(NamedTuple):
    """`client` for calls, `lasting` for streams without a near end; each with its own limits."""

    client: HttpClient
    lasting: HttpClient


class Reach(NamedTuple):
    """How to reach an upstream: its record less what the clients add of their own.

    `bare` comes over the same ways, and as nobody; `elsewhere` is for other hosts, which are shown
    no certificate either, and are bound by the common rules. With `callers`, each call is sent by
    what that gives, in its caller's own name; `client` and `lasting` are then nobody's.
    """

    upstream: Upstream
    client: HttpSender
    lasting: HttpSender
    bare: HttpClient
    elsewhere: HttpClient
    callers: ExchangingClients | None = None


_Key: TypeAlias = tuple[str, str, Connector, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    """What is kept of an upstream. `own` are its clients where it shares none."""

    clients: Clients
    own: Clients | None
    certificate: ClientCertificate | None
    credentials: Credentials | None
    callers: ExchangingClients | None = None

    async def close(self) -> None:
        async with AsyncExitStack() as stack:
            for client in self.own or ():
                stack.push_async_callback(client.close)
            if self.certificate is not None:
                stack.push_async_callback(self.certificate.close)
            if self.credentials is not None:
                stack.push_async_callback(self.credentials.close)
            if self.callers is not None:
                stack.push_async_callback(self.callers.close)


class Connectors:
    """Opens what connectors ask for. Who asks for nothing shares the common clients.

    A connector with certificates or address ranges of its own has clients of its own: no other
    upstream, and no other tenant, is ever given one of its connections.
    """

    def __init__(
        self,
        shared: Clients,
        configs: tuple[PoolConfig, PoolConfig],
        tls: ssl.SSLContext,
        resolver: SecretResolver,
    ) -> None:
        """`configs` are those of the shared clients, `tls` their settings."""
        self._shared = shared
        self._configs = configs
        self._tls = tls
        self.resolver = resolver
        self._opened: dict[_Key, _Opened] = {}
        self._retiring: list[_Opened] = []

    @property
    def common(self) -> tuple[PoolConfig, ssl.SSLContext]:
        """What the shared client for calls is made of."""
        return self._configs[0], self._tls

    @property
    def rules(self) -> AddressRules:
        """Where every upstream may be, whatever its connector adds."""
        return self._configs[0].rules

    def reach(self, tenant: str, upstream: Upstream) -> Reach:
        """How to reach `upstream`; opens no connection.

        Raises:
            ValueError: its connector cannot be used; says why.
        """
        key = _key(tenant, upstream)
        opened = self._opened.get(key)
        if opened is None:
            opened = self._opened[key] = self._open(tenant, upstream)
        credentials, callers = opened.credentials, opened.callers
        bare, elsewhere = opened.clients.client, self._shared.client
        adding = credentials if callers is None else callers
        if adding is None:
            return Reach(upstream, *opened.clients, bare, elsewhere)
        rest = tuple(
            (name, value)
            for name, value in upstream.headers
            if not needs_resolving(value) and name.lower() not in adding.names
        )
        shown = replace(upstream, headers=rest)
        if credentials is None:
            return Reach(shown, *opened.clients, bare, elsewhere, callers)
        client, lasting = (CredentialedClient(one, credentials) for one in opened.clients)
        return Reach(shown, client, lasting, bare, elsewhere)

    def credentials(self, tenant: str, upstream: Upstream) -> Credentials | None:
        """What `upstream` is shown besides its plain headers; None for nothing.

        Raises:
            ValueError: its connector cannot be used.
        """
        self.reach(tenant, upstream)
        return self._opened[_key(tenant, upstream)].credentials

    def tokens(self, tenant: str, upstream: Upstream) -> Tokens | None:
        """A source of tokens of its own, to try the credentials of `upstream` with.

        Raises:
            ValueError: its connector cannot be used.
        """
        wanted = upstream.connector.credentials
        if wanted is None:
            return None
        self.reach(tenant, upstream)
        opened = self._opened[_key(tenant, upstream)]
        return Tokens(tenant, wanted, opened.clients.client, self.resolver)

    def retire(self, snapshot: Snapshot, background: Background, grace_seconds: float) -> None:
        """Let go of what `snapshot` does not name, once calls under way had their grace."""
        named = {
            _key(tenant, upstream)
            for tenant, view in snapshot.tenants.items()
            for upstream in view.upstreams.values()
        }
        for key in [key for key in self._opened if key not in named]:
            gone = self._opened.pop(key)
            self._retiring.append(gone)
            background.start(self._close_later(gone, grace_seconds + _LAST_WORDS_SECONDS))

    async def close(self) -> None:
        """Close what is open; the shared clients belong to somebody else."""
        for opened in (*self._opened.values(), *self._retiring):
            await opened.close()

    async def _close_later(self, gone: _Opened, seconds: float) -> None:
        await asyncio.sleep(seconds)  # calls under way may still use it
        await gone.close()
        self._retiring.remove(gone)

    def _open(self, tenant: str, upstream: Upstream) -> _Opened:
        connector, resolver = upstream.connector, self.resolver
        certificate = own = None
        if connector.tls is not None:
            certificate = ClientCertificate(tenant, connector.tls, resolver)
        if connector.tls is not None or connector.networks:
            tls = self._tls if certificate is None else certificate.context
            calls, streams = (
                replace(config, rules=config.rules.widened(connector.networks))
                for config in self._configs
            )
            own = Clients(HttpClient(calls, tls=tls), HttpClient(streams, tls=tls))
        clients = own or self._shared
        headers = _secret_headers(upstream)
        if connector.exchange is not None:
            way = Way(tenant, upstream.name, *clients, headers)
            callers = ExchangingClients(way, connector.exchange, resolver)
            return _Opened(clients, own, certificate, None, callers)
        wanted = connector.credentials
        tokens = None if wanted is None else Tokens(tenant, wanted, clients.client, resolver)
        credentials = None
        if headers or tokens is not None:
            credentials = Credentials(tenant, headers, resolver, tokens)
        return _Opened(clients, own, certificate, credentials)


def _key(tenant: str, upstream: Upstream) -> _Key:
    return tenant, upstream.name, upstream.connector, upstream.headers


def _secret_headers(upstream: Upstream) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, value)
        for name, value in upstream.headers
        if needs_resolving(value) and name.lower() not in _SET_PER_MESSAGE
    )
