"""Tools read in bulk, for the snapshot: straight from the texts in their rows.

What comes out equals what `mapping.tool_from` makes of the same row, at a tenth of the cost in time
and memory: schemas stay text until somebody looks into them.
"""

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, String, Text, cast, select, type_coerce

from bascule.gateway.documents import JsonDocument
from bascule.gateway.tool import (
    GrpcSource,
    McpSource,
    PluginSource,
    RestParameter,
    RestSource,
    RiskLevel,
    Source,
    Tool,
    ToolStatus,
    WasmSource,
)
from bascule.storage.errors import StorageError
from bascule.storage.mapping import encode_tool
from bascule.storage.tables import ToolRow


class _Kind(msgspec.Struct):
    kind: str = ""


_kind = msgspec.json.Decoder(_Kind).decode
_SOURCES: Final = {
    "rest": msgspec.json.Decoder(RestSource).decode,
    "mcp": msgspec.json.Decoder(McpSource).decode,
    "grpc": msgspec.json.Decoder(GrpcSource).decode,
    "plugin": msgspec.json.Decoder(PluginSource).decode,
    "wasm": msgspec.json.Decoder(WasmSource).decode,
}
_texts = msgspec.json.Decoder(tuple[str, ...]).decode
_objects = msgspec.json.Decoder(list[msgspec.Raw]).decode


class ToolRecord(NamedTuple):
    """The columns of a tool as the driver gives them, ids too; documents are JSON texts."""

    id: UUID | str
    bundle_id: UUID | str
    name: str
    title: str | None
    description: str
    version: str
    source: str
    input_schema: str
    output_schema: str | None
    definition: bytes | None
    risk_level: str
    status: str
    tags: str
    domain: str | None
    owner: str | None
    examples: str
    idempotent: bool
    timeout_seconds: float | None
    cache_seconds: float


def select_records() -> Select[*tuple[Any, ...]]:
    """Selects the columns of `ToolRecord`, in their order."""
    return select(*(_column(name) for name in ToolRecord._fields))


def _column(name: str) -> ColumnElement[Any]:
    column: ColumnElement[Any] = ToolRow.__table__.c[name]
    if name in _DOCUMENTS:
        return cast(column, Text).label(name)
    return type_coerce(column, String).label(name) if name in _IDS else column


_IDS: Final = frozenset({"id", "bundle_id"})
_DOCUMENTS: Final = frozenset({"source", "input_schema", "output_schema", "tags", "examples"})


class ToolReader:
    """Reads many tools; what several of them say alike is one object."""

    def __init__(self) -> None:
        self._parameters: dict[RestParameter, RestParameter] = {}

    def read(self, record: ToolRecord, bundle: str) -> Tool:
        """The tool in `record`, definition included.

        Raises:
            StorageError: the row holds something no release writes; says which tool.
        """
        try:
            return _tool(record, bundle, self._shared(_source(record.source)))
        except (StorageError, ValueError) as error:  # as are those of msgspec
            raise StorageError(
                f"Tool {record.name} {record.version} cannot be read: {error}"
            ) from None

    def _shared(self, source: Source) -> Source:
        if not isinstance(source, RestSource):
            return source
        return replace(
            source,
            upstream=sys.intern(source.upstream),
            method=sys.intern(source.method),
            parameters=tuple(
                self._parameters.setdefault(one, one) if one.parts is None else one
                for one in source.parameters
            ),
        )


def _tool(record: ToolRecord, bundle: str, source: Source) -> Tool:
    risk = RiskLevel(record.risk_level)
    input_text = _object_text(record.input_schema)
    output_text = None if record.output_schema is None else _object_text(record.output_schema)
    definition = record.definition or encode_tool(record, risk, input_text, output_text)
    return Tool(
        name=record.name,
        description=record.description,
        bundle=bundle,
        source=source,
        input_schema=_document(record, definition, "inputSchema", input_text),
        output_schema=None
        if output_text is None
        else _document(record, definition, "outputSchema", output_text),
        title=record.title,
        version=sys.intern(record.version),
        risk=risk,
        status=ToolStatus(record.status),
        tags=tuple(map(sys.intern, _texts(record.tags))),
        domain=record.domain and sys.intern(record.domain),
        owner=record.owner and sys.intern(record.owner),
        examples=tuple(JsonDocument(bytes(one)) for one in _objects(record.examples)),
        idempotent=record.idempotent,
        timeout_seconds=record.timeout_seconds,
        cache_seconds=record.cache_seconds,
        definition=definition,
    )


def _document(
    record: ToolRecord, definition: bytes, member: str, text: msgspec.Raw
) -> Mapping[str, object]:
    """A schema out of the definition that was made with it; a server's own says what it likes."""
    if record.definition:
        return JsonDocument(bytes(text))
    return JsonDocument(definition, member)


def _object_text(text: str) -> msgspec.Raw:
    """`text` without the blanks that one engine puts in."""
    compact = msgspec.json.format(text.encode(), indent=-1)
    if not compact.startswith(b"{"):
        raise StorageError("a schema is not a JSON object")
    return msgspec.Raw(compact)


def _source(text: str) -> Source:
    kind = _kind(text).kind
    decode = _SOURCES.get(kind)
    if decode is None:
        raise StorageError(f"unknown kind of source: {kind!r}")
    return decode(text)
