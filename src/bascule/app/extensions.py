"""Upstreams that are code of others: connectors of plugins, and WebAssembly modules."""

from collections.abc import Mapping
from typing import Final

from bascule.gateway.snapshot import Snapshot
from bascule.gateway.stage import Executor
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.plugins import ToolConnector
from bascule.plugins.connecting import PluginUpstream
from bascule.settings import model
from bascule.upstreams.wasm.library import WasmMissing
from bascule.upstreams.wasm.limits import SandboxLimits
from bascule.upstreams.wasm.sandbox import Sandbox
from bascule.upstreams.wasm.upstream import WasmUpstream

KINDS: Final = frozenset({UpstreamKind.PLUGIN, UpstreamKind.WASM})


def sandbox_limits(settings: model.Sandbox) -> SandboxLimits:
    """The limits that an operator set."""
    return SandboxLimits(
        fuel=settings.max_fuel,
        memory_bytes=settings.max_memory_bytes,
        seconds=settings.max_seconds,
        output_bytes=settings.max_output_bytes,
        module_bytes=settings.max_module_bytes,
        concurrent_calls=settings.concurrent_calls,
    )


class Extensions:
    """Opens them. The sandbox is made when the first module is met, and serves all."""

    def __init__(self, connectors: Mapping[str, ToolConnector], limits: SandboxLimits) -> None:
        self._connectors = connectors
        self._limits = limits
        self._sandbox: Sandbox | None = None
        self._modules: dict[tuple[str, Upstream], WasmUpstream] = {}

    def open(self, tenant: str, upstream: Upstream) -> Executor:
        """What executes the tools of `upstream`.

        Raises:
            ValueError: no plugin in use connects to it, or modules cannot be run here.
        """
        if upstream.kind is UpstreamKind.WASM:
            return self._module(tenant, upstream)
        name, _, address = upstream.url.partition(":")
        connector = self._connectors.get(name)
        if connector is None:
            raise ValueError(f"no plugin in use has a connector named {name}")
        return PluginUpstream(upstream, address, connector)

    def retire(self, snapshot: Snapshot) -> None:
        """Forget the modules that `snapshot` does not name; calls under way go on."""
        named = {
            (tenant, upstream.name)
            for tenant, view in snapshot.tenants.items()
            for upstream in view.upstreams.values()
        }
        self._modules = {
            (tenant, upstream): one
            for (tenant, upstream), one in self._modules.items()
            if (tenant, upstream.name) in named
        }

    def close(self) -> None:
        """Take no more calls."""
        if self._sandbox is not None:
            self._sandbox.close()

    def _module(self, tenant: str, upstream: Upstream) -> WasmUpstream:
        found = self._modules.get((tenant, upstream))
        if found is None:
            self._drop_older(tenant, upstream.name)
            found = WasmUpstream(upstream, self._opened_sandbox())
            self._modules[tenant, upstream] = found
        return found

    def _drop_older(self, tenant: str, name: str) -> None:
        for key in [key for key in self._modules if (key[0], key[1].name) == (tenant, name)]:
            del self._modules[key]

    def _opened_sandbox(self) -> Sandbox:
        if self._sandbox is None:
            try:
                self._sandbox = Sandbox(self._limits)
            except WasmMissing as missing:
                raise ValueError(missing.public) from None
        return self._sandbox
