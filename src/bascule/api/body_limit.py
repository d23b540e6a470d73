"""How much a caller may send."""

from collections.abc import Mapping
from typing import NamedTuple, NoReturn

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bascule.api.errors import error_response
from bascule.gateway.errors import ErrorCode


class Limit(NamedTuple):
    """Bytes of a body, and the setting that says so; "" for none."""

    most_bytes: int
    setting: str = ""


class BodyLimit:
    """ASGI middleware: bodies of at most `most_bytes`, or what `by_path` grants to a path.

    One that ends with a slash stands for all below it.
    A larger one is refused by the length it declares, or where the byte too many arrives.
    """

    def __init__(self, app: ASGIApp, most_bytes: int, by_path: Mapping[str, Limit]) -> None:
        self._app = app
        self._usual = Limit(most_bytes)
        self._by_path = dict(by_path)
        self._below = tuple(one for one in by_path if one.endswith("/"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope["path"])
        if _declared_bytes(scope) > limit.most_bytes:
            response = error_response(Request(scope), ErrorCode.TOO_LARGE, _sentence(limit))
            await response(scope, receive, send)
            return
        read = 0

        async def receive_counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit.most_bytes:
                _refuse(limit)
            return message

        await self._app(scope, receive_counted, send)

    def _limit_of(self, path: str) -> Limit:
        for prefix in self._below:
            if path.startswith(prefix):
                return self._by_path[prefix]
        return self._by_path.get(path, self._usual)


def _declared_bytes(scope: Scope) -> int:
    declared = Headers(scope=scope).get("content-length", "")
    # Not every server checks the header before it comes here.
    return int(declared) if declared.isascii() and declared.isdigit() else 0


def _refuse(limit: Limit) -> NoReturn:
    # The one exception that FastAPI lets through while it reads a body.
    raise HTTPException(ErrorCode.TOO_LARGE.http_status, _sentence(limit))


def _sentence(limit: Limit) -> str:
    setting = f" ({limit.setting})" if limit.setting else ""
    return (
        f"The body is larger than the {limit.most_bytes:,} bytes that are accepted here{setting}."
    )
