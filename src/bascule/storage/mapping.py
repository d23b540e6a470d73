"""Rows read as the kernel's frozen values, and written from them."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol
from uuid import UUID

import msgspec

from bascule.gateway.connector import Pinning
from bascule.gateway.rule import Rule
from bascule.gateway.tool import (
    Bundle,
    McpSource,
    RestSource,
    RiskLevel,
    Tool,
    ToolStatus,
    Upstream,
    UpstreamKind,
)
from bascule.protocol.tools import encode_definition
from bascule.storage.documents import read_connector, read_rule, read_source, source_document
from bascule.storage.errors import StorageError
from bascule.storage.semver import Precedence, precedence
from bascule.storage.tables import BundleRow, PolicyRow, ToolRow, UpstreamRow

LISTABLE = (ToolStatus.ACTIVE, ToolStatus.DEPRECATED)
"""The statuses in which a tool is listed and callable."""

_STANDING: Mapping[str, int] = {ToolStatus.ACTIVE: 2, ToolStatus.DEPRECATED: 1}


def tool_from(row: ToolRow, bundle: str) -> Tool:
    """The tool in `row`, definition included.

    Raises:
        StorageError: the row holds something no release writes; says which tool.
    """
    try:
        source, risk, status = (
            read_source(row.source),
            RiskLevel(row.risk_level),
            ToolStatus(row.status),
        )
    except (StorageError, ValueError) as error:
        raise StorageError(f"Tool {row.name} {row.version} cannot be read: {error}") from None
    return Tool(
        name=row.name,
        description=row.description,
        bundle=bundle,
        source=source,
        input_schema=row.input_schema,
        output_schema=row.output_schema,
        title=row.title,
        version=row.version,
        risk=risk,
        status=status,
        tags=tuple(row.tags),
        domain=row.domain,
        owner=row.owner,
        examples=tuple(row.examples),
        idempotent=row.idempotent,
        timeout_seconds=row.timeout_seconds,
        cache_seconds=row.cache_seconds,
        definition=row.definition or encode_tool(row, risk, row.input_schema, row.output_schema),
    )


def tool_columns(tool: Tool, bundle_id: UUID, upstream_id: UUID) -> dict[str, Any]:
    """The columns that an upsert of `tool` sets, status and origin left out."""
    rest = tool.source if isinstance(tool.source, RestSource) else None
    relayed = isinstance(tool.source, McpSource)
    return {
        "title": tool.title,
        "description": tool.description,
        "bundle_id": bundle_id,
        "upstream_id": upstream_id,
        "source": source_document(tool.source),
        "input_schema": dict(tool.input_schema),
        "output_schema": None if tool.output_schema is None else dict(tool.output_schema),
        "definition": (tool.definition or None) if relayed else None,
        "http_method": rest.method if rest else None,
        "api_path": rest.path if rest else None,
        "risk_level": tool.risk.value,
        "tags": list(tool.tags),
        "domain": tool.domain,
        "owner": tool.owner,
        "examples": [dict(example) for example in tool.examples],
        "idempotent": tool.idempotent,
        "timeout_seconds": tool.timeout_seconds,
        "cache_seconds": tool.cache_seconds,
    }


class Described(Protocol):
    """What a definition says of a tool, besides its schemas and its risk."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str | None: ...

    @property
    def description(self) -> str: ...

    @property
    def idempotent(self) -> bool: ...


class Version(Protocol):
    """A version of a tool, as far as its place among the others depends on it."""

    @property
    def version(self) -> str: ...

    @property
    def status(self) -> str: ...


def rank(row: ToolRow | Version) -> tuple[int, Precedence]:
    """Sorts the versions of one name: active before deprecated before the rest, then newest."""
    return _STANDING.get(row.status, 0), precedence(row.version)


def newest(rows: Iterable[ToolRow]) -> ToolRow:
    """The highest version of one name, whatever its status."""
    return max(rows, key=lambda row: precedence(row.version))


def bundle_from(row: BundleRow) -> Bundle:
    """The bundle in `row`."""
    return Bundle(row.name, row.description, row.version, row.owner)


def upstream_from(row: UpstreamRow) -> Upstream:
    """The upstream in `row`."""
    return Upstream(
        name=row.name,
        kind=UpstreamKind(row.kind),
        url=row.url,
        command=tuple(row.command),
        headers=tuple((name, value) for name, value in row.headers),
        connect_timeout_seconds=row.connect_timeout_seconds,
        timeout_seconds=row.timeout_seconds,
        connector=read_connector(row.connector),
        pinning=Pinning(row.pinning),
    )


def rule_from(row: PolicyRow) -> Rule:
    """The rule in `row`, of whatever kind.

    Raises:
        StorageError: it holds none; says which policy.
    """
    try:
        return read_rule(row.name, row.priority, row.rules, row.type)
    except StorageError as error:
        raise StorageError(
            f"Policy {row.name} cannot be read ({error}). Delete it and create it anew."
        ) from None


def encode_tool(
    row: ToolRow | Described,
    risk: RiskLevel,
    input_schema: Mapping[str, object] | msgspec.Raw,
    output_schema: Mapping[str, object] | msgspec.Raw | None,
) -> bytes:
    """The MCP Tool object of a tool that no server defines."""
    # Specification 2026-07-28, schema.ts ToolAnnotations.
    return encode_definition(
        name=row.name,
        description=row.description,
        input_schema=input_schema,
        title=row.title,
        output_schema=output_schema,
        annotations={
            "readOnlyHint": risk is RiskLevel.READ,
            "destructiveHint": risk is RiskLevel.PRIVILEGED,
            "idempotentHint": row.idempotent,
        },
    )
