"""Calls in each caller's own name: a token of the upstream's for a token of theirs (RFC 8693).

What one caller's token was exchanged for is found under that very token alone, and is held by the
client made for its call: no other call can come to send it.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from bascule.gateway.call import Call
from bascule.gateway.connector import TokenExchange
from bascule.upstreams.credentials.client import CredentialedClient
from bascule.upstreams.credentials.credentials import Credentials, Headers
from bascule.upstreams.credentials.failures import NothingToExchange, OthersToken
from bascule.upstreams.credentials.tokens import Tokens
from bascule.upstreams.http1 import HttpClient, Origin
from bascule.upstreams.secrets import SecretResolver

MOST_CALLERS: Final = 4096
"""How many tokens an upstream's exchanges are kept for; the one used longest ago goes first."""


class OwnClients(NamedTuple):
    """What sends one caller's requests: `lasting` those whose answers come piece by piece."""

    client: CredentialedClient
    lasting: CredentialedClient
    credentials: Credentials


class Way(NamedTuple):
    """How an upstream is reached, whoever calls. `headers` have references in their values."""

    tenant: str
    upstream: str
    client: HttpClient
    lasting: HttpClient
    headers: Headers = ()


_Key = tuple[str, bytes]


class ExchangingClients:
    """Gives each call a client that comes to the upstream as its caller."""

    def __init__(
        self,
        way: Way,
        wanted: TokenExchange,
        resolver: SecretResolver,
        clock: Callable[[], float] = time.monotonic,
        most: int = MOST_CALLERS,
    ) -> None:
        self._way = way
        self._wanted = wanted
        self._resolver = resolver
        self._clock = clock
        self._most = most
        self._known: OrderedDict[_Key, OwnClients] = OrderedDict()
        self.names = frozenset(("authorization", *(name.lower() for name, _ in way.headers)))
        """The headers that are set here, and nowhere else; in lower case."""

    @property
    def count(self) -> int:
        """For how many tokens there are clients."""
        return len(self._known)

    def of(self, call: Call) -> OwnClients:
        """The clients for `call`. Asks for nothing yet.

        Raises:
            NothingToExchange: its caller came without a token.
            OthersToken: its caller's token is of another issuer than the endpoint's.
        """
        if call.bearer is None or call.principal is None:
            raise NothingToExchange(self._way.upstream)
        evidence = call.principal.evidence
        if evidence is None or not self._takes(evidence.issuer):
            raise OthersToken(self._way.upstream)
        digest = hashlib.sha256(call.bearer.for_exchange().encode()).digest()
        key = call.principal.owner, digest
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._open(call)
            while len(self._known) > self._most:
                # Calls under way hold what they use.
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(key)
        return known

    def _takes(self, issuer: str) -> bool:
        """Whether tokens of `issuer` may be shown to the endpoint: no other can be replayed."""
        if self._wanted.issuer:
            return issuer == self._wanted.issuer
        try:
            return Origin.locate(issuer)[0] == Origin.locate(self._wanted.token_url)[0]
        except ValueError:
            return False

    async def close(self) -> None:
        """End what is under way."""
        while self._known:
            await self._known.popitem()[1].credentials.close()

    def _open(self, call: Call) -> OwnClients:
        way, resolver = self._way, self._resolver
        tokens = Tokens(way.tenant, self._wanted, way.client, resolver, self._clock, call.bearer)
        credentials = Credentials(way.tenant, way.headers, resolver, tokens, self._clock)
        return OwnClients(
            CredentialedClient(way.client, credentials),
            CredentialedClient(way.lasting, credentials),
            credentials,
        )
