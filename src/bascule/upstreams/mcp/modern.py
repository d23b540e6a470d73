"""Streamable HTTP of the modern era: every request stands alone.

Source: specification 2026-07-28, basic/transports/streamable-http.
"""

from typing import Final

import msgspec

from bascule.gateway.identifiers import Identifiers
from bascule.protocol import codes
from bascule.protocol.headers import encode_value
from bascule.protocol.versions import MODERN_VERSION, Era
from bascule.upstreams.mcp.answers import Answer
from bascule.upstreams.mcp.endpoint import Endpoint, Headers
from bascule.upstreams.mcp.failures import EraMismatch, failed, rpc_error
from bascule.upstreams.mcp.messages import Outgoing, RpcError, encode
from bascule.upstreams.mcp.versions import MODERN_ERRORS, NoCommonVersion, era_of

_DISCOVER: Final = Outgoing("server/discover")


class ModernHttp:
    """Speaks the modern era with one endpoint. Closing a stream is how a request is cancelled."""

    def __init__(self, endpoint: Endpoint, ids: Identifiers) -> None:
        self._endpoint = endpoint
        self._ids = ids

    async def probe(self, deadline: float) -> Era:
        """Ask the server who it is; the way it answers, or fails to, tells its era.

        Raises:
            GatewayError: it could not be reached, refuses this gateway, or has no common version.
        """
        request_id = self._ids.next()
        answer = await self._post(request_id, _DISCOVER, deadline)
        failure = self._endpoint.failure_of(answer)
        message = answer.message
        if failure is not None and not _is_modern_error(answer, request_id):
            raise failure
        if message is None:
            return Era.LEGACY
        if answer.status != 200 and _is_modern_error(answer, request_id):
            error = message.error
            if isinstance(error, RpcError) and error.code == codes.METHOD_NOT_FOUND:
                return Era.MODERN
        try:
            return era_of(message)
        except NoCommonVersion as refusal:
            raise failed(self._endpoint.name, f"{refusal}, which is not spoken here") from None

    async def exchange(self, request: Outgoing, deadline: float) -> msgspec.Raw | bytes:
        """Send `request` and give the `result` of its response.

        Raises:
            UpstreamRpcError: the server answered with an error.
            EraMismatch: the server does not speak this era; nothing was executed.
            GatewayError: as `Endpoint.post`, and for statuses that mean failure.
        """
        request_id = self._ids.next()
        answer = await self._post(request_id, request, deadline)
        message = answer.message
        if message is not None and isinstance(message.error, RpcError):
            error = message.error
            if error.code == codes.UNSUPPORTED_VERSION:
                raise EraMismatch(f"it refused version {MODERN_VERSION}")
            if answer.answers(request_id) or error.code in MODERN_ERRORS:
                raise rpc_error(error.code, error.message, error.data)
        elif answer.status == 200 and answer.answers(request_id) and message is not None:
            return message.result_bytes
        failure = self._endpoint.failure_of(answer)
        if failure is not None:
            raise failure
        if answer.status >= 400:
            raise EraMismatch(f"it answered with status {answer.status} and no modern error")
        raise failed(self._endpoint.name, f"status {answer.status} came without a response")

    async def _post(self, request_id: str, request: Outgoing, deadline: float) -> Answer:
        headers: Headers = (
            ("mcp-protocol-version", MODERN_VERSION),
            ("mcp-method", request.method),
        )
        if request.name is not None:
            headers += (("mcp-name", encode_value(request.name)),)
        headers += request.headers + request.mirrored
        body = encode(request_id, request, Era.MODERN)
        return await self._endpoint.post(body, headers, request_id, deadline)


def _is_modern_error(answer: Answer, request_id: str) -> bool:
    """Whether the body is an error that only a modern server sends with this status."""
    message = answer.message
    if message is None or not isinstance(message.error, RpcError):
        return False
    if message.error.code in MODERN_ERRORS:
        return True
    # A modern server says 404 for a method it lacks, and echoes the id; a legacy one says 404
    # for a path or a session it does not know.
    unknown_method = message.error.code == codes.METHOD_NOT_FOUND
    return answer.status == 404 and unknown_method and answer.answers(request_id)
