"""Executes a call by its method, and a tool call by the upstream that owns the tool."""

from collections.abc import Awaitable, Mapping

from bascule.gateway.call import Call, Method, Result
from bascule.gateway.errors import UpstreamUnreachable
from bascule.gateway.stage import Executor, FailureMode
from bascule.gateway.verdict import PASS, Verdict


class Wellformed:
    """The stage that refuses what the transport found wrong, once the caller is known."""

    name = "wellformed"
    on_failure = FailureMode.CLOSED

    async def inbound(self, call: Call) -> Verdict:
        """Refuse with the fault the transport found, if any."""
        return call.fault or PASS


class ByMethod:
    """Hands each call to the executor of its method."""

    def __init__(self, executors: Mapping[Method, Executor]) -> None:
        self._executors = {method: one.execute for method, one in executors.items()}

    def execute(self, call: Call) -> Awaitable[Result]:
        """Execute; a method without executor is a programmer's mistake."""
        return self._executors[call.method](call)


class ByUpstream:
    """Hands a tool call to the upstream of its tool; `upstreams` by (tenant, upstream name)."""

    def __init__(self, upstreams: Mapping[tuple[str, str], Executor]) -> None:
        self._upstreams = {key: one.execute for key, one in upstreams.items()}

    def execute(self, call: Call) -> Awaitable[Result]:
        """Execute on the upstream named by the tool's source.

        Raises:
            UpstreamUnreachable: the tool's upstream is not configured (any more).
        """
        if call.tool is None or call.principal is None:
            raise RuntimeError("a tool call needs a tool and a principal")
        execute = self._upstreams.get((call.principal.tenant, call.tool.source.upstream))
        if execute is None:
            raise UpstreamUnreachable(
                f"The service behind {call.tool.name} is not configured. "
                "An operator must add it again.",
                private=f"no upstream {call.tool.source.upstream!r} in the snapshot",
            )
        return execute(call)
