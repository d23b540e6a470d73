"""What only a gateway that serves calls has, lent to the API for tests of every route."""

import hashlib
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from argon2.profiles import CHEAPEST

from bascule.api.condition import Condition
from bascule.api.probing import Step
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.identity.passwords import Passwords
from bascule.plugins import ConnectorCall, ConnectorTool
from bascule.storage.repositories.pins import Definition, Pins
from bascule.storage.repositories.upstreams import Upstreams
from bascule.upstreams.secrets.box import SecretBox
from fakes.consents import FakeConsents
from fakes.elevations import Elevating
from fakes.issuers import FakeIssuer, tokens_of
from unit.api.conversing import an_assistant
from unit.api.site import Site, altered

OLD_KEY: Final = b"o" * 32
NEW_KEY: Final = b"n" * 32
SERVER: Final = "words"
LISTED: Final = "listed"


def _definition(description: str) -> Definition:
    tool = {"name": LISTED, "description": description, "inputSchema": {"type": "object"}}
    text = json.dumps(tool).encode()
    return Definition(hashlib.sha256(text).digest(), text)


_APPROVED: Final = _definition("Lists words.")
_WAITING: Final = _definition("Lists words, and more.")
DECISION: Final[dict[str, Any]] = {
    "pins": [{"server": SERVER, "tool": LISTED, "digest": _WAITING.digest.hex()}]
}
"""About the definition that `make_pin` leaves waiting."""


QUICK_PASSWORDS = Passwords(CHEAPEST)
"""As in earnest, but made in no time."""


class FakeConditions:
    """Every upstream in force is well, and its breaker closed."""

    def __init__(self, snapshot: Callable[[], Snapshot]) -> None:
        self._snapshot = snapshot

    def of(self, tenant: str, name: str) -> Condition | None:
        return self.all(tenant).get(name)

    def all(self, tenant: str) -> dict[str, Condition]:
        well = Condition(health="healthy")
        return dict.fromkeys(self._snapshot().tenant(tenant).upstreams, well)

    def reset(self, tenant: str, name: str) -> bool:
        return name in self.all(tenant)


class FakeConnector:
    """Finds one operation at every address."""

    async def describe(self, address: str) -> Sequence[ConnectorTool]:
        return [ConnectorTool("find", f"find_{address}", "Finds.", {"type": "object"})]

    async def execute(self, call: ConnectorCall) -> object:
        return {"found": call.operation}


class FakeProber:
    """Reaches every service."""

    async def probe(self, tenant: str, upstream: Upstream) -> Sequence[Step]:
        return [Step("connect", ok=True, detail=f"{tenant}/{upstream.name}")]


@asynccontextmanager
async def equipped(site: Site) -> AsyncGenerator[Site]:
    """The same site with keys for secrets, and with news of its upstreams."""
    assistant = an_assistant()
    async with altered(
        site,
        assistant=assistant,
        box=SecretBox([NEW_KEY, OLD_KEY]),
        metrics=lambda _: ("text/plain", b"up 1\n"),
        conditions=FakeConditions(site.control.snapshot),
        prober=FakeProber(),
        passwords=QUICK_PASSWORDS,
        connectors={"queries": FakeConnector()},
        consents=FakeConsents(),
        elevations=Elevating().live,
        tokens=tokens_of(FakeIssuer()),
    ) as other:
        yield other
        await assistant.desk.aclose()


async def make_pin(site: Site) -> None:
    """A server as new, one tool of which was approved and has changed since."""
    server = Upstream(SERVER, UpstreamKind.MCP_HTTP, url="http://127.0.0.1:9/mcp")
    async with site.rows() as (session, tenant_id):
        upstreams, pins = Upstreams(session, tenant_id), Pins(session, tenant_id)
        await upstreams.upsert(server)
        await upstreams.delete(SERVER)
        await upstreams.upsert(server)
        await pins.note(SERVER, {LISTED: _APPROVED}, trust_new=True)
        noted = await pins.note(SERVER, {LISTED: _WAITING}, trust_new=True)
    assert noted.changed == (LISTED,)
