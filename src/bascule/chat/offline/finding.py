"""Tools that are not listed, as there are too many: found by a search, called by another tool.

What a search answers is text, as `bascule.catalogue.search_tools` writes it; no output schema is in
it, so that of a tool is read off the first result that it gave.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from json import JSONDecodeError, JSONDecoder
from typing import Final

from bascule.chat.models import Answered, Entry, ModelTool, Returned, Wanted
from bascule.chat.offline.history import called, data_of
from bascule.chat.offline.matching import is_opaque, mentioned
from bascule.chat.offline.resolving import Call
from bascule.chat.offline.schemas import Leaf
from bascule.chat.offline.shapes import as_list, as_object, as_text
from bascule.chat.parts import JsonObject
from bascule.gateway.builtin import CALL_TOOL, OWN_NAMES, SEARCH_TOOLS

_MOST_HITS: Final = 5
_LONGEST_QUERY: Final = 300
_MOST_FOUND: Final = 200
_MOST_MEMBERS: Final = 100
_DEEPEST: Final = 5
_read = JSONDecoder().raw_decode


class Finder:
    """The tools of one request: those that are listed, and those that were found before."""

    def __init__(self, tools: Sequence[ModelTool], entries: Sequence[Entry]) -> None:
        own = {one.name: one for one in tools if one.name in OWN_NAMES}
        self._search, self._caller = own.get(SEARCH_TOOLS), own.get(CALL_TOOL)
        listed = {one.name: one for one in tools if one.name not in own}
        self._listed = listed.keys()
        found = {one.name: one for one in _found(entries)} if self._caller else {}
        self._found = found.keys()
        self._asked = {one.arguments.get("query") for one in _wanted(entries)}
        self.tools = _learned({**found, **listed}, entries)

    @property
    def finds_more(self) -> bool:
        """Whether there are tools that are not listed."""
        return self._search is not None and self._caller is not None

    def search(self, text: str) -> Call | None:
        """A search for `text`; None where it was made before, or all tools are listed."""
        query = text[:_LONGEST_QUERY]
        if self._search is None or self._caller is None or query in self._asked:
            return None
        return Call(self._search, {"query": query, "limit": _MOST_HITS})

    def search_giver(self, leaf: Leaf) -> Call | None:
        """A search for the tool that gives a parameter which a person would hardly know."""
        named = " ".join(sorted(mentioned(leaf) - self._listed - self._found))
        return self.search(named or f"list {leaf.label}") if named or is_opaque(leaf) else None

    def as_made(self, call: Call) -> Call:
        """`call` as it can be made: by the tool for it, where its own is not listed."""
        if self._caller is None or call.tool.name in self._listed or call.tool is self._search:
            return call
        return Call(self._caller, {"name": call.tool.name, "arguments": call.arguments})


def _wanted(entries: Sequence[Entry]) -> Iterator[Wanted]:
    """The searches that were made."""
    for entry in entries:
        if isinstance(entry, Answered):
            yield from (one for one in entry.wanted if one.name == SEARCH_TOOLS)


def _found(entries: Sequence[Entry]) -> Iterator[ModelTool]:
    results = [one for one in entries if isinstance(one, Returned) and one.name == SEARCH_TOOLS]
    for result in results[-_MOST_FOUND // _MOST_HITS :]:
        for one in _objects(data_of(result.text)):
            name, schema = as_text(one.get("name")), as_object(one.get("inputSchema"))
            if name and schema is not None:
                hints = as_object(one.get("annotations")) or {}
                yield ModelTool(
                    name,
                    as_text(one.get("description")),
                    schema,
                    as_text(one.get("title")),
                    risk="read" if hints.get("readOnlyHint") is True else "write",
                )


def _objects(text: str) -> Iterator[JsonObject]:
    """The tools of an answer, as far as it was not cut off."""
    at = text.find('{"tools":[')
    at = -1 if at < 0 else at + len('{"tools":[')
    while 0 <= at < len(text) and text[at] == "{":
        try:
            value, end = _read(text, at)
        except (JSONDecodeError, RecursionError):
            return
        yield as_object(value) or {}
        at = end + 1


def _learned(tools: dict[str, ModelTool], entries: Sequence[Entry]) -> list[ModelTool]:
    """`tools`, with the form of the last result where no output schema tells it."""
    wanted: dict[str, Wanted] = {}
    for entry in entries:
        if isinstance(entry, Returned):
            name, _ = called(entry.name, wanted.get(entry.id))
            tool = tools.get(name)
            if tool is not None and tool.output_schema is None and entry.structured is not None:
                tools[name] = replace(tool, output_schema=_schema_of(entry.structured, 0))
        elif isinstance(entry, Answered):
            wanted = {one.id: one for one in entry.wanted}
    return list(tools.values())


def _schema_of(value: object, depth: int) -> JsonObject:
    members, items = as_object(value), as_list(value)
    if depth >= _DEEPEST:
        return {"type": "null"}
    if members is not None:
        told = list(members.items())[:_MOST_MEMBERS]
        return {"type": "object", "properties": {k: _schema_of(v, depth + 1) for k, v in told}}
    if isinstance(value, list):
        return {"type": "array", "items": _schema_of(items[0], depth + 1) if items else {}}
    kinds: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return {"type": kinds.get(type(value), "null")}
