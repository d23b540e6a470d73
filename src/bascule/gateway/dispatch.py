"""Executes a call by its method, and a tool call by the upstream that owns the tool."""

from collections.abc import Awaitable, Mapping
from typing import Final

from bascule.gateway.builtin import CALL_TOOL, is_unwrapped, unwrap
from bascule.gateway.call import NOTHING_MORE, Call, Method, Result
from bascule.gateway.challenges import settle
from bascule.gateway.errors import ErrorCode, UnknownMethod, UpstreamUnreachable
from bascule.gateway.session import SessionOwner
from bascule.gateway.stage import Executor, FailureMode
from bascule.gateway.verdict import PASS, Refuse, Verdict

_TRANSPORT_ONLY: Final = (Method.NOTIFICATION, Method.RESPONSE, Method.STREAM, Method.END)
"""What these ask for the transport does itself, once they have passed every stage."""


def unknown_session(private: str) -> Refuse:
    """The one answer to every session that cannot be used, whatever is wrong with it."""
    return Refuse(
        ErrorCode.SESSION_UNKNOWN,
        public="This session is not known here. Begin a new one with initialize.",
        private=private,
    )


class Wellformed:
    """The stage that refuses what the transport found wrong, once the caller is known."""

    name = "wellformed"
    on_failure = FailureMode.CLOSED

    async def inbound(self, call: Call) -> Verdict:
        """Refuse with the fault the transport found, if any, and whoever uses another's session,
        or would not visit the page a call needs.

        A call of the tool that stands for all others becomes the call of the tool it names.
        """
        refusal = call.fault
        if refusal is None and call.tool_name == CALL_TOOL and is_unwrapped(call):
            refusal = unwrap(call)
        if refusal is None and call.more is not NOTHING_MORE:
            refusal = settle(call) or _foreign(call)
        return PASS if refusal is None else refusal


def _foreign(call: Call) -> Refuse | None:
    session = call.more.session
    if session is None:
        return None
    if call.principal is None or session.owner != SessionOwner.of(call.principal):
        return unknown_session("the session belongs to somebody else")
    return None


class ByMethod:
    """Hands each call to the executor of its method."""

    def __init__(self, executors: Mapping[Method, Executor]) -> None:
        self._executors = dict.fromkeys(_TRANSPORT_ONLY, _agree) | {
            method: one.execute for method, one in executors.items()
        }

    def execute(self, call: Call) -> Awaitable[Result]:
        """Execute.

        Raises:
            UnknownMethod: nothing here serves the method.
        """
        execute = self._executors.get(call.method)
        if execute is None:
            raise UnknownMethod(f"Method not found: {call.method}")
        return execute(call)


async def _agree(_call: Call) -> Result:
    return Result({})


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
