"""Is this process alive, and should it be sent calls?"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Failing:
    """Why a check does not pass, and what an operator can do. Shown without a key: no secrets."""

    reason: str
    remedy: str


Check = Callable[[], Awaitable[Failing | None]]
"""Gives None while all is well. Must bear being cancelled; a crash counts as failing."""


@dataclass(frozen=True, slots=True)
class HealthConfig:
    """`check_timeout_seconds` bounds each check; results are kept for `kept_seconds`.

    Probes come from anybody who can reach the port, so they must not each reach the database.
    A Kubernetes probe gives up after 1 s unless told otherwise; the checks must be quicker.
    """

    check_timeout_seconds: float = 0.8
    kept_seconds: float = 1.0


_DRAINING: Final = Failing("shutting down", "Send calls to another instance.")
_NOT_STARTED: Final = Failing("still starting", "Wait.")


class Health:
    """Named checks, and the two answers drawn from them.

    Live means: started; restarting the process would not help, whatever the checks say. Ready
    means: started, not draining, and every check passes.
    """

    def __init__(
        self,
        config: HealthConfig | None = None,
        now_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config or HealthConfig()
        self._now = now_seconds
        self._checks: dict[str, Check] = {}
        self._started = False
        self._draining = False
        self._results: dict[str, Failing | None] = {}
        self._checked_at: float | None = None
        self._checking = asyncio.Lock()

    def register(self, name: str, check: Check) -> None:
        """Add `check`, in force with the next report. A name can be taken once."""
        if name in self._checks:
            raise ValueError(f"there is already a check called {name}")
        self._checks[name] = check
        self._checked_at = None

    def start(self) -> None:
        """Say that the process serves from now on."""
        self._started = True

    def drain(self) -> None:
        """Say that no further call should be sent here. Takes effect at once, and for good."""
        self._draining = True

    @property
    def live(self) -> bool:
        """True from `start` to the end of the process."""
        return self._started

    async def ready(self) -> bool:
        """Whether calls should be sent here."""
        return (await self.report())["status"] == "ready"

    async def report(self) -> dict[str, Any]:
        """`status` (ready, failing, draining, starting) and each check's state, as JSON."""
        results = await self._current()
        gate = self._gate()
        if gate is not None:
            status = "draining" if self._draining else "starting"
        else:
            status = "failing" if any(results.values()) else "ready"
        report: dict[str, Any] = {"status": status, "live": self._started}
        if gate is not None:
            report |= {"reason": gate.reason, "remedy": gate.remedy}
        report["checks"] = {name: _state(failing) for name, failing in results.items()}
        return report

    def _gate(self) -> Failing | None:
        if self._draining:
            return _DRAINING
        return None if self._started else _NOT_STARTED

    async def _current(self) -> dict[str, Failing | None]:
        async with self._checking:
            now = self._now()
            known = self._checked_at
            if known is None or now - known >= self._config.kept_seconds:
                checks = dict(self._checks)
                async with asyncio.TaskGroup() as group:
                    tasks = {
                        name: group.create_task(self._outcome(name, check))
                        for name, check in checks.items()
                    }
                self._results = {name: task.result() for name, task in tasks.items()}
                self._checked_at = self._now()
            return self._results

    async def _outcome(self, name: str, check: Check) -> Failing | None:
        seconds = self._config.check_timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                return await check()
        except TimeoutError:
            return Failing(f"no answer within {seconds:g} s", f"Look at {name}: it hangs.")
        except Exception as crash:  # noqa: BLE001 - a probe must answer, whatever a check does
            _log.warning("health.check_crashed", check=name, exc_info=crash)
            return Failing(f"the check crashed: {type(crash).__name__}", "See the log.")


def _state(failing: Failing | None) -> dict[str, str]:
    if failing is None:
        return {"state": "passing"}
    return {"state": "failing", "reason": failing.reason, "remedy": failing.remedy}
