"""Guards: what looks at arguments and results, without knowing of methods and eras."""

from typing import Protocol

from bascule.gateway.call import Call, Method, Result, ResultKind
from bascule.gateway.stage import FailureMode
from bascule.gateway.verdict import PASS, Verdict


class Guard(Protocol):
    """Looks at the arguments and at the results of tool calls. Runs on the event loop."""

    name: str

    async def check_arguments(self, call: Call) -> Verdict:
        """Judge `call.arguments`; a `Rewrite` replaces them."""
        ...

    async def check_result(self, call: Call, result: Result) -> Verdict:
        """Judge the result of a call that was carried out; a `Rewrite` replaces its body."""
        ...


class GuardStage:
    """A guard in its place among the stages. One that breaks refuses."""

    on_failure = FailureMode.CLOSED

    def __init__(self, guard: Guard) -> None:
        self.name = guard.name
        self._guard = guard

    async def inbound(self, call: Call) -> Verdict:
        """Have the arguments of a tool call judged; nothing else has any."""
        if call.method is not Method.TOOLS_CALL:
            return PASS
        return await self._guard.check_arguments(call)

    async def outbound(self, call: Call, result: Result) -> Verdict:
        """Have the result of a tool call judged; a question to the caller is none."""
        if call.method is not Method.TOOLS_CALL or result.kind is not ResultKind.COMPLETE:
            return PASS
        return await self._guard.check_result(call, result)
