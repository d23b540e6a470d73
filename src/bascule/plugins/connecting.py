"""Connectors: tools of a kind that Bascule does not know itself."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec
import structlog

from bascule.gateway.call import Call, Result
from bascule.gateway.errors import (
    GatewayError,
    UpstreamFailed,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from bascule.gateway.tool import PluginSource, RiskLevel, Upstream
from bascule.protocol.tools import text_content

_log = structlog.get_logger(__name__)
_OPERATOR: Final = "An operator finds the reason in the log, under the correlation id."


@dataclass(frozen=True, slots=True)
class ConnectorTool:
    """One operation of what a connector connects to, as a tool.

    Schemas are JSON Schema 2020-12; `output_schema` describes an object. `operation` is handed
    back with each call. `idempotent`: to repeat a call does no more than the call did.
    """

    operation: str
    name: str
    description: str
    input_schema: Mapping[str, object]
    output_schema: Mapping[str, object] | None = None
    title: str | None = None
    risk: RiskLevel = RiskLevel.WRITE
    idempotent: bool = False
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConnectorCall:
    """A call on its way out: it is identified, allowed, validated and recorded.

    `deadline` is in seconds of `time.monotonic`; the call is cancelled then.
    """

    address: str
    operation: str
    arguments: Mapping[str, object]
    tenant: str
    user: str
    correlation_id: str
    deadline: float


class ConnectorFailed(Exception):
    """The operation did not work. `public` is told to the caller, who may be a model.

    `unreached`: nothing was sent, so that the call may be made again safely.
    """

    def __init__(self, public: str, *, private: str = "", unreached: bool = False) -> None:
        super().__init__(private or public)
        self.public = public
        self.private = private or public
        self.unreached = unreached


class ToolConnector(Protocol):
    """Connects to services of one kind. Shared by all calls; runs on the event loop."""

    async def describe(self, address: str) -> Sequence[ConnectorTool]:
        """What there is at `address`, when an operator imports it.

        Raises:
            ConnectorFailed: it cannot be told.
        """
        ...

    async def execute(self, call: ConnectorCall) -> object:
        """Carry out one call: text, or anything that is JSON, which becomes structured content.

        What is no JSON object is put into one, as its member `result`.

        Raises:
            ConnectorFailed: it did not work. Any other exception is a bug: the caller is told
                nothing of it, and the log everything.
        """
        ...


class PluginUpstream:
    """Executes the tools of one address through a connector."""

    def __init__(self, upstream: Upstream, address: str, connector: ToolConnector) -> None:
        self._upstream = upstream
        self._address = address
        self._connector = connector

    async def execute(self, call: Call) -> Result:
        """Run the call.

        Raises:
            UpstreamUnreachable: nothing was sent.
            UpstreamTimeout: the deadline passed; the connector may have acted.
            UpstreamFailed: it failed; it may have acted.
        """
        tool, principal = call.tool, call.principal
        if tool is None or principal is None or not isinstance(tool.source, PluginSource):
            raise RuntimeError("a plugin's upstream executes a plugin's tools")
        seconds = tool.timeout_seconds or self._upstream.timeout_seconds
        deadline = time.monotonic() + seconds
        if call.deadline:
            deadline = min(deadline, call.deadline)
        wanted = ConnectorCall(
            self._address,
            tool.source.operation,
            call.arguments,
            principal.tenant,
            principal.subject,
            call.correlation_id,
            deadline,
        )
        limit = asyncio.timeout(max(0.001, deadline - time.monotonic()))
        try:
            async with limit:
                answer = await self._connector.execute(wanted)
        except ConnectorFailed as failure:
            kind = UpstreamUnreachable if failure.unreached else UpstreamFailed
            raise kind(failure.public, private=failure.private) from failure
        except GatewayError:
            raise
        except TimeoutError as failure:
            if limit.expired():
                raise UpstreamTimeout(
                    f"{self._upstream.name} did not answer in time. It may have acted.",
                    private=f"the connector took longer than {seconds:g} s",
                ) from None
            raise self._broken(call, failure) from failure
        except Exception as bug:  # the edge to code that is not ours
            raise self._broken(call, bug) from bug
        return self._result(call, answer)

    def _result(self, call: Call, answer: object) -> Result:
        if isinstance(answer, str):
            return Result({"content": [text_content(answer)]})
        try:
            line = msgspec.json.encode(answer)
        except (TypeError, ValueError, RecursionError) as bug:
            raise self._broken(call, bug) from bug
        if not line.startswith(b"{"):
            line = b'{"result":' + line + b"}"
        content = [text_content(line.decode())]
        return Result({"content": content, "structuredContent": msgspec.Raw(line)})

    def _broken(self, call: Call, bug: Exception) -> UpstreamFailed:
        _log.error(
            "plugin.connector_broke",
            upstream=self._upstream.name,
            correlation_id=call.correlation_id,
            exc_info=bug,
        )
        return UpstreamFailed(
            f"The connector of {self._upstream.name} broke. {_OPERATOR}",
            private=f"{type(bug).__name__}: {bug}",
        )
