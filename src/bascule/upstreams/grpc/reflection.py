"""Asking a service what it is: server reflection, v1 and the v1alpha before it.

Source: grpc/grpc doc/server-reflection.md. Both versions have the same messages.
"""

import asyncio
import time
from typing import Any, Final

from bascule.gateway.errors import UpstreamFailed
from bascule.upstreams.grpc.channels import timed_out
from bascule.upstreams.grpc.library import load
from bascule.upstreams.grpc.methods import MOST_BYTES, MOST_FILES, OWN_SERVICES

_VERSIONS: Final = ("grpc.reflection.v1", "grpc.reflection.v1alpha")


async def reflect(channel: Any, deadline: float) -> bytes:
    """A serialised `FileDescriptorSet` of everything the service lists, what it needs included.

    Raises:
        UpstreamFailed: it has no reflection, or answers nonsense.
        UpstreamTimeout: not before `deadline` (seconds of `time.monotonic`).
    """
    grpc = load("grpc")
    reason = ""
    for version in _VERSIONS:
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                return await _Reflection(channel, version).everything()
        except TimeoutError:
            raise timed_out("reflection") from None
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError) as error:
            # A refusal that comes before the question is out shows as a failure to write.
            code = getattr(error, "code", None)
            name = "" if code is None else code().name
            reason = "" if name in ("", "UNIMPLEMENTED") else f"{name}: {_details(error)}"
    raise _failed(reason[:300] or "it has no server reflection; give a descriptor set instead")


class _Reflection:
    def __init__(self, channel: Any, version: str) -> None:
        pb2 = load("grpc_reflection.v1alpha.reflection_pb2")
        self._request = pb2.ServerReflectionRequest
        # One stream for all questions: it is to be answered by one server where there are several.
        self._stream = channel.stream_stream(
            f"/{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=pb2.ServerReflectionResponse.FromString,
        )()
        self._files: dict[str, bytes] = {}
        self._bytes = 0

    async def everything(self) -> bytes:
        try:
            return await self._everything()
        finally:
            self._stream.cancel()

    async def _everything(self) -> bytes:
        pb2 = load("google.protobuf.descriptor_pb2")
        listed = await self._ask(list_services="")
        for service in listed.list_services_response.service:
            if not service.name.startswith(OWN_SERVICES):
                await self._take(file_containing_symbol=service.name)
        pending = [name for content in self._files.values() for name in _needs(content)]
        while pending:
            name = pending.pop()
            if name not in self._files:
                for content in await self._take(file_by_filename=name):
                    pending += _needs(content)
        files = pb2.FileDescriptorSet()
        for content in self._files.values():
            files.file.append(pb2.FileDescriptorProto.FromString(content))
        return files.SerializeToString()

    async def _take(self, **wanted: str) -> list[bytes]:
        pb2 = load("google.protobuf.descriptor_pb2")
        answer = await self._ask(**wanted)
        contents = list(answer.file_descriptor_response.file_descriptor_proto)
        for content in contents:
            self._files[pb2.FileDescriptorProto.FromString(content).name] = content
        self._bytes += sum(len(content) for content in contents)
        if len(self._files) > MOST_FILES or self._bytes > MOST_BYTES:
            raise _failed(
                f"it describes itself in more than {MOST_FILES} files or {MOST_BYTES:,} bytes"
            )
        return contents

    async def _ask(self, **wanted: str) -> Any:
        await self._stream.write(self._request(**wanted))
        answer = await self._stream.read()
        if answer is load("grpc.aio").EOF:
            raise _failed("it gave no answer to reflection")
        if answer.HasField("error_response"):
            error = answer.error_response
            raise _failed(f"{next(iter(wanted.values()))}: {error.error_message}"[:300])
        return answer


def _needs(content: bytes) -> list[str]:
    pb2 = load("google.protobuf.descriptor_pb2")
    return list(pb2.FileDescriptorProto.FromString(content).dependency)


def _details(error: Any) -> str:
    return str(error.details() or "")


def _failed(reason: str) -> UpstreamFailed:
    return UpstreamFailed(
        f"The service does not say what it offers: {reason}.", private=f"reflection: {reason}"
    )
