"""Workers, and which of them does what for whom."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

import structlog

from bascule.rego.messages import Failed, Load, Request, Response
from bascule.rego.process import Loss, Lost, Step, Worker
from bascule.rego.turns import Turns

LOAD_SECONDS: Final = 10.0
"""For which a document may be loaded; it happens once in a worker, not for each question."""

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0
_MOST_DOCUMENTS: Final = 512

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Bundle:
    """Modules and data as a worker loads them, under a name that stands for exactly these."""

    name: str
    modules: Mapping[str, str]
    data: str

    @property
    def weight(self) -> int:
        """What it takes in a worker, in bytes, as measured: rather more than less."""
        source = sum(len(one) for one in self.modules.values())
        return 256 * 1024 + 48 * source + 16 * len(self.data)


@dataclass(slots=True, eq=False)
class Errand:
    """A request for a tenant, by a document or by none, to be answered within `seconds`.

    `on_lost` is told of a worker that was lost over it, even where nobody waits for it any more.
    `bar` is asked as its turn comes: it says why it is not to be done after all, or nothing.
    """

    tenant: str
    request: Request
    seconds: float
    bundle: Bundle | None = None
    on_lost: Callable[[Lost], None] | None = None
    bar: Callable[[], str] | None = None
    outcome: "asyncio.Future[Response]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    is_second_try: bool = False


class Crew:
    """At most `most` workers at work, and one more that is ready when one of them is lost.

    A tenant has at most all but one of them at work. Processes are started when there is work.
    """

    def __init__(self, most: int, memory_bytes: int) -> None:
        self._most = most
        self._memory_bytes = memory_bytes
        self._turns: Turns[Errand] = Turns()
        self._busy: Counter[str] = Counter()
        self._idle: list[Worker] = []
        self._workers: set[Worker] = set()
        self._starts: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._is_closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_closed = True
        self._fail_waiting("the engine is closed")
        for task in self._starts:
            task.cancel()
        await asyncio.gather(*self._starts, return_exceptions=True)
        await asyncio.gather(*(one.close() for one in list(self._workers)))

    @property
    def pids(self) -> frozenset[int]:
        """The ids of its processes."""
        return frozenset(one.pid for one in self._workers)

    async def run(self, errand: Errand) -> Response:
        """What a worker answers.

        Raises:
            Lost: none did; its `loss` says whether that was the errand's doing.
        """
        if self._is_closed:
            raise Lost("the engine is closed", Loss.CLOSED)
        self._turns.add(errand.tenant, errand)
        self._pump()
        try:
            return await errand.outcome
        finally:
            self._turns.withdraw(errand.tenant, errand)

    # Giving out work.

    def _pump(self) -> None:
        """Give out what can be, and see that there are workers enough."""
        share = max(1, self._most - 1)
        while self._idle and self._busy.total() < self._most:
            taken = self._turns.take(self._busy, share)
            if taken is None:
                break
            self._begin(taken[1])
        self._grow()

    def _begin(self, errand: Errand) -> None:
        if errand.outcome.done():
            return
        why = errand.bar() if errand.bar is not None else ""
        if why:
            errand.outcome.set_exception(Lost(why, Loss.BARRED))
        else:
            self._give(errand)

    def _give(self, errand: Errand) -> None:
        worker = self._choose(errand.bundle)
        self._idle.remove(worker)
        self._busy[errand.tenant] += 1
        began = time.monotonic()

        def finish(outcome: Response | Lost) -> None:
            self._busy -= Counter({errand.tenant: 1})
            self._turns.charge(errand.tenant, time.monotonic() - began)
            self._settle(errand, worker, outcome)

        worker.ask(self._steps(worker, errand), finish)

    def _choose(self, bundle: Bundle | None) -> Worker:
        """One that holds the document, or the one that holds the least."""
        if bundle is not None:
            for worker in self._idle:
                if bundle.name in worker.documents:
                    return worker
        return min(self._idle, key=lambda one: sum(one.documents.values()))

    def _steps(self, worker: Worker, errand: Errand) -> list[Step]:
        bundle = errand.bundle
        if bundle is None:
            return [(errand.request, errand.seconds)]
        if bundle.name in worker.documents:
            worker.documents.move_to_end(bundle.name)
            return [(errand.request, errand.seconds)]
        forget = self._make_room(worker, bundle.weight)
        worker.documents[bundle.name] = bundle.weight
        load = Load(bundle.name, dict(bundle.modules), bundle.data, tuple(forget))
        return [(load, LOAD_SECONDS), (errand.request, errand.seconds)]

    def _make_room(self, worker: Worker, weight: int) -> list[str]:
        """The documents that go for one of `weight`; half of the memory is for documents."""
        held = worker.documents
        left = self._memory_bytes // 2 - weight - sum(held.values())
        gone: list[str] = []
        while held and (left < 0 or len(held) >= _MOST_DOCUMENTS):
            name, lighter = held.popitem(last=False)
            left += lighter
            gone.append(name)
        return gone

    def _settle(self, errand: Errand, worker: Worker, outcome: Response | Lost) -> None:
        if isinstance(outcome, Failed) and errand.bundle is not None:
            # It may be the loading that failed; then it is not there.
            worker.documents.pop(errand.bundle.name, None)
        if worker.is_usable:
            self._failures = 0
            self._idle.append(worker)
        was_foreign = isinstance(outcome, Lost) and outcome.loss is Loss.FOREIGN
        if was_foreign and not errand.is_second_try and not self._is_closed:
            errand.is_second_try = True
            self._turns.add_first(errand.tenant, errand)
        else:
            _report(errand, outcome)
        self._pump()

    # Having workers.

    def _grow(self) -> None:
        """Start what is missing: one for each piece of work that may be done now, and a spare."""
        if self._is_closed:
            return
        active = self._busy.total()
        wanted = min(self._most, active + len(self._turns)) + 1
        has_work = active or len(self._turns) or self._workers
        alive = len(self._idle) + active + len(self._starts)
        if has_work and alive < wanted:
            for _ in range(wanted - alive if not self._failures else min(1, wanted - alive)):
                task = asyncio.get_running_loop().create_task(self._start())
                self._starts.add(task)
                task.add_done_callback(self._started)

    async def _start(self) -> None:
        if self._failures:
            pause = min(_FIRST_PAUSE * 2 ** min(self._failures - 1, 10), _LONGEST_PAUSE)
            await asyncio.sleep(pause)
        worker = Worker(self._gone)
        self._workers.add(worker)
        try:
            await worker.start(self._memory_bytes)
        except (OSError, Lost) as error:
            self._failures += 1
            if worker.pid == 0:
                self._workers.discard(worker)
            _log.error("rego.worker_does_not_start", why=str(error))
            if not self._idle and not self._busy:
                self._fail_waiting(f"no worker can be started: {error}")
        else:
            self._idle.append(worker)

    def _started(self, task: asyncio.Task[None]) -> None:
        self._starts.discard(task)
        if not task.cancelled() and task.exception() is None:
            self._pump()

    def _gone(self, worker: Worker) -> None:
        self._workers.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
            self._pump()

    def _fail_waiting(self, why: str) -> None:
        for errand in self._turns.drain():
            _report(errand, Lost(why, Loss.CLOSED))


def _report(errand: Errand, outcome: Response | Lost) -> None:
    if isinstance(outcome, Lost) and errand.on_lost is not None:
        errand.on_lost(outcome)
    if errand.outcome.done():
        return
    if isinstance(outcome, Lost):
        errand.outcome.set_exception(outcome)
    else:
        errand.outcome.set_result(outcome)
