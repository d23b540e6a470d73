"""What every way of running the gateway has in common, put together once.

A fabric is opened before there is a gateway: shared state, seals, upstreams, and what goes on
between calls. Its owner then makes a relay, a gateway and a front with it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Self

from prometheus_client import CollectorRegistry

from bascule import __version__
from bascule.app.background import Background
from bascule.app.bridging import open_parked
from bascule.app.changes import Changes
from bascule.app.deciding import Deciding
from bascule.app.doors import door_config, other_doors, place_of, proxies_of
from bascule.app.extensions import Extensions, sandbox_limits
from bascule.app.front import Front, Page
from bascule.app.offers import Keep
from bascule.app.plugins import NONE, Plugins
from bascule.app.relay import Relay
from bascule.app.relaying import Surroundings, make_relay
from bascule.app.secrets import open_resolver, secret_box
from bascule.app.state import open_state, seals_of
from bascule.app.traffic import Traffic
from bascule.app.trimming import find_trim, give_back
from bascule.app.upstreams import UpstreamSet
from bascule.catalogue.advertising import Relayed as Passed
from bascule.catalogue.feeds import FeedLimits
from bascule.gateway.call import Method
from bascule.gateway.elevation import Elevations
from bascule.gateway.kernel import Gateway
from bascule.gateway.seals import Seals
from bascule.gateway.sessions import SetLevel
from bascule.gateway.stage import Stage
from bascule.gateway.state import StateStore
from bascule.gateway.tasks import TaskIds
from bascule.protocol.results import Identity
from bascule.settings.model import Settings
from bascule.telemetry.streams import OpenStreams
from bascule.telemetry.upstreams import UpstreamMetrics
from bascule.transports.access import Door
from bascule.transports.asgi import AsgiApp
from bascule.transports.metadata import Metadata
from bascule.transports.sessions import SessionConfig, Sessions
from bascule.transports.streamable_http import HttpConfig, StreamableHttp
from bascule.upstreams.mcp import Bridge
from bascule.upstreams.mcp.interactions import InteractionLimits
from bascule.upstreams.mcp.parked import Parked
from bascule.upstreams.mcp.parked_call import ParkingLimits
from bascule.upstreams.secrets.box import SecretBox


@dataclass(frozen=True, slots=True)
class Ruling:
    """How access is decided, and who may do more than the rules allow, for now (None: nobody)."""

    deciding: Deciding
    elevations: Elevations | None = None


LOCAL: Final = Ruling(Deciding(elevates_privileged=False))
"""For who runs the gateway for themselves: nobody else is there to ask for leave."""


@dataclass(frozen=True, slots=True)
class Fabric:
    """What outlives every snapshot, and is not the gateway itself."""

    settings: Settings
    state: StateStore
    seals: Seals
    upstreams: UpstreamSet
    background: Background
    sessions: Sessions
    changes: Changes
    parked: Parked
    box: SecretBox
    plugins: Plugins = NONE

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: Settings, data: Path, plugins: Plugins = NONE
    ) -> AsyncGenerator[Self]:
        """Open everything; it closes with the block, and tells upstreams what was given up.

        Raises:
            StateUnavailable: the shared state cannot be reached.
            KeyUnusable: a key in `data` cannot be read.
        """
        server = settings.server
        async with AsyncExitStack() as stack:
            state = await stack.enter_async_context(open_state(settings))
            seals = await asyncio.to_thread(seals_of, settings, data)
            seconds = server.interaction_timeout_seconds
            parked = await stack.enter_async_context(
                open_parked(state, limits=ParkingLimits(seconds=seconds))
            )
            bridge = Bridge(seals, parked, InteractionLimits(interaction_seconds=seconds))
            box = await asyncio.to_thread(secret_box, settings, data)
            resolver = await stack.enter_async_context(open_resolver(settings, box))
            upstreams = await stack.enter_async_context(
                UpstreamSet.open(
                    settings.upstreams,
                    grace_seconds=server.shutdown_grace_seconds,
                    bridge=bridge,
                    traffic=Traffic(settings),
                    resolver=resolver,
                    extensions=Extensions(plugins.connectors, sandbox_limits(settings.sandbox)),
                )
            )
            # Before the clients close, so that upstreams hear that nobody waits any more.
            stack.push_async_callback(parked.close)
            background = await stack.enter_async_context(Background())
            upstreams.traffic.begin(upstreams.probe, background.start)
            config = SessionConfig(server.session_hours * 3600.0, server.max_streams)
            sessions = Sessions(seals, state, config)
            if not state.local:
                background.start(sessions.run())
            changes = Changes(
                upstreams,
                background,
                sessions.standings,
                FeedLimits(server.max_streams, server.max_streams_per_principal),
            )
            yield cls(
                settings,
                state,
                seals,
                upstreams,
                background,
                sessions,
                changes,
                parked,
                box,
                plugins,
            )

    def relay(
        self,
        registry: CollectorRegistry,
        authenticate: Stage,
        instructions: str,
        *,
        one_caller: bool = False,
        keep: Callable[[str], Keep] | None = None,
        ruling: Ruling = LOCAL,
    ) -> Relay:
        """A relay that follows no snapshot yet, and renews its lists where they change.

        `keep` notes what a tenant's servers list, before it is in force.
        """
        tasks = TaskIds(self.seals)
        made = make_relay(
            Surroundings(
                self.settings,
                self.upstreams,
                self.background,
                registry,
                self.seals,
                authenticate,
                instructions,
                one_caller=one_caller,
                passed=Passed(changes=True, logging=True, tasks=True),
                tasks=tasks,
                executors={
                    **self.changes.executors,
                    Method.SET_LEVEL: SetLevel(self.sessions.standings),
                },
                added=self.plugins.stages,
                keep=keep,
                deciding=ruling.deciding,
                elevations=ruling.elevations,
                counters=self.state,
            )
        )
        self.changes.attach(made.relay, made.relay.caches)
        registry.register(self._open_streams())
        traffic = self.upstreams.traffic
        traffic.known = partial(_known, made.relay)
        registry.register(UpstreamMetrics(traffic))
        self.background.start(give_back(lambda: self.changes.open_feeds, find_trim()))
        made.relay.on_compiled = lambda compiled: self.changes.follow(compiled, made.locator)
        return made.relay

    def _open_streams(self) -> OpenStreams:
        counts: dict[str, Callable[[], int]] = {
            **self.changes.counts,
            "session_call": lambda: self.sessions.open_calls,
            "parked_call": lambda: len(self.parked),
        }
        return OpenStreams(counts, lambda: len(asyncio.all_tasks()))

    def front(self, gateway: Gateway, pages: Mapping[str, Page], control: AsgiApp | None) -> Front:
        """Every door to `gateway`."""
        settings = self.settings
        server = settings.server
        identity = Identity(name=settings.app.name, version=__version__)
        door = Door(door_config(settings), proxies_of(settings))
        place = place_of(settings)
        http = HttpConfig(
            server.max_body_bytes,
            server.request_timeout_seconds,
            server.stream_keep_alive_seconds,
            place,
        )
        mcp = StreamableHttp(gateway, door, identity, http, self.sessions)
        doors = other_doors(settings, gateway, door, identity)
        metadata = Metadata(place, lambda: gateway.snapshot, settings.app.name)
        return Front(mcp, door, pages, control, doors, metadata)


def _known(relay: Relay, tenant: str, name: str) -> str | None:
    """What the last look at an MCP server came to: "" for well, None for none yet."""
    watched = relay.watched(tenant, name)
    if watched is None:
        return None
    if watched.failure is not None:
        return watched.failure.private
    return None if watched.offer is None else ""
