"""What a conversion gives: tools that are not stored yet."""

from collections.abc import Mapping
from dataclasses import dataclass

from bascule.catalogue.openapi.findings import Finding
from bascule.gateway.tool import GrpcSource, PluginSource, RestSource, RiskLevel, WasmSource


@dataclass(frozen=True, slots=True)
class ToolDraft:
    """One operation as a tool. `source.upstream` is empty until the tool is stored.

    Both schemas are JSON Schema 2020-12, without references to the outside and with patterns
    that run in linear time; they compile. `examples` are arguments that the input accepts.
    `security` lists what the API asks of a caller as the document says it: one of the
    alternatives, each of them schemes by name with the scopes they need.
    """

    name: str
    title: str | None
    description: str
    input_schema: Mapping[str, object]
    output_schema: Mapping[str, object] | None
    source: RestSource | GrpcSource | PluginSource | WasmSource
    risk: RiskLevel
    tags: tuple[str, ...] = ()
    owner: str | None = None
    domain: str | None = None
    examples: tuple[Mapping[str, object], ...] = ()
    idempotent: bool = False
    deprecated: bool = False
    cache_seconds: float = 0.0
    timeout_seconds: float | None = None
    security: tuple[Mapping[str, tuple[str, ...]], ...] = ()
    base_url: str = ""
    """Where this operation is, if not at the base URL of the conversion."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """A document as tools. `warnings` name what was changed, guessed or left out."""

    title: str
    version: str
    base_url: str
    tools: tuple[ToolDraft, ...]
    warnings: tuple[Finding, ...]
