"""The outer edge of the REST API: what nobody foresaw is logged once and answered in shape."""

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bascule.api.errors import error_response
from bascule.gateway.errors import ErrorCode

_log = structlog.get_logger(__name__)


class Edge:
    """ASGI middleware: a bug becomes E5001 and one log entry, and the connection lives on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception as bug:  # the edge: nobody further out would answer
            _log.error("api.crashed", path=scope["path"], exc_info=bug)
            if started:
                raise
            message = "The server failed on this request. Quote the correlation id to its operator."
            response = error_response(Request(scope), ErrorCode.INTERNAL, message)
            await response(scope, receive, send)
