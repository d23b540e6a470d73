"""The connections of providers that answer with server-sent events over HTTP."""

from collections.abc import AsyncIterator, Callable, Generator
from contextlib import contextmanager
from typing import Final, NamedTuple, TypeVar

import httpx2

from bascule.chat.connectors.wording import failure
from bascule.chat.models import FailureKind, ModelFailure

MOST_EVENT_BYTES: Final = 4 * 1024 * 1024
"""The longest event, or error, that is gathered in memory."""

_REDIRECT: Final = 300
_CLIENT_ERROR: Final = 400
_SERVER_ERROR: Final = 500
_CONNECT_SECONDS: Final = 10.0
_SHOWN_CHARACTERS: Final = 300
_MASK: Final = "********"
_SHORTEST_SECRET: Final = 8
_DOCUMENTS: Final = ("application/json", "text/html", "application/xhtml+xml")


def http_client(
    make: Callable[..., httpx2.AsyncClient], silence_seconds: float
) -> httpx2.AsyncClient:
    """A client that `make`, of a provider's library, makes with its own limits and options.

    It follows no redirects: what people wrote goes to the address that is set. Proxies are those of
    the environment. Events of more than `MOST_EVENT_BYTES` are refused.
    """
    timeout = httpx2.Timeout(silence_seconds, connect=min(_CONNECT_SECONDS, silence_seconds))
    hooks = {"response": [_bound]}
    return make(timeout=timeout, follow_redirects=False, event_hooks=hooks)


async def _bound(response: httpx2.Response) -> None:
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _Bounded(response.stream)


class _Bounded(httpx2.AsyncByteStream):
    """The bytes of a response, as long as an empty line comes again and again."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size, last = 0, b""
        async for chunk in self._stream:
            tail = (last + chunk).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            size = 0 if b"\n\n" in tail else size + len(chunk)
            if size > MOST_EVENT_BYTES:
                raise failure(FailureKind.REJECTED, f"more than {MOST_EVENT_BYTES} bytes in one")
            last = chunk[-3:]
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def require_events(response: httpx2.Response) -> None:
    """Look whether the answer is a stream of events; servers name them in several ways.

    Raises:
        ModelFailure: it is a document, as of a web site, or an error that was sent as a success.
    """
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _DOCUMENTS:
        return
    begin = b""
    async for chunk in response.aiter_bytes():
        begin += chunk
        if len(begin) > _SHOWN_CHARACTERS:
            break
    await response.aclose()
    shown = begin.decode(errors="replace")[:_SHOWN_CHARACTERS]
    what = f"{response.status_code} with {kind} in place of events: {shown}"
    sort = FailureKind.NO_SUCH_MODEL if "html" in kind else FailureKind.REJECTED
    raise failure(sort, f"Is llm.base_url right? {what}")


_Refusal = TypeVar("_Refusal", bound=Exception)


class Library(NamedTuple):
    """The exceptions of a provider's library: too late, not reached, and all others of its own."""

    timed_out: type[Exception]
    unreachable: type[Exception]
    any: type[Exception]


@contextmanager
def explained(
    library: Library, refusal: type[_Refusal], read: Callable[[_Refusal], ModelFailure]
) -> Generator[None]:
    """What fails in the block, as the failures of a model; `read` says what a `refusal` means."""
    try:
        yield
    except ModelFailure:
        raise
    except (TimeoutError, library.timed_out) as slow:
        raise failure(FailureKind.TIMED_OUT, str(slow) or "nothing came in time") from slow
    except library.unreachable as gone:
        raise failure(FailureKind.UNREACHABLE, f"{gone} {gone.__cause__ or ''}") from gone
    except refusal as refused:
        raise read(refused) from refused
    except httpx2.TimeoutException as slow:
        raise failure(FailureKind.TIMED_OUT, f"in the middle: {slow!r}") from slow
    except httpx2.TransportError as gone:
        raise failure(FailureKind.UNREACHABLE, f"broke off: {gone!r}") from gone
    except (ValueError, TypeError, AttributeError, library.any) as odd:
        # What compatible servers send is not checked by their library.
        raise failure(FailureKind.REJECTED, f"not understood: {odd!r}") from odd


def meaning_of(status: int) -> FailureKind:
    """What an HTTP status other than a success says; in the middle of a stream it may be one."""
    found = _STATUSES.get(status)
    if found is None and _REDIRECT <= status < _CLIENT_ERROR:
        return FailureKind.NO_SUCH_MODEL
    is_ours = _CLIENT_ERROR <= status < _SERVER_ERROR
    return found or (FailureKind.REJECTED if is_ours else FailureKind.OVERLOADED)


_STATUSES: Final = {
    401: FailureKind.UNAUTHORISED,
    402: FailureKind.UNAUTHORISED,
    403: FailureKind.UNAUTHORISED,
    404: FailureKind.NO_SUCH_MODEL,
    405: FailureKind.NO_SUCH_MODEL,
    408: FailureKind.TIMED_OUT,
    413: FailureKind.TOO_LONG,
    429: FailureKind.RATE_LIMITED,
}


@contextmanager
def discreet(secret: str) -> Generator[None]:
    """Failures without `secret`, which servers and libraries may repeat.

    One that is too short to be a key would be found in words.
    """
    try:
        yield
    except ModelFailure as failed:
        if len(secret) < _SHORTEST_SECRET or secret not in failed.private:
            raise
        private = failed.private.replace(secret, _MASK)
        raise ModelFailure(
            failed.kind, failed.public, private, retry_after_seconds=failed.retry_after_seconds
        ) from None
