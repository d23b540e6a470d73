"""How sources of tools and access rules look as JSON in a column, and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

import msgspec

from bascule.gateway.connector import Connector
from bascule.gateway.rule import Rule, RuleKind
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
# Columns of their own.
_COLUMNS: Final = ("name", "priority", "kind")

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


def rule_document(rule: Rule) -> dict[str, Any]:
    """The JSON form of `rule` without its name, priority and kind; lists are sorted."""
    return {key: value for key, value in _document(rule).items() if key not in _COLUMNS}


def read_rule(
    name: str, priority: int, document: Mapping[str, Any], kind: str = RuleKind.RBAC
) -> Rule:
    """The rule of this kind that `document` describes; what it leaves out has its usual value.

    Raises:
        StorageError: it describes none.
    """
    return _convert({**document, "name": name, "priority": priority, "kind": kind}, Rule)


@dataclass(frozen=True, slots=True)
class PolicyState:
    """What a policy says at one time. An inactive one decides nothing."""

    rule: Rule
    description: str = ""
    is_active: bool = True


def policy_document(state: PolicyState) -> dict[str, Any]:
    """The JSON form of `state` without its name: what versions and drafts hold of a policy."""
    return {
        "type": state.rule.kind.value,
        "priority": state.rule.priority,
        "description": state.description,
        "is_active": state.is_active,
        "rules": rule_document(state.rule),
    }


def read_policy(name: str, document: Mapping[str, Any]) -> PolicyState:
    """What `document` says of the policy of that name.

    Raises:
        StorageError: it describes none.
    """
    try:
        rule = read_rule(name, document["priority"], document["rules"], document["type"])
        return PolicyState(rule, document["description"], document["is_active"])
    except (KeyError, TypeError) as error:
        raise StorageError(f"not a policy: {error!r}") from None


def _document(value: Source | Rule | Connector) -> dict[str, Any]:
    # Exactly what the column will give back, so that saving it unchanged is seen as no change.
    text = msgspec.json.encode(value, enc_hook=_as_object, order="deterministic")
    return msgspec.json.decode(text)


def _as_object(value: object) -> dict[str, Any]:
    """A mapping that is no dictionary."""
    return dict(cast("Mapping[str, Any]", value))


def _convert(document: dict[str, Any], wanted: type[_T]) -> _T:
    try:
        return msgspec.convert(document, wanted)
    except msgspec.ValidationError as error:
        raise StorageError(f"not a {wanted.__name__}: {error}") from None
