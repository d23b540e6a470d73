"""Stages that judge as told, or break."""

from bascule.gateway.call import Call, Result
from bascule.gateway.stage import FailureMode
from bascule.gateway.verdict import PASS, Verdict


class FakeStage:
    """Judges a call with `verdict`, or raises `crash`; writes its name into `trace`."""

    def __init__(
        self,
        verdict: Verdict = PASS,
        *,
        name: str = "fake",
        crash: Exception | None = None,
        on_failure: FailureMode = FailureMode.CLOSED,
        trace: list[str] | None = None,
    ) -> None:
        self.name = name
        self.on_failure = on_failure
        self._verdict = verdict
        self._crash = crash
        self._trace = trace if trace is not None else []

    async def inbound(self, call: Call) -> Verdict:
        """Judge."""
        self._trace.append(f"{self.name} in")
        if self._crash is not None:
            raise self._crash
        return self._verdict


class FakeResultStage(FakeStage):
    """Passes every call, and judges results as told."""

    async def inbound(self, call: Call) -> Verdict:
        """Pass."""
        self._trace.append(f"{self.name} in")
        return PASS

    async def outbound(self, call: Call, result: Result) -> Verdict:
        """Judge."""
        self._trace.append(f"{self.name} out")
        if self._crash is not None:
            raise self._crash
        return self._verdict
