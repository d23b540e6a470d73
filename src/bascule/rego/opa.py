"""Asks an OPA server, which has the documents."""

import asyncio
import ssl
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Self
from weakref import WeakValueDictionary

import msgspec

from bascule.gateway.rego import PACKAGE, RegoAnswer, RegoDocument
from bascule.rego.failures import answered_before, failed
from bascule.rego.messages import MOST_REASON
from bascule.rego.posting import Answer, Poster, Unanswered

_MOST_CONNECTIONS: Final = 64
_MOST_OF_A_TENANT: Final = 16
_MOST_OF_A_CALL: Final = 8


class _Decision(msgspec.Struct):
    allow: Any = False
    reason: Any = ""


class _Reply(msgspec.Struct):
    """OPA leaves `result` out where nothing is defined."""

    result: _Decision = msgspec.field(default_factory=_Decision)


class _Problem(msgspec.Struct):
    code: str = ""
    message: str = ""


class OpaEngine:
    """Implements `RegoEngine`; an async context manager.

    It is asked about the whole package at once, `POST /v1/data/bascule/authz`. Redirects are not
    followed: the token is for this server.
    """

    def __init__(
        self, url: str, token: str, timeout_seconds: float, *, tls: ssl.SSLContext | None = None
    ) -> None:
        """`token` is sent as a bearer token unless it is empty.

        Raises:
            ValueError: `url` is no http or https URL, or the token cannot be sent.
        """
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        where = f"{url.rstrip('/')}/v1/data/{PACKAGE.replace('.', '/')}"
        self._poster = Poster(where, headers, most_idle=_MOST_CONNECTIONS, tls=tls)
        self._timeout_seconds = timeout_seconds
        self._connections = asyncio.Semaphore(_MOST_CONNECTIONS)
        self._shares: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._poster.close()

    async def evaluate(
        self, tenant: str, document: RegoDocument | None, inputs: Sequence[bytes], deadline: float
    ) -> list[RegoAnswer]:
        """See `RegoEngine.evaluate`. Several are asked side by side."""
        if document is not None:
            raise failed("the OPA server has documents of its own; policies cannot bring others")
        share = self._shares.get(tenant)
        if share is None:
            share = self._shares[tenant] = asyncio.Semaphore(_MOST_OF_A_TENANT)
        async with answered_before(deadline):
            if len(inputs) == 1:
                return [await self._ask(share, inputs[0])]
            return await self._ask_all(share, inputs)

    async def _ask_all(self, share: asyncio.Semaphore, inputs: Sequence[bytes]) -> list[RegoAnswer]:
        answers: dict[int, RegoAnswer] = {}
        waiting = iter(enumerate(inputs))

        async def ask_on() -> None:
            for place, given in waiting:
                answers[place] = await self._ask(share, given)

        asking = [asyncio.ensure_future(ask_on()) for _ in range(min(_MOST_OF_A_CALL, len(inputs)))]
        try:
            await asyncio.gather(*asking)
        finally:
            for one in asking:
                one.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
        return [answers[place] for place in range(len(inputs))]

    async def _ask(self, share: asyncio.Semaphore, given: bytes) -> RegoAnswer:
        async with share, self._connections:
            try:
                async with asyncio.timeout(self._timeout_seconds):
                    answer = await self._poster.post(b'{"input":%s}' % given)
            except TimeoutError:
                raise failed(f"OPA: no answer within {self._timeout_seconds:g} seconds") from None
            except Unanswered as error:
                raise failed(f"OPA: {error}") from None
        return _read(answer)


def _read(answer: Answer) -> RegoAnswer:
    if answer.status != 200:
        raise failed(f"OPA: it answered with status {answer.status}{_problem(answer)}")
    try:
        result = msgspec.json.decode(answer.body, type=_Reply).result
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise failed(f"OPA: its answer is not as expected: {error}") from None
    reason = result.reason[:MOST_REASON] if isinstance(result.reason, str) else ""
    return RegoAnswer(result.allow is True, reason)


def _problem(answer: Answer) -> str:
    """What goes with a status, as far as it says more."""
    if 300 <= answer.status < 400:
        return ", a redirect, which is not followed"
    if answer.status in {401, 403}:
        return ": see the token, policy.opa_token"
    try:
        problem = msgspec.json.decode(answer.body, type=_Problem)
    except (msgspec.MsgspecError, UnicodeError):
        return ""
    return f": {problem.code} {problem.message}"[:MOST_REASON]
