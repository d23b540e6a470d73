"""Texts with references, made into what they stand for now; read again as they grow old."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from bascule.gateway.snapshot import Snapshot
from bascule.upstreams.flights import Flight
from bascule.upstreams.secrets.failures import SecretUnavailable
from bascule.upstreams.secrets.references import Kind, Reference, parse
from bascule.upstreams.secrets.sources import Source, Stored

_log = structlog.get_logger(__name__)

_PAUSE_SECONDS: Final = 1.0
"""How long a place that failed is left alone."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """A value counts for `ttl_seconds`; where it cannot be read again, for `stale_seconds`."""

    ttl_seconds: float = 30.0
    stale_seconds: float = 600.0


@dataclass(slots=True)
class _Kept:
    """What is known of a reference: a value and when it was read, and how the last try failed."""

    flight: Flight[None]
    value: str | None = None
    read: float = 0.0
    due: float = 0.0
    failure: str = ""


class SecretResolver:
    """Resolves texts. Secrets of tenants are opened at once, all others kept for a while."""

    def __init__(
        self,
        stored: Stored,
        sources: Mapping[Kind, Source],
        freshness: Freshness | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stored = stored
        self._sources = sources
        self._clock = clock
        self._kept: dict[Reference, _Kept] = {}
        self._changes = 0
        self.freshness = freshness or Freshness()

    def generation(self, tenant: str) -> int:
        """Grows whenever a secret is another one, the tenant's or one read again, or is lost."""
        return self._stored.generation(tenant) + self._changes

    def follow(self, snapshot: Snapshot) -> None:
        """Take the secrets of `snapshot` for those of tenants, from now on."""
        self._stored.follow(snapshot)

    async def resolve(self, tenant: str, text: str) -> str:
        """`text` with its references replaced; what they bring in is not looked at again.

        Raises:
            SecretUnavailable: a reference is malformed, or has no value.
        """
        try:
            parts = parse(text)
        except ValueError as error:
            raise SecretUnavailable(f"{error}.") from None
        return "".join(
            [part if isinstance(part, str) else await self._value(tenant, part) for part in parts]
        )

    def forget(self, text: str) -> None:
        """Read the references of `text` again when they are next needed: one was not accepted."""
        for part in parse(text):
            if isinstance(part, Reference) and (kept := self._kept.get(part)) is not None:
                kept.due = 0.0

    async def close(self) -> None:
        """End what is being read."""
        for kept in self._kept.values():
            await kept.flight.close()

    async def _value(self, tenant: str, reference: Reference) -> str:
        if reference.kind is Kind.STORED:
            return self._stored.open(tenant, reference)
        kept = self._kept.get(reference)
        if kept is None:
            kept = self._kept[reference] = _Kept(Flight())
        if self._clock() >= kept.due:
            await kept.flight.join(lambda: self._read(reference, kept))
        if kept.value is None:
            raise SecretUnavailable(kept.failure)
        return kept.value

    async def _read(self, reference: Reference, kept: _Kept) -> None:
        try:
            value = await self._sources.get(reference.kind, _NOWHERE).fetch(reference)
        except SecretUnavailable as failure:
            kept.failure = failure.private
            if kept.value is not None and self._is_too_old(kept):
                kept.value = None
                self._changes += 1
            _log.warning(
                "secret.not_read",
                reference=reference.label,
                reason=failure.private,
                last_value_kept=kept.value is not None,
            )
            kept.due = self._clock() + _PAUSE_SECONDS
            return
        if kept.value is not None and value != kept.value:
            self._changes += 1
        kept.value, kept.failure = value, ""
        kept.read = self._clock()
        kept.due = kept.read + self.freshness.ttl_seconds

    def _is_too_old(self, kept: _Kept) -> bool:
        return self._clock() - kept.read > self.freshness.stale_seconds


class _Nowhere:
    """In place of a source that is not set up."""

    async def fetch(self, reference: Reference) -> str:
        """As `Source.fetch`."""
        remedy = " Set security.vault_url, and a token." if reference.kind is Kind.VAULT else ""
        raise SecretUnavailable(f"{reference} is not set up at this gateway.{remedy}")


_NOWHERE: Final = _Nowhere()
