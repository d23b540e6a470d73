"""The embedded engine: Rego evaluated in child processes, fairly among tenants."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import msgspec

from bascule.gateway.inspection import Fault, Inspection, RegoUnfit
from bascule.gateway.rego import RegoAnswer, RegoDocument
from bascule.rego.crew import Bundle, Crew, Errand
from bascule.rego.failures import answered_before, failed
from bascule.rego.messages import (
    Answers,
    Evaluate,
    Failed,
    Inspect,
    Inspected,
    Query,
    Response,
    Values,
)
from bascule.rego.penalties import Penalties, PenaltyRule
from bascule.rego.process import Loss, Lost

SLICE_SECONDS: Final = 0.05
"""After which what is left of many questions waits for its next turn."""

_MOST_AT_ONCE: Final = 128
_MOST_BYTES_AT_ONCE: Final = 1024 * 1024
_INSPECTION_SECONDS: Final = 30.0
_QUERY_SECONDS: Final = 5.0
_INSPECTION_BYTES: Final = 768 * 1024 * 1024
"""The syntax tree of a document is a hundred times its size."""

_DOCUMENTS: Final = PenaltyRule(first_seconds=0.5, most_seconds=30.0)
_TENANTS: Final = PenaltyRule(first_seconds=0.5, most_seconds=10.0, lenient=4)
"""A tenant with several bad documents waits as a whole; one alone takes no other with it."""

_ADVICE: Final = (
    "even without an input. Look for comprehensions over large ranges or much data, and begin "
    "their rules with what they need of the input"
)
_TESTS: Final = "_test.rego"
_Wanted = TypeVar("_Wanted")


class EmbeddedEngine:
    """Implements `RegoEngine` and `RegoInspector`; an async context manager.

    A document that took too long, or broke its process, is not asked again for a while, and answers
    with RegoFailed at once, also to who waits already; the while doubles with each time. One that
    did no harm yet is asked, whatever others of its tenant did: so a mended one counts at once.
    Documents that only are inspected have processes apart from those that decide.
    """

    def __init__(self, workers: int, timeout_seconds: float, memory_bytes: int) -> None:
        """Most processes that evaluate at the same time, and the bounds of each evaluation.

        One more process is kept ready. With one worker only, tenants wait for each other for up to
        `timeout_seconds`.
        """
        self._timeout_seconds = timeout_seconds
        self._deciding = Crew(workers, memory_bytes)
        # Two, so that one tenant's slow document keeps no other from changing its policies.
        self._inspection_bytes = max(memory_bytes, _INSPECTION_BYTES)
        self._inspecting = Crew(2, self._inspection_bytes)
        self._documents = Penalties(_DOCUMENTS)
        self._tenants = Penalties(_TENANTS)
        self._exits = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._exits.enter_async_context(self._deciding)
        await self._exits.enter_async_context(self._inspecting)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._exits.aclose()

    @property
    def pids(self) -> frozenset[int]:
        """The ids of its processes."""
        return self._deciding.pids | self._inspecting.pids

    async def evaluate(
        self, tenant: str, document: RegoDocument | None, inputs: Sequence[bytes], deadline: float
    ) -> list[RegoAnswer]:
        """See `RegoEngine.evaluate`."""
        if document is None:
            raise failed("the embedded engine has no documents of its own")
        bundle = Bundle(document.digest, _without_tests(document.modules), document.data)
        answers: list[RegoAnswer] = []
        while len(answers) < len(inputs):
            asked = _some_of(inputs, len(answers))
            found = await self._decide(tenant, bundle, asked, deadline)
            answers += [RegoAnswer(allow, reason) for allow, reason in found]
        return answers

    async def _decide(
        self, tenant: str, bundle: Bundle, inputs: tuple[bytes, ...], deadline: float
    ) -> tuple[tuple[bool, str], ...]:
        key = (tenant, bundle.name)
        if why := self._barred(key):
            raise failed(why)
        is_one = len(inputs) == 1
        seconds = self._timeout_seconds + (0.0 if is_one else SLICE_SECONDS)
        request = Evaluate(bundle.name, inputs, SLICE_SECONDS)
        strike = partial(self._strike, tenant, bundle.name)
        bar = partial(self._barred, key)
        errand = Errand(tenant, request, seconds, bundle, on_lost=strike, bar=bar)
        try:
            async with answered_before(deadline):
                response = await self._deciding.run(errand)
        except Lost as error:
            raise failed(self._told(error, key)) from None
        self._documents.pardon(key)
        answers = _expected(response, Answers).answers
        if not 0 < len(answers) <= len(inputs):
            raise failed("the worker's answers do not go with the questions")
        return answers

    def _barred(self, key: tuple[str, str]) -> str:
        """Why the document is not asked now; empty where it may be."""
        if not self._documents.is_known(key):
            return ""
        left = max(self._documents.remaining(key), self._tenants.remaining(key[0]))
        if not left:
            return ""
        harm = self._documents.why(key)
        return f"it did harm before ({harm}), and is not asked for another {left:.1f} seconds"

    def _strike(self, tenant: str, name: str, lost: Lost) -> None:
        if lost.loss is not Loss.CLOSED:
            self._documents.strike((tenant, name), str(lost))
            self._tenants.strike(tenant)

    def _told(self, lost: Lost, key: tuple[str, str]) -> str:
        left = 0.0 if lost.loss is Loss.BARRED else self._documents.remaining(key)
        return f"{lost}; it is not asked again for {left:.1f} seconds" if left else str(lost)

    async def inspect(
        self, modules: Mapping[str, str], data: str, *, tenant: str = ""
    ) -> Inspection:
        """See `RegoInspector.inspect`."""
        errand = Errand(tenant, Inspect(dict(modules), data), _INSPECTION_SECONDS)
        response = await self._looked(errand)
        if isinstance(response, Failed):
            raise self._broken(response.why)
        found = _expected(response, Inspected)
        return Inspection(
            tuple(Fault(*one) for one in found.faults),
            found.ast,
            frozenset(found.rules),
            frozenset(found.builtins),
        )

    async def query(
        self, document: RegoDocument, query: str, given: bytes = b"{}", *, tenant: str = ""
    ) -> tuple[object, ...]:
        """See `RegoInspector.query`."""
        bundle = Bundle(document.digest, document.modules, document.data)
        request = Query(bundle.name, query, given)
        errand = Errand(tenant, request, _QUERY_SECONDS, bundle)
        found = _expected(await self._looked(errand), Values)
        values: list[Any] = msgspec.json.decode(found.values, type=list[Any])
        return tuple(values)

    async def _looked(self, errand: Errand) -> Response:
        try:
            return await self._inspecting.run(errand)
        except Lost as error:
            if not isinstance(errand.request, Inspect):
                raise failed(str(error)) from None
            if error.loss is Loss.LATE:
                seconds = f"{errand.seconds:g} seconds"
                raise _unfit(f"it takes longer than the {seconds} there are for it") from None
            if error.loss is Loss.BROKEN:
                raise self._broken(str(error)) from None
            raise failed(str(error)) from None

    def _broken(self, why: str) -> RegoUnfit:
        return _unfit(f"{why} (memory: {self._inspection_bytes // 1024**2} MiB)")


def _unfit(why: str) -> RegoUnfit:
    return RegoUnfit("The document cannot be looked at.", private=f"{why}, {_ADVICE}")


def _expected(response: Response, kind: type[_Wanted]) -> _Wanted:
    if isinstance(response, Failed):
        raise failed(response.why)
    if not isinstance(response, kind):
        raise failed("the worker answered something else")
    return response


def _without_tests(modules: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in modules.items() if not name.endswith(_TESTS)}


def _some_of(inputs: Sequence[bytes], start: int) -> tuple[bytes, ...]:
    """As many as one message takes."""
    size, end = 0, start
    while end < len(inputs) and end - start < _MOST_AT_ONCE:
        size += len(inputs[end])
        if size > _MOST_BYTES_AT_ONCE and end > start:
            break
        end += 1
    return tuple(inputs[start:end])
