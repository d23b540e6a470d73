"""An executor that counts, and does what the test asked for."""

import asyncio

from bascule.gateway.call import Call, Result


class FakeExecutor:
    """Gives `result`, raises `error`, or waits for `release` once it has set `started`."""

    def __init__(
        self,
        result: Result | None = None,
        *,
        error: BaseException | None = None,
        release: asyncio.Event | None = None,
    ) -> None:
        self.calls: list[Call] = []
        self.started = asyncio.Event()
        self._result = result or Result({"content": []})
        self._error = error
        self._release = release

    async def execute(self, call: Call) -> Result:
        """Note the call, then do as told."""
        self.calls.append(call)
        self.started.set()
        if self._release is not None:
            await self._release.wait()
        if self._error is not None:
            raise self._error
        return self._result
