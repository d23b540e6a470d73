"""What the rooms of traffic are tried with: a clock that stands still, REST tools, and calls."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from bascule.gateway.call import Call, Method, Result
from bascule.gateway.principal import Principal
from bascule.gateway.tool import RestSource, RiskLevel, Tool, Upstream, UpstreamKind

SOMEBODY = Principal("default", "somebody", frozenset({"user"}))
SHOP = Upstream(name="shop", kind=UpstreamKind.REST, url="http://127.0.0.1:9")


class Clock:
    """Seconds that pass only where a test, or a sleep, lets them."""

    def __init__(self, now: float = 1000.0) -> None:
        self.seconds = now
        self.slept: list[float] = []

    def now(self) -> float:
        """The time."""
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        """Pass as quickly as the loop lets it; noted."""
        self.slept.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)


def make_rest(
    name: str = "find", method: str = "GET", *, upstream: str = "shop", **changes: object
) -> Tool:
    """A REST tool; one that reads if its method does."""
    risk = RiskLevel.READ if method == "GET" else RiskLevel.WRITE
    tool = Tool(
        name=name,
        description=name,
        bundle=upstream,
        source=RestSource(upstream, method, f"/{name}"),
        input_schema={"type": "object"},
        risk=risk,
    )
    return replace(tool, **changes)


def call_of(
    tool: Tool | None, *, arrived: float = 1000.0, deadline: float = 1030.0, **arguments: object
) -> Call:
    """A call of `tool` by somebody; the times are those of a `Clock`."""
    return Call(
        method=Method.TOOLS_CALL,
        correlation_id="c",
        tool_name="" if tool is None else tool.name,
        tool=tool,
        principal=SOMEBODY,
        arguments=dict(arguments),
        arrived=arrived,
        deadline=deadline,
    )


def answered(status: int = 0) -> Result:
    """A result; with `status`, an error that the upstream answered."""
    return Result({"content": []}, is_error=bool(status), upstream_status=status)


class Script:
    """An executor that plays outcomes in order, the last one again and again.

    A number of seconds in front of an outcome passes on `clock` before it.
    """

    def __init__(self, *outcomes: object, clock: Clock | None = None) -> None:
        self._outcomes: Iterable[object] = iter(outcomes[:-1])
        self._last = outcomes[-1]
        self._clock = clock
        self.calls: list[Call] = []

    async def execute(self, call: Call) -> Result:
        """Play the next one."""
        self.calls.append(call)
        outcome = next(iter(self._outcomes), self._last)
        if isinstance(outcome, tuple):
            seconds, outcome = outcome
            assert self._clock is not None
            self._clock.seconds += seconds
        if isinstance(outcome, BaseException):
            raise outcome
        assert isinstance(outcome, Result)
        return outcome
