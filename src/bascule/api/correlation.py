"""One id per request, given by the caller or made here, in every log line and answer."""

from typing import Final

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bascule.gateway.identifiers import Identifiers, accepted_correlation_id

_STATE_KEY: Final = "bascule.correlation_id"


class Correlation:
    """ASGI middleware: sets the id for the request, its logs and its response header."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._identifiers = Identifiers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request under its correlation id."""
        given = dict(scope["headers"]).get(b"x-correlation-id") if "headers" in scope else None
        correlation_id = accepted_correlation_id(given) or self._identifiers.next()
        scope[_STATE_KEY] = correlation_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-correlation-id"] = correlation_id
            await send(message)

        with structlog.contextvars.bound_contextvars(correlation_id=correlation_id):
            await self._app(scope, receive, send_with_id)


def correlation_id_of(request: Request) -> str:
    """The id of `request`; empty where the middleware is not installed."""
    return str(request.scope.get(_STATE_KEY, ""))
