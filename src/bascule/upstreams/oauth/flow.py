"""The way from a refusal to a grant, step by step, at one upstream.

Source: MCP specification 2026-07-28, basic/authorization "Authorization Flow Steps".
"""

import asyncio
from contextlib import suppress
from dataclasses import replace

from bascule.gateway.connector import UserGrants
from bascule.upstreams.oauth.asking import ask, check_callback
from bascule.upstreams.oauth.challenges import CHALLENGE, Demand, demand_of
from bascule.upstreams.oauth.clients import Registrar, by_hand, portable
from bascule.upstreams.oauth.discovery import Discovery
from bascule.upstreams.oauth.exchange import Exchange
from bascule.upstreams.oauth.failures import (
    AuthorizationFailed,
    AuthorizationUnavailable,
    GrantRefused,
)
from bascule.upstreams.oauth.metadata import ResourceMetadata, ServerMetadata
from bascule.upstreams.oauth.ports import Callback, Grant, Holder, Pending, Registration
from bascule.upstreams.oauth.scopes import choose_scopes
from bascule.upstreams.oauth.setup import Setup
from bascule.upstreams.oauth.tokens import Asked, TokenEndpoint
from bascule.upstreams.secrets import SecretResolver

_MOST_SERVERS = 3


class Flow:
    """Authorizes holders at one upstream of a tenant. Keeps no grant by itself.

    What it raises: AuthorizationFailed and its like, AuthorizationUnavailable, SecretUnavailable.
    """

    def __init__(
        self,
        tenant: str,
        wanted: UserGrants,
        exchange: Exchange,
        setup: Setup,
        resolver: SecretResolver,
    ) -> None:
        self._tenant = tenant
        self._wanted = wanted
        self._setup = setup
        self._resolver = resolver
        self._exchange = exchange
        self._discovery = Discovery(exchange)
        self._registrar = Registrar(exchange)
        self._tokens = TokenEndpoint(exchange)
        self._registering = asyncio.Lock()

    async def resource(self, demand: Demand) -> ResourceMetadata:
        """What the upstream says of access to it, now."""
        return await self._discovery.resource(demand)

    async def demand(self) -> Demand:
        """What the upstream asks of who comes as nobody; nothing, where it does not say."""
        with suppress(ValueError, AuthorizationUnavailable):
            response = await self._exchange.get(self._exchange.ground.canonical)
            if response.status == 401:
                fields = [value for name, value in response.headers if name == CHALLENGE]
                return demand_of(fields) or Demand()
        return Demand()

    async def begin(
        self, holder: Holder, demand: Demand, resource: ResourceMetadata, held: Grant | None
    ) -> Pending:
        """An authorization that waits for a person. `held` is what it takes the place of.

        What was asked for before is asked for again only where the server is still the same.
        """
        server = await self._choose(resource)
        before = held.scopes if held is not None and held.issuer == server.issuer else ()
        scopes = choose_scopes(demand, resource, server, self._wanted.scopes, before)
        client = await self._client(server)
        return ask(holder, self._exchange.ground, server, client, resource.resource, scopes)

    async def finish(self, pending: Pending, callback: Callback) -> Grant:
        """The grant that the person's consent is good for.

        Whoever calls this has seen to it that the answer came to who was asked.
        """
        code = check_callback(pending, callback)
        if not self._exchange.ground.covers(pending.resource):
            raise self._failed("its address has changed since consent was asked for")
        client = await self._known_client(pending.issuer, pending.client_id)
        asked = Asked(pending.token_endpoint, pending.resource, client, pending.scopes)
        return await self._tokens.redeem(asked, code, pending.verifier, pending.redirect_uri)

    async def refresh(self, grant: Grant) -> Grant:
        """A new grant in place of `grant`, from the same server.

        Raises:
            GrantRefused: the refresh token is not accepted any more, or there is none.
        """
        if grant.refresh_token is None:
            raise GrantRefused(self._exchange.name, "the grant cannot be refreshed")
        server = await self._discovery.server(grant.issuer)
        client = await self._known_client(grant.issuer, grant.client_id)
        asked = Asked(
            server.token_endpoint, grant.resource, client, grant.scopes, grant.refresh_token
        )
        return await self._tokens.refresh(asked)

    async def _choose(self, resource: ResourceMetadata) -> ServerMetadata:
        """The server this gateway is registered at by hand, else the first that can be used."""
        named, wanted = resource.authorization_servers, self._wanted
        if wanted.client_id:
            if wanted.issuer not in named:
                # Another server must not be shown what this one gave (SEP-2352).
                raise self._failed(
                    f"this gateway is registered at {wanted.issuer or 'no named issuer'}, but the "
                    f"service sends people to {', '.join(named)[:300]}; register it there, and "
                    "set client_id and issuer of the connector"
                )
            return await self._discovery.server(wanted.issuer)
        failure: Exception = self._failed("it names no authorization server")
        for issuer in named[:_MOST_SERVERS]:
            try:
                return await self._discovery.server(issuer)
            except (AuthorizationFailed, AuthorizationUnavailable) as reason:
                failure = reason
        raise failure

    async def _client(self, server: ServerMetadata) -> Registration:
        """This gateway at `server`: by hand, else by its document, else registered now."""
        redirect_uri = self._setup.consent.redirect_uri
        if self._wanted.client_id:
            return replace(await self._by_hand(server), redirect_uri=redirect_uri)
        found = portable(self._setup.document_url, server, redirect_uri)
        if found is not None:
            return found
        registrations = self._setup.registrations
        async with self._registering:
            kept = await registrations.load(self._tenant, server.issuer)
            if kept is not None and self._registrar.holds(kept, redirect_uri):
                return kept
            made = await self._registrar.register(server, redirect_uri)
            await registrations.save(self._tenant, made)
            return made

    async def _known_client(self, issuer: str, client_id: str) -> Registration:
        """The client as which an authorization was begun, and no other one."""
        if self._wanted.client_id:
            if issuer != self._wanted.issuer:
                raise self._failed(f"no client is registered by hand at {issuer}")
            found = await self._by_hand(await self._discovery.server(issuer))
        elif client_id == self._setup.document_url:
            found = Registration(issuer, client_id)
        else:
            kept = await self._setup.registrations.load(self._tenant, issuer)
            found = kept or Registration(issuer, "")
        if found.client_id != client_id:
            raise GrantRefused(
                self._exchange.name, f"this gateway is another client of {issuer} by now"
            )
        return found

    async def _by_hand(self, server: ServerMetadata) -> Registration:
        client_id = await self._resolver.resolve(self._tenant, self._wanted.client_id)
        secret = await self._resolver.resolve(self._tenant, self._wanted.client_secret)
        return by_hand(server, client_id, secret)

    def _failed(self, reason: str) -> AuthorizationFailed:
        return AuthorizationFailed(self._exchange.name, reason)
