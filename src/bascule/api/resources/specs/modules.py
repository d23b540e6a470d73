"""WebAssembly modules as tools."""

import asyncio
from dataclasses import dataclass
from hashlib import sha256

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.resources.specs.soundness import require_schemas
from bascule.catalogue.openapi import Conversion
from bascule.catalogue.openapi.drafts import ToolDraft
from bascule.catalogue.openapi.naming import Names, clean
from bascule.gateway.errors import InvalidValue, MissingField
from bascule.gateway.tool import UpstreamKind, WasmSource
from bascule.upstreams.wasm.compiling import ModuleRefused
from bascule.upstreams.wasm.manifest import Manifest, ModuleTool, read_manifest
from bascule.upstreams.wasm.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class ModuleOrder:
    """What the tools of a module are, where the module does not say so itself; its file name."""

    manifest: bytes | None = None
    filename: str = ""
    kind: UpstreamKind = UpstreamKind.WASM

    async def read(
        self, control: Control, caller: Caller, document: bytes | None
    ) -> tuple[bytes, Conversion]:
        """Compile the module, and see that it has what its manifest says. Nothing of it runs.

        Raises:
            MissingField: there is no module.
            InvalidValue: it, or its manifest, cannot be used; says why.
            WasmMissing: the optional library is not installed.
        """
        del caller
        if not document:
            raise MissingField("Give the module as `file`.", details={"field": "file"})
        manifest = await asyncio.to_thread(read_manifest, document, self.manifest)
        # One of its own: what it compiles is not kept.
        sandbox = Sandbox(control.sandbox)
        try:
            await sandbox.compile(document, [tool.function for tool in manifest.tools])
        except ModuleRefused as reason:
            raise InvalidValue(
                f"The module cannot be used: {reason}.", details={"field": "file"}
            ) from None
        finally:
            sandbox.close()
        return document, self._conversion(manifest, sha256(document).hexdigest())

    def _conversion(self, manifest: Manifest, digest: str) -> Conversion:
        names = Names()
        title = manifest.name or self.filename.rsplit("/", 1)[-1].rsplit(".", 1)[0] or "module"
        tools = tuple(_draft(tool, digest, names) for tool in manifest.tools)
        require_schemas(tools)
        return Conversion(title[:100], manifest.version, f"wasm:{title[:100]}", tools, ())


def _draft(tool: ModuleTool, digest: str, names: Names) -> ToolDraft:
    return ToolDraft(
        name=names.take(clean(tool.name)),
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        source=WasmSource("", digest, tool.function),
        risk=tool.risk_level,
        tags=tool.tags,
        idempotent=tool.idempotent,
    )
