"""What a conversion gives: tools that are not stored yet."""

from collections.abc import Mapping
from dataclasses import dataclass

from bascule.catalogue.openapi.findings import Finding
from bascule.gateway.tool import RestSource, RiskLevel


@dataclass(frozen=True, slots=True)
class ToolDraft:
    """One operation as a tool. `source.upstream` is empty until the tool is stored.

    Both schemas are JSON Schema 2020-12, without references to the outside and with patterns
    that run in linear time; `input_schema` compiles. `examples` are arguments it accepts.
    """

    name: str
    title: str | None
    description: str
    input_schema: Mapping[str, object]
    output_schema: Mapping[str, object] | None
    source: RestSource
    risk: RiskLevel
    tags: tuple[str, ...] = ()
    examples: tuple[Mapping[str, object], ...] = ()
    idempotent: bool = False
    deprecated: bool = False


@dataclass(frozen=True, slots=True)
class Conversion:
    """A document as tools. `warnings` name what was changed, guessed or left out."""

    title: str
    version: str
    base_url: str
    tools: tuple[ToolDraft, ...]
    warnings: tuple[Finding, ...]
