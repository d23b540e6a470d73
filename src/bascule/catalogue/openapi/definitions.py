"""What schemas refer to, translated once for all tools; cycles end here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec

from bascule.catalogue.openapi.budget import Budget
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.naming import Names, clean
from bascule.catalogue.openapi.pointers import Pointer
from bascule.catalogue.openapi.shapes import JsonObject

Schema: TypeAlias = bool | JsonObject

MAX_SCHEMA_BYTES: Final = 256 * 1024
"""What one schema may weigh as JSON; a model reads it with every list of tools."""

_LONGEST_NAME: Final = 100
_BYTES_PER_STEP: Final = 64


@dataclass(frozen=True, slots=True)
class Translated:
    """A schema, and the names of the definitions it refers to."""

    schema: Schema
    refs: frozenset[str]


class Definitions:
    """The targets of references, by the name they have under `$defs`.

    `translate` is called once per target, when a tool first needs it.
    """

    def __init__(self, translate: Callable[[Node], Translated], budget: Budget) -> None:
        self._translate = translate
        self._budget = budget
        self._names = Names(_LONGEST_NAME)
        self._by_pointer: dict[Pointer, str] = {}
        self._targets: dict[str, Node] = {}
        self._translated: dict[str, tuple[Translated, int] | Unconvertible] = {}

    def name(self, target: Node) -> str:
        """The name of the definition that stands for `target`."""
        name = self._by_pointer.get(target.pointer)
        if name is None:
            wish = clean(target.pointer[-1] if target.pointer else "", _LONGEST_NAME)
            name = self._by_pointer[target.pointer] = self._names.take(wish or "schema")
            self._targets[name] = target
        return name

    def get(self, name: str) -> Translated:
        """The definition `name`.

        Raises:
            Unconvertible: it cannot be translated.
        """
        return self._get(name)[0]

    def closure(self, names: Iterable[str]) -> JsonObject:
        """Everything that the definitions `names` need, themselves included, by name.

        Raises:
            Unconvertible: one of them cannot be translated, or together they are too large.
        """
        reached: JsonObject = {}
        pending = list(names)
        size_bytes = 0
        while pending:
            name = pending.pop()
            if name in reached:
                continue
            translated, size = self._get(name)
            size_bytes += size
            if size_bytes > MAX_SCHEMA_BYTES:
                raise too_large(self._targets[name].pointer)
            self._budget.spend(1 + size // _BYTES_PER_STEP)
            reached[name] = translated.schema
            pending += translated.refs
        return dict(sorted(reached.items()))

    def _get(self, name: str) -> tuple[Translated, int]:
        known = self._translated.get(name)
        if known is None:
            known = self._translated[name] = self._make(self._targets[name])
        if isinstance(known, Unconvertible):
            raise Unconvertible(known.pointer, known.reason)
        return known

    def _make(self, target: Node) -> tuple[Translated, int] | Unconvertible:
        try:
            translated = self._translate(target)
        except Unconvertible as reason:
            return reason
        return translated, len(msgspec.json.encode(translated.schema))


def too_large(at: Pointer) -> Unconvertible:
    """What is said of a schema beyond `MAX_SCHEMA_BYTES`."""
    return Unconvertible(at, f"The schema is larger than {MAX_SCHEMA_BYTES // 1024} KiB.")
