"""Elevation put together: live grants, what becomes of each use, what is put back at the start."""

import hashlib
from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final, Self

from prometheus_client import CollectorRegistry

from bascule.api.elevated import Terms
from bascule.app.elevation import Ground, LiveElevations
from bascule.app.grant_keeping import UseKeeper, open_use_keeper, restore
from bascule.gateway.digests import Digest, keyed_digest
from bascule.gateway.record import Recorder
from bascule.gateway.sealing import Sealer
from bascule.gateway.state import StateStore
from bascule.policy.elevation import Step
from bascule.settings.model import Settings
from bascule.storage.database import Database
from bascule.telemetry.elevations import ElevationCounter
from bascule.upstreams.egress import ANYWHERE
from bascule.upstreams.http1.client import HttpClient
from bascule.upstreams.http1.settings import PoolConfig
from bascule.upstreams.pim import Pim, PimConfig

_PURPOSE: Final = b"bascule elevation digests\0"


@dataclass(frozen=True, slots=True)
class Handles:
    """What grants are kept and known by; the same for all processes that share `state`.

    `digest` is of the arguments of a call. `public_url` has no path, and is "" where unknown.
    """

    state: StateStore
    sealer: Sealer
    digest: Digest
    public_url: str


@dataclass(frozen=True, slots=True)
class Elevating:
    """The live grants before there is anything to count them by."""

    settings: Settings
    handles: Handles
    database: Database
    keeper: UseKeeper
    pim: Pim | None

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: Settings, handles: Handles, database: Database, recorder: Recorder
    ) -> AsyncGenerator[Self]:
        """Open what it takes; it closes with the block, once uses are written down."""
        async with AsyncExitStack() as stack:
            keeper = await stack.enter_async_context(open_use_keeper(database, recorder))
            pim: Pim | None = None
            wanted = settings.elevation
            if wanted.pim_url:
                # Whoever writes the settings says where it is, and it is inside as a rule.
                client = HttpClient(PoolConfig(rules=ANYWHERE, follows_redirects=False))
                await stack.enter_async_context(client)
                config = PimConfig(
                    wanted.pim_url,
                    wanted.pim_token.get_secret_value(),
                    wanted.pim_timeout_seconds,
                    wanted.pim_page_url,
                )
                pim = Pim(config, client)
            yield cls(settings, handles, database, keeper, pim)

    def live(self, registry: CollectorRegistry) -> LiveElevations:
        """The live grants, counted in `registry`."""
        wanted, handles = self.settings.elevation, self.handles
        terms = Terms(
            wanted.default_minutes,
            wanted.max_minutes,
            wanted.request_minutes,
            wanted.self_approval,
        )
        ground = Ground(
            handles.state,
            handles.sealer,
            handles.digest,
            terms,
            handles.public_url,
            self.keeper.note,
            ElevationCounter(registry, Step).count,
        )
        return LiveElevations(ground, self.pim)

    async def restore(self, grants: LiveElevations, tenants: Iterable[str]) -> None:
        """Put back what is granted, where a manager of identities does not decide."""
        if self.pim is None:
            await restore(self.database, grants, tenants)


def shared_digest(settings: Settings, own_key: bytes, purpose: bytes = _PURPOSE) -> Digest:
    """Digests that all processes agree on which share their sealing keys; else of `own_key`.

    What is digested for one `purpose` says nothing of it for another.
    """
    keys = settings.security.sealing_keys
    key = keys[0].key if keys else own_key
    return keyed_digest(hashlib.blake2b(purpose, key=key, digest_size=32).digest())
