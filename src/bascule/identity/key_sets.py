"""The keys of issuers, kept fresh: fetched by one for all, kept through outages, and bounded."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from bascule.gateway.errors import GatewayError
from bascule.gateway.issuer import Issuer
from bascule.identity.discovery import Metadata, discover
from bascule.identity.fetching import Fetch, Fetched, IssuerUnusable, objection_to
from bascule.identity.jwks import SHARED_SECRET, VerificationKey, fitting, parse_keys, secret_key
from bascule.identity.rejections import shown

_log = structlog.get_logger(__name__)

_AHEAD: Final = 0.8
"""The part of its time after which a set is fetched again, before anybody has to wait for it."""
_PAUSE_SECONDS: Final = 5.0
_LONGEST_PAUSE_SECONDS: Final = 60.0
_UNKNOWN_KEY_SECONDS: Final = 10.0
"""How often, at most, a key that is not in the set has it fetched again."""

ResolveSecret = Callable[[str, str], Awaitable[str]]
"""What a reference stands for, by tenant and text. GatewayError: it has no value."""


@dataclass(frozen=True, slots=True)
class KeyRules:
    """How long keys count, in seconds, and whether shared secrets do."""

    fresh_seconds: float = 600.0
    stale_seconds: float = 86_400.0
    allows_secrets: bool = False


@dataclass(frozen=True, slots=True)
class Issued:
    """What an issuer gave just now."""

    metadata: Metadata | None
    """None where its keys were not discovered, but are at an address set by an operator."""
    jwks_url: str
    keys: tuple[VerificationKey, ...]


@dataclass(frozen=True, slots=True)
class KeySetState:
    """How an issuer's keys stand in this process. Times are in seconds, None for never.

    `is_stale` where keys are in use that should have been fetched anew. `failure` is that of the
    last fetch that failed, `failures` how many failed since one brought keys, of which no more
    than ten are counted.
    """

    keys: int = 0
    age: float | None = None
    is_stale: bool = False
    usable_for: float | None = None
    """How long they count if the issuer is not reached again; None without any."""
    failures: int = 0
    failure: str = ""
    failed_ago: float | None = None


class _KeySet:
    """What is known of one issuer's keys. Times are of a monotonic clock."""

    def __init__(self) -> None:
        self.keys: tuple[VerificationKey, ...] = ()
        self.fetched = float("-inf")
        self.tried = float("-inf")
        self.sought = float("-inf")
        """When it was last fetched for a key that was not in it."""
        self.due = float("-inf")
        self.failures = 0
        self.failure = ""
        self.failed = float("-inf")
        self.flight: asyncio.Task[None] | None = None

    @property
    def is_being_fetched(self) -> bool:
        """Whether there is a fetch to wait for."""
        return self.flight is not None and not self.flight.done()

    def replace(self, keys: Iterable[VerificationKey]) -> None:
        """Take `keys`; those it had already stay the same objects, those it has lost end."""
        had = {key.text: key for key in self.keys}
        self.keys = tuple(had.pop(key.text, key) for key in keys)
        for gone in had.values():
            gone.is_current = False

    async def close(self) -> None:
        task, self.flight = self.flight, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


class KeySets:
    """The keys of every issuer. A set counts for `fresh_seconds`, and is fetched before that ends.

    Where an issuer cannot be reached, its old keys count until they are `stale_seconds` old. A
    key that leaves its set ends at once, and so does the standing of what it verified.
    """

    def __init__(
        self,
        fetch: Fetch,
        rules: KeyRules,
        resolve: ResolveSecret | None = None,
        clock: Callable[[], float] = time.monotonic,
        on_fetch: Callable[[bool], None] = lambda _: None,
    ) -> None:
        """`on_fetch` is told of each fetch whether it brought keys."""
        self._fetch = fetch
        self._rules = rules
        self._resolve = resolve
        self._clock = clock
        self._on_fetch = on_fetch
        self._sets: dict[tuple[str, str], _KeySet] = {}
        self._secrets: dict[str, VerificationKey] = {}

    def algorithms(self, issuer: Issuer) -> tuple[str, ...]:
        """What tokens of `issuer` may be signed with, here."""
        signed = tuple(one for one in issuer.algorithms if not one.startswith("HS"))
        with_secret = issuer.shared_secret and self._rules.allows_secrets
        return (*signed, SHARED_SECRET) if with_secret else signed

    async def find(
        self, issuer: Issuer, algorithm: str, key_id: str | None
    ) -> Sequence[VerificationKey]:
        """The keys that a token of `issuer` may be signed with; none where it has no such key.

        Waits for the issuer only where nothing else helps: there are no keys yet, or the token
        names one that may be new.

        Raises:
            IssuerUnusable: there are no keys that still count.
        """
        if algorithm == SHARED_SECRET:
            return [await self._secret(issuer)]
        known = self._of(issuer)
        now = self._clock()
        if self._too_old(known, now):
            await self._join(issuer, known)
        elif now - known.fetched >= self._rules.fresh_seconds and now >= known.due:
            await self._renew(issuer, known)
        found = fitting(known.keys, algorithm, key_id)
        if not found and known.keys and self._may_be_new(known, now):
            await asyncio.shield(self._begin(issuer, known))
            found = fitting(known.keys, algorithm, key_id)
        if not found and not known.keys:
            raise IssuerUnusable(known.failure)
        return found

    async def refresh_due(self, issuers: Iterable[Issuer]) -> None:
        """Fetch the sets whose time comes to an end, and forget those of other issuers."""
        wanted = {_place(one): one for one in issuers if one.algorithms}
        for place in [one for one in self._sets if one not in wanted]:
            gone = self._sets.pop(place)
            gone.replace(())
            await gone.close()
        for stranger in self._secrets.keys() - {place[0] for place in wanted}:
            self._secrets.pop(stranger).is_current = False
        flights = [
            flight for issuer in wanted.values() if (flight := self._due(issuer)) is not None
        ]
        if flights:
            await asyncio.wait(flights)

    async def fetch_now(self, issuer: Issuer) -> Issued:
        """Ask `issuer` for its document and keys, whatever is known.

        Raises:
            IssuerUnusable: says which of them cannot be had, and why.
        """
        metadata = None if issuer.jwks_url else await discover(self._fetch, issuer.issuer)
        url = issuer.jwks_url if metadata is None else metadata.jwks_url
        if not url:
            raise IssuerUnusable("its metadata names no jwks_uri; set the issuer's jwks_url")
        wrong = objection_to(url)
        if wrong is not None:
            raise IssuerUnusable(f"the jwks_url {shown(url)} cannot be used: {wrong}")
        chosen = metadata is None or _host(url) == _host(issuer.issuer)
        answer = await self._fetch(url, chosen_here=chosen)
        return Issued(metadata, url, _keys_in(answer, url))

    async def close(self) -> None:
        """End what is being fetched."""
        for known in self._sets.values():
            await known.close()

    def state(self, issuer: Issuer) -> KeySetState:
        """What is known of the keys of `issuer`; nobody is asked."""
        known, now = self._sets.get(_place(issuer)), self._clock()
        if known is None:
            return KeySetState()
        age = _since(known.fetched, now)
        left = 0.0 if age is None else self._longest - age
        keys = len(known.keys) if left >= 0 else 0
        return KeySetState(
            keys,
            age,
            is_stale=keys > 0 and age is not None and age >= self._rules.fresh_seconds,
            usable_for=left if keys else None,
            failures=known.failures,
            failure=known.failure,
            failed_ago=_since(known.failed, now),
        )

    @property
    def _longest(self) -> float:
        """How old keys may become, in seconds."""
        return max(self._rules.stale_seconds, self._rules.fresh_seconds)

    def _of(self, issuer: Issuer) -> _KeySet:
        place = _place(issuer)
        known = self._sets.get(place)
        if known is None:
            known = self._sets[place] = _KeySet()
        return known

    def _too_old(self, known: _KeySet, now: float) -> bool:
        """Whether nothing counts any more; then nothing is left, either."""
        if now - known.fetched > self._longest:
            known.replace(())
        return not known.keys

    def _may_be_new(self, known: _KeySet, asked: float) -> bool:
        """Whether to look for a key that is not in the set, of a token that came at `asked`.

        Once in a while for all such tokens, and not where the set was fetched since.
        """
        if known.is_being_fetched:
            return True
        now = self._clock()
        if known.tried >= asked or now - known.sought < _UNKNOWN_KEY_SECONDS:
            return False
        known.sought = now
        return True

    def _due(self, issuer: Issuer) -> asyncio.Task[None] | None:
        known, now = self._of(issuer), self._clock()
        self._too_old(known, now)
        old_enough = now - known.fetched >= self._rules.fresh_seconds * _AHEAD
        return self._begin(issuer, known) if old_enough and now >= known.due else None

    async def _renew(self, issuer: Issuer, known: _KeySet) -> None:
        """Where the last try failed, nobody waits for the next one: the old keys do."""
        flight = self._begin(issuer, known)
        if not known.failures:
            await asyncio.shield(flight)

    async def _join(self, issuer: Issuer, known: _KeySet) -> None:
        """Wait for a fetch; where one failed just now, and there is none under way, do not."""
        if known.is_being_fetched or self._clock() >= known.due:
            await asyncio.shield(self._begin(issuer, known))

    def _begin(self, issuer: Issuer, known: _KeySet) -> asyncio.Task[None]:
        """One fetch at a time; it goes on when who began it gives up waiting."""
        flight = known.flight
        if flight is None or flight.done():
            known.tried = self._clock()
            work = self._load(issuer, known)
            flight = known.flight = asyncio.get_running_loop().create_task(work)
        return flight

    async def _load(self, issuer: Issuer, known: _KeySet) -> None:
        try:
            keys = (await self.fetch_now(issuer)).keys
        except GatewayError as failure:
            pause = min(_PAUSE_SECONDS * 2**known.failures, _LONGEST_PAUSE_SECONDS)
            known.failures = min(known.failures + 1, 10)
            known.failure = failure.private
            known.failed = self._clock()
            known.due = known.failed + pause
            _log.warning(
                "issuer.keys_not_fetched",
                issuer=issuer.name,
                reason=failure.private,
                old_keys=len(known.keys),
            )
            self._on_fetch(False)  # noqa: FBT003 - the parameter has no name in a callable's type
            return
        known.replace(keys)
        known.fetched = self._clock()
        known.failures, known.due = 0, float("-inf")
        self._on_fetch(True)  # noqa: FBT003 - as above

    async def _secret(self, issuer: Issuer) -> VerificationKey:
        if self._resolve is None:
            raise IssuerUnusable("shared secrets cannot be looked up here")
        try:
            secret = await self._resolve(issuer.tenant, issuer.shared_secret)
        except GatewayError as failure:
            raise IssuerUnusable(f"its shared secret: {failure.private}") from None
        key = self._secrets.get(issuer.issuer)
        fresh = secret_key(secret)
        if key is not None and key.text == fresh.text:
            return key
        if key is not None:
            key.is_current = False
        self._secrets[issuer.issuer] = fresh
        return fresh


def _since(moment: float, now: float) -> float | None:
    return None if moment == float("-inf") else now - moment


def _place(issuer: Issuer) -> tuple[str, str]:
    return issuer.issuer, issuer.jwks_url


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].lower()


def _keys_in(answer: Fetched, url: str) -> tuple[VerificationKey, ...]:
    if answer.status != 200:
        raise IssuerUnusable(f"the keys at {url} were answered with {answer.status}")
    return parse_keys(answer.body)
