"""The executor of tools that are functions of a module."""

import asyncio
import base64
from typing import Any, Final

import msgspec

from bascule.gateway.call import Call, Result
from bascule.gateway.errors import UpstreamFailed, UpstreamTimeout
from bascule.gateway.tool import Upstream, WasmSource
from bascule.protocol.tools import text_content
from bascule.upstreams.wasm.compiling import ModuleRefused, ModuleSlow
from bascule.upstreams.wasm.sandbox import ModuleFailed, Sandbox

ERROR_MEMBER: Final = "$error"
"""A result that is an object with only this member, a text, is an error of the tool."""


class WasmUpstream:
    """Executes the tools of one module. Nothing of a caller is known to it but the arguments."""

    def __init__(self, upstream: Upstream, sandbox: Sandbox) -> None:
        """The bytes of the module are `upstream.connector.descriptors`, in base64."""
        self._upstream = upstream
        self._sandbox = sandbox
        self._compiled: asyncio.Future[Any] | None = None

    async def execute(self, call: Call) -> Result:
        """Run the call.

        Raises:
            UpstreamFailed: the module trapped, or gave no usable result. It cannot have acted.
            UpstreamTimeout: it used up its time or its fuel.
        """
        tool = call.tool
        if tool is None or not isinstance(tool.source, WasmSource):
            raise RuntimeError("a module executes its own tools")
        try:
            compiled = await self._module(tool.source)
            answer = await self._sandbox.run(compiled, tool.source.export, call.raw_arguments)
        except ModuleRefused as reason:
            raise UpstreamFailed(
                f"The module behind {tool.name} cannot be used here. An operator must import it "
                "again.",
                private=str(reason),
            ) from None
        except ModuleFailed as failure:
            kind = UpstreamTimeout if failure.was_bounded else UpstreamFailed
            raise kind(f"{tool.name} did not work: {failure}.", private=str(failure)) from None
        return _result(tool.name, answer)

    async def retire(self, grace_seconds: float) -> None:
        """Nothing is open."""
        del grace_seconds

    async def aclose(self) -> None:
        """Nothing is open."""

    async def _module(self, source: WasmSource) -> Any:
        if self._compiled is None:
            module = base64.b64decode(self._upstream.connector.descriptors)
            compiling = self._sandbox.compile(module, (source.export,))
            self._compiled = asyncio.ensure_future(compiling)
        try:
            # Shielded: whoever gives up waiting does not take it from the others.
            return await asyncio.shield(self._compiled)
        except ModuleSlow:
            self._compiled = None  # it was not too slow when it was imported
            raise
        except asyncio.CancelledError:
            if self._compiled.cancelled():
                self._compiled = None
            raise


def _result(tool: str, answer: bytes) -> Result:
    try:
        text = answer.decode()
        value = msgspec.json.decode(answer)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        raise UpstreamFailed(
            f"{tool} gave something that is no JSON.", private="the result is no JSON"
        ) from None
    if isinstance(value, dict) and value.keys() == {ERROR_MEMBER}:  # pyright: ignore[reportUnknownMemberType]
        said = str(value[ERROR_MEMBER])  # pyright: ignore[reportUnknownArgumentType]
        return Result({"content": [text_content(said)], "isError": True}, is_error=True,
                      failure=said[:500])  # fmt: skip
    if isinstance(value, str):
        return Result({"content": [text_content(value)]})
    line = answer.strip()
    if not line.startswith(b"{"):
        line, text = b'{"result":' + line + b"}", text.strip()
    return Result({"content": [text_content(text)], "structuredContent": msgspec.Raw(line)})
