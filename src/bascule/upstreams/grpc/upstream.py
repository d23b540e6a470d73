"""The executor of gRPC tools: one call, one unary request, one result."""

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import msgspec

from bascule.gateway.call import Call, Result
from bascule.gateway.errors import InvalidArgument, UpstreamFailed
from bascule.gateway.tool import GrpcSource, Upstream
from bascule.protocol.tools import text_content
from bascule.upstreams.grpc.channels import Channel
from bascule.upstreams.grpc.library import load
from bascule.upstreams.grpc.methods import open_pool
from bascule.upstreams.grpc.outcomes import outcome_of

Headers = Callable[[Call], Awaitable[Sequence[tuple[str, str]]]]
"""What a call says besides: credentials, with their references resolved."""

_BINARY: Final = "-bin"


class GrpcUpstream:
    """Executes the tools of one gRPC service. Nothing a client sent in a header reaches it."""

    def __init__(self, upstream: Upstream, channel: Channel, headers: Headers) -> None:
        """The descriptors of `upstream.connector` say what its messages are."""
        self._upstream = upstream
        self._channel = channel
        self._headers = headers
        self._pool: Any = None
        self._methods: dict[GrpcSource, tuple[Any, Any]] = {}

    async def execute(self, call: Call) -> Result:
        """Run the call; a refusal of the service is a result, with `is_error` set.

        Raises:
            InvalidArgument: the arguments do not make a message. Nothing was sent.
            GatewayError: the service cannot be reached, or gave no usable answer.
        """
        tool = call.tool
        if tool is None or not isinstance(tool.source, GrpcSource):
            raise RuntimeError("a gRPC upstream executes gRPC tools")
        if self._pool is None:
            descriptors = base64.b64decode(self._upstream.connector.descriptors)
            self._pool = await asyncio.to_thread(open_pool, descriptors)
        request_type, response_type = self._types(tool.source)
        request = _message(request_type, call.arguments)
        deadline = self._deadline(call)
        metadata = await self._metadata(call)
        channel = await self._channel.ready(
            min(deadline, time.monotonic() + self._upstream.connect_timeout_seconds)
        )
        rpc = channel.unary_unary(
            f"/{tool.source.service}/{tool.source.method}",
            request_serializer=request_type.SerializeToString,
            response_deserializer=response_type.FromString,
        )
        grpc = load("grpc")
        try:
            response = await rpc(
                request, timeout=max(0.001, deadline - time.monotonic()), metadata=metadata
            )
        except grpc.aio.AioRpcError as error:
            return outcome_of(error, tool.name, self._upstream.name)
        return _result(response)

    async def retire(self, grace_seconds: float) -> None:
        """Close once calls under way had their time."""
        await self._channel.close(grace_seconds)

    async def aclose(self) -> None:
        """Close."""
        await self._channel.close()

    def _types(self, source: GrpcSource) -> tuple[Any, Any]:
        found = self._methods.get(source)
        if found is None:
            factory = load("google.protobuf.message_factory")
            try:
                service = self._pool.FindServiceByName(source.service)
                method = service.methods_by_name[source.method]
            except KeyError:
                raise UpstreamFailed(
                    "This tool's method is not in the description of its service. An operator "
                    "must import the service again.",
                    private=f"{source.service}/{source.method} is not in the descriptors",
                ) from None
            found = self._methods[source] = (
                factory.GetMessageClass(method.input_type),
                factory.GetMessageClass(method.output_type),
            )
        return found

    def _deadline(self, call: Call) -> float:
        timeout_seconds = (
            call.tool and call.tool.timeout_seconds
        ) or self._upstream.timeout_seconds
        deadline = time.monotonic() + timeout_seconds
        return min(call.deadline, deadline) if call.deadline else deadline

    async def _metadata(self, call: Call) -> list[tuple[str, str]]:
        tool = call.tool
        metadata = [(name.lower(), value) for name, value in await self._headers(call)]
        metadata.append(("x-correlation-id", call.correlation_id))
        if tool is not None and tool.name.isascii():
            metadata.append(("x-mcp-tool-name", tool.name))
            metadata.append(("x-mcp-risk-level", tool.risk.value))
        if call.traceparent and call.traceparent.isascii():
            metadata.append(("traceparent", call.traceparent))
        return [(name, value) for name, value in metadata if not name.endswith(_BINARY)]


def _message(kind: Any, arguments: dict[str, object]) -> Any:
    json_format = load("google.protobuf.json_format")
    message = kind()
    try:
        json_format.ParseDict(arguments, message)
    except (json_format.ParseError, ValueError, TypeError, RecursionError) as error:
        raise InvalidArgument(
            f"The arguments do not make a {kind.DESCRIPTOR.name}: {str(error)[:300]}",
            details={"field": "arguments"},
        ) from None
    return message


def _result(message: Any) -> Result:
    json_format = load("google.protobuf.json_format")
    text = json_format.MessageToJson(
        message, indent=None, always_print_fields_with_no_presence=True, ensure_ascii=False
    )
    line = text.encode()
    if not line.startswith(b"{"):
        line = b'{"result":' + line + b"}"
    body: dict[str, object] = {
        "content": [text_content(text)],
        "structuredContent": msgspec.Raw(line),
    }
    return Result(body)
