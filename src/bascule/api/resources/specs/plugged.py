"""What connectors of plugins connect to, as tools."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

import msgspec
import structlog

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.resources.specs.soundness import require_schemas
from bascule.catalogue.openapi import Conversion
from bascule.catalogue.openapi.drafts import ToolDraft
from bascule.catalogue.openapi.naming import Names, clean
from bascule.gateway.errors import InvalidValue, NotFound, UpstreamFailed
from bascule.gateway.tool import PluginSource, UpstreamKind
from bascule.plugins import ConnectorFailed, ConnectorTool, ToolConnector

_log = structlog.get_logger(__name__)
_DESCRIBE_SECONDS: Final = 20.0
_MOST_TOOLS: Final = 10_000
_LONGEST_DESCRIPTION: Final = 500


@dataclass(frozen=True, slots=True)
class PluginOrder:
    """A connector's name, and the address of what it is to connect to."""

    connector: str
    address: str
    kind: UpstreamKind = UpstreamKind.PLUGIN

    async def read(
        self, control: Control, caller: Caller, document: bytes | None
    ) -> tuple[bytes, Conversion]:
        """Ask the connector; what it says is kept as JSON.

        Raises:
            NotFound: no plugin in use has such a connector.
            InvalidValue: there is nothing, or what there is cannot become tools.
            UpstreamFailed: the connector cannot tell.
        """
        del caller, document
        connector = control.connectors.get(self.connector)
        if connector is None:
            known = ", ".join(sorted(control.connectors)) or "none"
            raise NotFound(
                f"No plugin in use has a connector named {self.connector}; there are: {known}.",
                details={"known": sorted(control.connectors)},
            )
        tools = await self._ask(connector)
        conversion = await asyncio.to_thread(self._conversion, tools)
        return msgspec.json.encode([asdict(tool) for tool in tools]), conversion

    async def _ask(self, connector: ToolConnector) -> Sequence[ConnectorTool]:
        try:
            async with asyncio.timeout(_DESCRIBE_SECONDS):
                tools = tuple(await connector.describe(self.address))
        except ConnectorFailed as failure:
            raise UpstreamFailed(
                f"The connector {self.connector} cannot say what is at {self.address[:200]}: "
                f"{failure.public}",
                private=failure.private,
            ) from failure
        except TimeoutError:
            raise UpstreamFailed(
                f"The connector {self.connector} did not say within {_DESCRIBE_SECONDS:g} seconds "
                "what there is."
            ) from None
        except Exception as bug:  # the edge to code that is not ours
            _log.exception("plugin.connector_broke", connector=self.connector)
            raise UpstreamFailed(
                f"The connector {self.connector} broke; the log says where.",
                private=f"{type(bug).__name__}: {bug}",
            ) from bug
        if not 0 < len(tools) <= _MOST_TOOLS:
            raise InvalidValue(
                f"The connector {self.connector} finds {len(tools)} operations at "
                f"{self.address[:200]}; there must be 1 to {_MOST_TOOLS}.",
                details={"field": "address"},
            )
        return tools

    def _conversion(self, tools: Sequence[ConnectorTool]) -> Conversion:
        names = Names()
        drafts = tuple(_draft(tool, names) for tool in tools)
        require_schemas(drafts)
        title = f"{self.connector} {self.address.rsplit('/', 1)[-1]}".strip()[:100]
        return Conversion(title, "1", f"{self.connector}:{self.address}", drafts, ())


def _draft(tool: ConnectorTool, names: Names) -> ToolDraft:
    return ToolDraft(
        name=names.take(clean(tool.name)),
        title=tool.title,
        description=tool.description[:_LONGEST_DESCRIPTION],
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        source=PluginSource("", tool.operation),
        risk=tool.risk,
        tags=tool.tags,
        idempotent=tool.idempotent,
    )
