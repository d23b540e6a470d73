"""How many calls are under way at an upstream, for who must wait until there are none."""

import asyncio
from types import TracebackType


class UnderWay:
    """Counts the `with` blocks that are open; costs next to nothing, as every call opens one."""

    def __init__(self) -> None:
        self.count = 0
        self._idle = asyncio.Event()

    def __enter__(self) -> None:
        self.count += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.count -= 1
        if not self.count:
            self._idle.set()

    async def over(self, seconds: float) -> bool:
        """Wait until nothing is under way; False where that takes longer than `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while self.count:
                    self._idle.clear()
                    await self._idle.wait()
        except TimeoutError:
            return False
        return True
