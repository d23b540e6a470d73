"""When API keys were last used: gathered beside the calls, written down now and then."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import structlog

from bascule.app.background import Background
from bascule.gateway.errors import GatewayError
from bascule.gateway.record import AuditRecord
from bascule.storage.database import Database
from bascule.storage.repositories.keys import Keys
from bascule.storage.repositories.tenants import Tenants

EVERY_SECONDS: Final = 60.0
_log = structlog.get_logger(__name__)


class KeyUse:
    """Remembers the last use of each key, and writes all of them down together.

    An observer of calls, which costs each of them one entry in a mapping. What a process that is
    killed had not written yet is lost: the audit records have it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: dict[tuple[str, str], datetime] = {}

    def observe(self, record: AuditRecord) -> None:
        """Take note of a call that was made with a key."""
        if record.key_id:
            self._seen[record.tenant, record.key_id] = record.timestamp

    def note(self, tenant: str, key_id: str) -> None:
        """Take note of a request to the REST API that was made with a key."""
        self._seen[tenant, key_id] = datetime.now(UTC)

    async def write_down(self) -> None:
        """Write down what was gathered since the last time; what fails is kept for the next."""
        seen, self._seen = self._seen, {}
        by_tenant: defaultdict[str, dict[UUID, datetime]] = defaultdict(dict)
        for (tenant, key_id), moment in seen.items():
            if stored := _stored_id(key_id):
                by_tenant[tenant][stored] = moment
        for tenant, moments in by_tenant.items():
            try:
                await self._write(tenant, moments)
            except GatewayError as failure:
                _log.warning("key_use.not_written", tenant=tenant, reason=failure.private)
                for key_id, moment in moments.items():
                    self._seen.setdefault((tenant, str(key_id)), moment)

    async def follow(self, every_seconds: float = EVERY_SECONDS) -> None:
        """Write down again and again, until cancelled."""
        while True:
            await asyncio.sleep(every_seconds)
            try:
                await self.write_down()
            except Exception:  # noqa: BLE001 - the edge of this task: it must go on
                _log.exception("key_use.not_written")

    async def _write(self, tenant: str, moments: dict[UUID, datetime]) -> None:
        async with self._database.jotting() as session:
            found = await Tenants(session).find(tenant)
            if found is not None:
                await Keys(session, found.id).note_uses(moments)


@asynccontextmanager
async def open_key_use(database: Database) -> AsyncGenerator[KeyUse]:
    """Gather uses of keys and write them down each minute, and at the end of the block."""
    use = KeyUse(database)
    async with Background() as background:
        background.start(use.follow())
        yield use
    await use.write_down()


def _stored_id(key_id: str) -> UUID | None:
    """The id of a key that is stored; keys of one process alone have other names."""
    try:
        return UUID(key_id)
    except ValueError:
        return None
