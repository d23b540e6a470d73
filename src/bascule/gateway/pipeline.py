"""Runs the stages in order, executes, and runs the way out in reverse."""

from collections.abc import Sequence
from typing import Final

import msgspec
import structlog

from bascule.gateway.call import Call, Outcome, Result
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.gateway.stage import Executor, FailureMode, ResultStage, Stage
from bascule.gateway.verdict import PASS, Challenge, Refuse, Rewrite, Verdict

_log = structlog.get_logger(__name__)

_NOT_EXECUTED: Final = (
    "The gateway could not judge this call, so it was refused. Nothing was executed."
)
_EXECUTED: Final = (
    "The call was executed, but the gateway could not judge its result, so it is withheld. "
    "Check what happened before calling again."
)


class Pipeline:
    """An ordered set of stages around one executor. Immutable; built anew for each snapshot."""

    def __init__(self, stages: Sequence[Stage], executor: Executor) -> None:
        self._inbound = tuple((stage, stage.inbound) for stage in stages)
        self._outbound = tuple(
            (stage, stage.outbound) for stage in reversed(stages) if isinstance(stage, ResultStage)
        )
        self._execute = executor.execute

    async def run(self, call: Call) -> Outcome:
        """Take `call` through every stage until one stops it, and give what came of it.

        Raises:
            GatewayError: the executor or a stage named a failure.
        """
        for stage, judge in self._inbound:
            try:
                verdict = await judge(call)
            except GatewayError:
                raise
            except Exception as crash:  # noqa: BLE001 - a broken stage decides by its failure mode
                verdict = _verdict_on_crash(stage, crash, call, _NOT_EXECUTED)
            if verdict is PASS:
                continue
            if isinstance(verdict, Refuse | Challenge):
                return verdict
            if isinstance(verdict, Rewrite):
                call.arguments = dict(verdict.value)
                call.raw_arguments = msgspec.json.encode(call.arguments)
        result = await self._execute(call)
        return await self._way_out(call, result) if self._outbound else result

    async def _way_out(self, call: Call, result: Result) -> Outcome:
        for stage, judge in self._outbound:
            try:
                verdict = await judge(call, result)
            except GatewayError:
                raise
            except Exception as crash:  # noqa: BLE001 - as on the way in
                verdict = _verdict_on_crash(stage, crash, call, _EXECUTED)
            if isinstance(verdict, Refuse | Challenge):
                return verdict
            if isinstance(verdict, Rewrite):
                result = _rewritten(result, verdict)
        return result


def _rewritten(result: Result, verdict: Rewrite) -> Result:
    failure = result.failure if verdict.failure is None else verdict.failure
    is_error = result.is_error or verdict.failure is not None
    return msgspec.structs.replace(
        result, body=dict(verdict.value), is_error=is_error, failure=failure
    )


def _verdict_on_crash(stage: Stage, crash: Exception, call: Call, public: str) -> Verdict:
    _log.error(
        "stage.crashed",
        stage=stage.name,
        on_failure=stage.on_failure,
        correlation_id=call.correlation_id,
        exc_info=crash,
    )
    if stage.on_failure is FailureMode.OPEN:
        return PASS
    return Refuse(
        ErrorCode.INTERNAL,
        public=public,
        private=f"stage {stage.name} crashed: {type(crash).__name__}: {crash}",
    )
