"""How sources of tools and access rules look as JSON in a column, and back."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from bascule.gateway.connector import Connector
from bascule.gateway.rule import RbacRule
from bascule.gateway.tool import GrpcSource, McpSource, PluginSource, RestSource, Source, WasmSource
from bascule.storage.errors import StorageError

_KIND: Final = "kind"
_SOURCES: Final[Mapping[str, type[Source]]] = {
    "rest": RestSource,
    "mcp": McpSource,
    "grpc": GrpcSource,
    "plugin": PluginSource,
    "wasm": WasmSource,
}
_KINDS: Final = {kind: name for name, kind in _SOURCES.items()}
# A policy's name and priority are columns of their own.
_COLUMNS: Final = ("name", "priority")

_T = TypeVar("_T")


def source_document(source: Source) -> dict[str, Any]:
    """The JSON form of `source`, told apart by its member `kind`."""
    return {_KIND: _KINDS[type(source)], **_document(source)}


def read_source(document: Mapping[str, Any]) -> Source:
    """The source that `document` describes.

    Raises:
        StorageError: it describes none.
    """
    source_type = _SOURCES.get(str(document.get(_KIND)))
    if source_type is None:
        raise StorageError(f"unknown kind of source: {document.get(_KIND)!r}")
    return _convert({key: value for key, value in document.items() if key != _KIND}, source_type)


def connector_document(connector: Connector) -> dict[str, Any]:
    """The JSON form of `connector`."""
    return _document(connector)


def read_connector(document: Mapping[str, Any]) -> Connector:
    """The connector that `document` describes; what it leaves out has its usual value.

    Raises:
        StorageError: it describes none.
    """
    return _convert(dict(document), Connector)


def rule_document(rule: RbacRule) -> dict[str, Any]:
    """The JSON form of `rule` without its name and priority; lists are sorted."""
    return {key: value for key, value in _document(rule).items() if key not in _COLUMNS}


def read_rule(name: str, priority: int, document: Mapping[str, Any]) -> RbacRule:
    """The rule that `document` describes.

    Raises:
        StorageError: it describes none.
    """
    return _convert({**document, "name": name, "priority": priority}, RbacRule)


def _document(value: Source | RbacRule | Connector) -> dict[str, Any]:
    # Exactly what the column will give back, so that saving it unchanged is seen as no change.
    return msgspec.json.decode(msgspec.json.encode(value, order="deterministic"))


def _convert(document: dict[str, Any], wanted: type[_T]) -> _T:
    try:
        return msgspec.convert(document, wanted)
    except msgspec.ValidationError as error:
        raise StorageError(f"not a {wanted.__name__}: {error}") from None
