from typing import Any

from bascule.gateway.call import Call, Method, Result, ResultKind
from bascule.gateway.errors import ErrorCode
from bascule.gateway.stage import FailureMode, ResultStage
from bascule.gateway.verdict import PASS, Refuse, Rewrite, Verdict
from bascule.plugins.guarding import GuardStage

REFUSAL = Refuse(ErrorCode.FORBIDDEN, "No.", "no")
MASKED = Rewrite({"content": []})


class Strict:
    name = "strict"

    async def check_arguments(self, call: Call) -> Verdict:
        return REFUSAL if call.arguments else PASS

    async def check_result(self, call: Call, result: Result) -> Verdict:
        return MASKED if result.body else PASS


def a_call(method: Method = Method.TOOLS_CALL, **arguments: Any) -> Call:
    return Call(method, "c-1", arguments=arguments)


async def test_arguments_of_tool_calls_are_judged() -> None:
    stage = GuardStage(Strict())
    assert isinstance(stage, ResultStage)
    assert (stage.name, stage.on_failure) == ("strict", FailureMode.CLOSED)
    assert await stage.inbound(a_call(a=1)) is REFUSAL
    assert await stage.inbound(a_call()) is PASS


async def test_results_of_tool_calls_are_judged() -> None:
    assert await GuardStage(Strict()).outbound(a_call(), Result({"content": []})) is MASKED


async def test_nothing_else_is() -> None:
    stage = GuardStage(Strict())
    read = a_call(Method.RESOURCES_READ, a=1)
    assert await stage.inbound(read) is PASS
    assert await stage.outbound(read, Result({"contents": []})) is PASS
    question = Result({"inputRequests": {}}, kind=ResultKind.INPUT_REQUIRED)
    assert await stage.outbound(a_call(), question) is PASS
