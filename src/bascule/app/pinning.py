"""Notes what MCP servers list before it is served, and tells of every tool that changed."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from bascule.app.offers import Keep
from bascule.catalogue.pinning import news
from bascule.gateway.connector import Pinning
from bascule.gateway.identifiers import Identifiers
from bascule.gateway.record import AuditRecord, EventType, Recorder, Status
from bascule.gateway.snapshot import EMPTY_SNAPSHOT, Snapshot
from bascule.gateway.tool import Tool, Upstream
from bascule.storage.database import Database
from bascule.storage.repositories.pins import Definition, Noted, Pins, storable
from bascule.storage.repositories.tenants import Tenants

_AUTHOR: Final = "first seen"
_REPEAT_SECONDS: Final = 60.0
"""How often a server that keeps changing what is held back already is written down."""

_LONGEST_NAME: Final = 200
_MOST_TOLD: Final = 50
"""Tools of one listing that are told of one by one."""

_log = structlog.get_logger(__name__)


class PinKeeper:
    """Keeps the pins of every tenant. Attach it before anything is listed."""

    def __init__(self, database: Database, recorder: Recorder) -> None:
        self._database = database
        self._recorder = recorder
        self._snapshot: Callable[[], Snapshot] = lambda: EMPTY_SNAPSHOT
        self._refresh: Callable[[], Awaitable[Any]] = _nothing
        self._ids = Identifiers()
        self._written: dict[tuple[str, str], float] = {}

    def attach(
        self, snapshot: Callable[[], Snapshot], refresh: Callable[[], Awaitable[Any]]
    ) -> None:
        """Compare with what `snapshot` gives; `refresh` puts what was written in force."""
        self._snapshot, self._refresh = snapshot, refresh

    def of(self, tenant: str) -> Keep:
        """What notes the listings of the tenant's servers."""

        async def keep(
            upstream: Upstream, tools: Sequence[Tool], digests: Mapping[str, bytes]
        ) -> None:
            await self._keep(tenant, upstream, tools, digests)

        return keep

    async def _keep(
        self, tenant: str, upstream: Upstream, tools: Sequence[Tool], digests: Mapping[str, bytes]
    ) -> None:
        pins = self._snapshot().tenant(tenant).pins
        names = set(storable(list(digests)))
        found = news(upstream.name, {name: digests[name] for name in names}, pins)
        if not found:
            return
        held_already = (
            found.changed
            and not (found.unknown or found.returned)
            and all(pins[upstream.name, name].seen for name in found.changed)
        )
        if held_already and not self._is_due(tenant, upstream.name):
            return
        wanted = found.unknown | found.changed | found.returned
        listed = {
            tool.name: Definition(digests[tool.name], tool.definition)
            for tool in tools
            if tool.name in wanted
        }
        async with self._database.change(author=_AUTHOR) as session:
            tenant_id = (await Tenants(session).get(tenant)).id
            noted = await Pins(session, tenant_id).note(
                upstream.name, listed, trust_new=upstream.pinning is Pinning.FIRST_SEEN
            )
        self._tell(tenant, upstream.name, noted, digests)
        await self._refresh()

    def _is_due(self, tenant: str, server: str) -> bool:
        now, key = time.monotonic(), (tenant, server)
        due = now - self._written.get(key, -_REPEAT_SECONDS) >= _REPEAT_SECONDS
        if due:
            self._written[key] = now
        return due

    def _tell(self, tenant: str, server: str, noted: Noted, digests: Mapping[str, bytes]) -> None:
        for reason in ("approved", "returned"):
            names: tuple[str, ...] = getattr(noted, reason)
            if names:
                shown = [name[:_LONGEST_NAME] for name in names[:_MOST_TOLD]]
                told = {"reason": reason, "tools": shown, "count": len(names)}
                self._record(tenant, "tool.pin", {"server": server, **told})
        for reason in ("new", "changed"):
            names = getattr(noted, reason)
            for name in names[:_MOST_TOLD]:
                shown_name = name[:_LONGEST_NAME]
                _log.warning("tool.quarantined", server=server, tool=shown_name, reason=reason)
                told = {"reason": reason, "definition": digests[name].hex()}
                self._record(tenant, "tool.quarantine", {"server": server, **told}, shown_name)
            if len(names) > _MOST_TOLD:
                told = {"reason": reason, "count": len(names)}
                self._record(tenant, "tool.quarantine", {"server": server, **told})

    def _record(
        self, tenant: str, action: str, metadata: dict[str, object], tool: str = ""
    ) -> None:
        pending = self._recorder.append(
            AuditRecord(
                event_id=self._ids.next(),
                timestamp=datetime.now(UTC),
                event_type=EventType.LIFECYCLE,
                action=action,
                status=Status.SUCCESS,
                correlation_id=self._ids.next(),
                tenant=tenant,
                tool_name=tool,
                snapshot_version=self._snapshot().version,
                metadata=metadata,
            )
        )
        pending.add_done_callback(lambda done: done.cancelled() or done.exception())


async def _nothing() -> None:
    """In force as it is."""
