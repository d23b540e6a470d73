"""The headers that only the gateway may set, with secrets and tokens in them; ready to be sent."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from bascule.upstreams.credentials.tokens import Tokens
from bascule.upstreams.flights import Flight
from bascule.upstreams.http1 import prepare_headers
from bascule.upstreams.secrets import SecretResolver, SecretUnavailable

Headers: TypeAlias = tuple[tuple[str, str], ...]

_RENEWALS_APART_SECONDS: Final = 10.0
"""A service that refuses whatever it is shown must not make us ask for tokens without end."""
_SHORTEST_SECRET: Final = 8


@dataclass(frozen=True, slots=True)
class Ready:
    """Headers as they are sent: `lines` are those of RFC 9112.

    `secrets` are what must not come back out of an answer, longest first.
    """

    lines: bytes
    secrets: tuple[str, ...]
    generation: int
    until: float


class Credentials:
    """What one upstream is shown: `headers` with references in their values, and a token."""

    def __init__(
        self,
        tenant: str,
        headers: Headers,
        resolver: SecretResolver,
        tokens: Tokens | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tenant = tenant
        self._headers = headers
        self._resolver = resolver
        self._tokens = tokens
        self._clock = clock
        self._ready: Ready | None = None
        self._renewing: Flight[None] = Flight()
        self._renew_from = 0.0
        own = ("authorization",) if tokens is not None else ()
        self.names = frozenset((*own, *(name.lower() for name, _ in headers)))
        """The headers that are set here, and nowhere else; in lower case."""

    def fresh(self) -> Ready | None:
        """What was made ready before, if it holds still."""
        ready = self._ready
        if ready is None or ready.generation != self._resolver.generation(self._tenant):
            return None
        return ready if self._clock() < ready.until else None

    async def prepared(self) -> Ready:
        """What to send now.

        Raises:
            SecretUnavailable, TokenUnavailable, TokenRefused: it cannot be made ready.
        """
        return self.fresh() or await self._prepare()

    async def renewed(self, refused: Ready) -> Ready | None:
        """What to send instead of `refused`, which the service did not accept; None if the same.

        Tokens and secrets are got anew, once for all that were refused at a time, and not again
        for a while. Raises as `prepared`.
        """
        current = self.fresh()
        if current is None or current.lines == refused.lines:
            if not self._renewing.is_under_way and self._clock() < self._renew_from:
                return None
            await self._renewing.join(self._renew)
        ready = await self.prepared()
        return None if ready.lines == refused.lines else ready

    async def close(self) -> None:
        """End what is under way."""
        await self._renewing.close()
        if self._tokens is not None:
            await self._tokens.close()

    async def _renew(self) -> None:
        self._renew_from = self._clock() + _RENEWALS_APART_SECONDS
        self._ready = None
        if self._tokens is not None:
            self._tokens.forget()
        for _, value in self._headers:
            self._resolver.forget(value)
        await self._prepare()

    async def _prepare(self) -> Ready:
        generation, now = self._resolver.generation(self._tenant), self._clock()
        until = now + self._resolver.freshness.ttl_seconds
        made = [
            (name, await self._resolver.resolve(self._tenant, value))
            for name, value in self._headers
        ]
        secrets = [value for _, value in made]
        if self._tokens is not None:
            token = await self._tokens.current()
            made.append(("authorization", f"Bearer {token.value}"))
            secrets.append(token.value)
            until = min(until, token.renew_from)
        ready = Ready(_lines(made), _parts(secrets), generation, until)
        self._ready = ready
        return ready


def _lines(headers: Sequence[tuple[str, str]]) -> bytes:
    for name, value in headers:
        try:
            prepare_headers(((name, value),))
        except ValueError:
            raise SecretUnavailable(
                f"The value of the header {name} cannot be sent: it holds a line break, or "
                "characters that headers have not."
            ) from None
    return prepare_headers(headers)


def _parts(values: Sequence[str]) -> tuple[str, ...]:
    parts = {part for value in values for part in (value, *value.split())}
    long = [one for one in parts if len(one) >= _SHORTEST_SECRET]
    return tuple(sorted(long, key=lambda one: (-len(one), one)))
