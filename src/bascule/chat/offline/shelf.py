"""The tools of one request, and what is worked out of their schemas when it is needed."""

from collections.abc import Sequence
from typing import Final

from bascule.chat.models import ModelTool
from bascule.chat.offline.matching import ENOUGH, fit, is_reference, mentioned
from bascule.chat.offline.ranking import Ranking
from bascule.chat.offline.schemas import Field, Leaf, fields_of, leaves_of
from bascule.chat.offline.shapes import EACH, as_list
from bascule.chat.offline.values import Wish
from bascule.chat.offline.words import nouns
from bascule.chat.parts import JsonObject

_MOST_RELATED: Final = 16


class Shelf:
    """Tools by name, ranked, and with their parameters and fields."""

    def __init__(self, tools: Sequence[ModelTool]) -> None:
        self.tools = {one.name: one for one in tools}
        self.ranking = Ranking(tools)
        self._leaves: dict[str, list[Leaf]] = {}
        self._fields: dict[str, list[Field]] = {}
        self._stems: dict[str, dict[str, list[Field]]] = {}
        self._related: dict[tuple[str, ...], list[ModelTool]] = {}
        self._providers: dict[tuple[str, tuple[str, ...]], list[ModelTool]] = {}
        self._wishes: dict[tuple[str, tuple[str, ...]], Wish] = {}

    def leaves(self, tool: ModelTool) -> list[Leaf]:
        """Its parameters."""
        if tool.name not in self._leaves:
            self._leaves[tool.name] = leaves_of(tool)
        return self._leaves[tool.name]

    def fields(self, tool: ModelTool) -> list[Field]:
        """The fields of what it gives."""
        if tool.name not in self._fields:
            self._fields[tool.name] = fields_of(tool)
        return self._fields[tool.name]

    def related(self, stems: Sequence[str]) -> list[ModelTool]:
        """Tools that are about the same things, the nearest first."""
        key = tuple(sorted(set(stems)))
        if key not in self._related:
            self._related[key] = self.ranking.nearest(key)[:_MOST_RELATED]
        return self._related[key]

    def best_field(
        self, tool: ModelTool, leaf: Leaf, giver: ModelTool
    ) -> tuple[Field, float] | None:
        """What of `giver` answers best to the parameter `leaf` of `tool`."""
        around = nouns(tool.name, tool.title)
        by_stem = self._by_stem(giver)
        possible = [*by_stem.get(leaf.stems[-1], ()), *by_stem.get(EACH, ())] if leaf.stems else []
        fits = [(one, fit(leaf, around, one)) for one in possible]
        best = max(fits, key=lambda one: one[1], default=None)
        return best if best and best[1] >= ENOUGH else None

    def _by_stem(self, tool: ModelTool) -> dict[str, list[Field]]:
        """Its fields by the last stem of their names; items without a name under `EACH`."""
        if tool.name not in self._stems:
            found: dict[str, list[Field]] = {}
            for one in self.fields(tool):
                key = EACH if one.is_item else one.stems[-1] if one.stems else ""
                found.setdefault(key, []).append(one)
            self._stems[tool.name] = found
        return self._stems[tool.name]

    def providers(self, tool: ModelTool, leaf: Leaf) -> list[ModelTool]:
        """Tools that only read and may give the parameter, the likeliest first."""
        key = (tool.name, leaf.path)
        if key not in self._providers:
            self._providers[key] = self._find_providers(tool, leaf)
        return self._providers[key]

    def _find_providers(self, tool: ModelTool, leaf: Leaf) -> list[ModelTool]:
        if not is_reference(leaf):
            return []
        named = [self.tools[one] for one in sorted(mentioned(leaf)) if one in self.tools]
        found: dict[str, tuple[float, int, ModelTool]] = {}
        for giver in [*named, *self.related((*leaf.stems, *sorted(nouns(tool.name, tool.title))))]:
            if giver.name == tool.name or giver.risk != "read" or giver.name in found:
                continue
            best = self.best_field(tool, leaf, giver)
            if best or (giver in named and giver.output_schema is None):
                score = (best[1] if best else 0) + (1 if giver in named else 0)
                found[giver.name] = (-score, len(found), giver)
        return [one for _, _, one in sorted(found.values(), key=lambda one: one[:2])]

    def helps(self, tool: ModelTool, target: ModelTool) -> bool:
        """Whether what `tool` gives may fill a parameter of `target`, in one step or two."""
        givers = self._givers(target)
        if tool.name in {one.name for one in givers}:
            return True
        return any(tool.name in {two.name for two in self._givers(one)} for one in givers)

    def _givers(self, target: ModelTool) -> list[ModelTool]:
        found = [
            one
            for leaf in self.leaves(target)
            if leaf.required
            for one in self.providers(target, leaf)
        ]
        return list({one.name: one for one in found}.values())

    def wish(self, tool: ModelTool, leaf: Leaf) -> Wish:
        """`leaf` with the examples of its like, where it has none of its own."""
        key = (tool.name, leaf.path)
        if key not in self._wishes:
            examples = examples_of(leaf.schema) or self._borrowed(tool, leaf)
            self._wishes[key] = Wish(leaf, examples, nouns(tool.name, tool.title))
        return self._wishes[key]

    def _borrowed(self, tool: ModelTool, leaf: Leaf) -> Sequence[str]:
        """Examples of a field of the same name in what the tool gives, or of what others take."""
        if not leaf.is_free or not is_reference(leaf):
            return ()
        for one in self.fields(tool):
            if one.stems == leaf.stems and not one.is_item and examples_of(one.schema):
                return examples_of(one.schema)
        for other in self.related(leaf.stems):
            about = nouns(other.name, other.title)
            for one in self.leaves(other):
                rest = set(leaf.stems[: -len(one.stems)])
                if leaf.stems[-len(one.stems) :] == one.stems and rest <= about:
                    return examples_of(one.schema)
        return ()


def examples_of(schema: JsonObject) -> tuple[str, ...]:
    """The examples in a schema, as text."""
    plain = [*as_list(schema.get("examples")), schema.get("example")]
    return tuple(
        str(one)[:100]
        for one in plain[:5]
        if isinstance(one, str | int) and not isinstance(one, bool)
    )
