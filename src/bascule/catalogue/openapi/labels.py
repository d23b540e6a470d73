"""The words by which people find a tool: its tags, and what the API asks of its callers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.operations import Operation
from bascule.catalogue.openapi.shapes import as_text
from bascule.catalogue.openapi.wording import shorten, spoken

_MOST_TAGS: Final = 20
_LONGEST_TAG: Final = 100
_MOST_PARENTS: Final = 10

Security = tuple[Mapping[str, tuple[str, ...]], ...]


@dataclass(slots=True)
class Labels:
    """Reads tags and security requirements of the operations of one document."""

    context: Context
    _parents: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._parents = dict(_parents(self.context.document.root))

    def tags_of(self, operation: Operation) -> tuple[str, ...]:
        """The tags of an operation, each followed by those above it (OpenAPI 3.2, Tag Object)."""
        own = operation.node.get("tags")
        found: dict[str, None] = {}
        for node in own.items() if own else ():
            tag = as_text(node.value)
            for _ in range(_MOST_PARENTS):
                if tag is None or tag in found:
                    break
                found[tag] = None
                tag = self._parents.get(tag)
        words = (shorten(spoken(tag, operation.node, self.context), _LONGEST_TAG) for tag in found)
        return tuple(dict.fromkeys(word for word in words if word))[:_MOST_TAGS]

    def security_of(self, operation: Operation) -> Security:
        """The alternatives of an operation, or of the document where it names none."""
        declared = operation.node.get("security") or self.context.document.root.get("security")
        return tuple(_requirements(declared)) if declared else ()


def _parents(root: Node) -> Iterator[tuple[str, str]]:
    tags = root.get("tags")
    for node in tags.items() if tags else ():
        name, parent = node.text("name"), node.text("parent")
        if name is not None and parent is not None:
            yield name, parent


def _requirements(declared: Node) -> Iterator[Mapping[str, tuple[str, ...]]]:
    for alternative in declared.items():
        if isinstance(alternative.value, dict):
            yield {
                name: tuple(text for scope in scopes.items() if (text := as_text(scope.value)))
                for name, scopes in alternative.children()
            }
