"""Schemas taken apart: one level of them, with less in the place of what lies deeper.

Whatever is made here accepts at least what its original accepts. So a part that refuses more the
more its own parts accept (`not`, `if`, `oneOf`, a count of `contains`) is written in a way that
does not, or left out.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from bascule.catalogue.openapi import keywords
from bascule.catalogue.openapi.shapes import JsonObject, as_list, as_object
from bascule.catalogue.openapi.wording import shorten

encode = msgspec.json.Encoder().encode

_SMALL_BYTES: Final = 256
_SMALL_ENUM_BYTES: Final = 1024
_STUB_WORDS: Final = 80
_SAYS_NO_MORE: Final = frozenset(
    {"type", "title", "description", "examples", "default", "deprecated"}
)
_CONDITIONS: Final = ("if", "then", "else")
_COUNTS: Final = ("minContains", "maxContains")
_KEPT_WHOLE: Final = frozenset({"not", "contains", "propertyNames"})
_NAMED: Final = frozenset({"properties", "patternProperties"})
_LISTED: Final = frozenset({"allOf", "anyOf", "prefixItems"})
_SINGLE: Final = frozenset({"items", "additionalProperties"})


class Way(NamedTuple):
    """How far in a place is: `optional` counts the properties on the way to it that a caller may
    leave out, `depth` all.
    """

    optional: int = 0
    depth: int = 0


_TOP: Final = Way()


class Site(NamedTuple):
    """A place that holds a stub, `holder[key]`, and the `schema` that could stand there."""

    way: Way
    holder: dict[str, object] | list[object]
    key: str | int
    schema: JsonObject

    @property
    def standing(self) -> object:
        """What stands there now."""
        return (
            self.holder[int(self.key)]
            if isinstance(self.holder, list)
            else (self.holder[str(self.key)])
        )

    def put(self, schema: JsonObject) -> None:
        """Let `schema` stand there."""
        _set(self.holder, self.key, schema)


@dataclass(slots=True)
class Level:
    """One level of a schema, with the places where it may go on, and the definitions it needs."""

    schema: JsonObject
    sites: list[Site] = field(default_factory=list[Site])
    refs: list[tuple[str, Way]] = field(default_factory=list[tuple[str, Way]])


def size_of(value: object) -> int:
    """Bytes of `value` as JSON."""
    return len(encode(value))


def stub(schema: JsonObject, words: int = _STUB_WORDS) -> JsonObject:
    """The least that can stand for `schema`: its type, and a description that says so.

    `words` is how many characters of the description are kept; with 0 there is none.
    """
    least: JsonObject = {"type": schema["type"]} if "type" in schema else {}
    if words:
        described = schema.get("description") or schema.get("title")
        said = [shorten(described, words)] if isinstance(described, str) and described else []
        if not schema.keys() <= _SAYS_NO_MORE:
            said.append(f"(Shortened here: {_accepted(least)} is accepted.)")
        if said:
            least["description"] = " ".join(said)
    return least


def stand_in(schema: JsonObject, words: int) -> JsonObject:
    """What stands for a definition at first: all of it where that is small, or its stub."""
    return brief(schema, words) if _is_self_contained(schema) else stub(schema, words)


def _accepted(least: JsonObject) -> str:
    kind = least.get("type")
    return f"any {kind}" if isinstance(kind, str) and kind != "null" else "any value"


def take_apart(
    schema: JsonObject, words: int, way: Way = _TOP, stub_words: int = _STUB_WORDS
) -> Level:
    """One level of `schema`, its descriptions cut to `words` characters.

    What is small below it comes along; the rest is a stub and a site.
    """
    return _Cut(words, stub_words).apart(schema, way)


@dataclass(frozen=True, slots=True)
class _Cut:
    words: int
    stub_words: int

    def apart(self, schema: JsonObject, way: Way) -> Level:
        level = Level({})
        inward = Way(way.optional, way.depth + 1)
        aside = Way(way.optional + 1, way.depth + 1)
        required = set(as_list(schema.get("required")) or ())
        for keyword, value in schema.items():
            if keyword in _NAMED:
                members: JsonObject = {}
                for name, child in (as_object(value) or {}).items():
                    is_needed = keyword == "properties" and name in required
                    self._put(level, members, name, child, inward if is_needed else aside)
                level.schema[keyword] = members
            elif keyword in _LISTED or keyword == "oneOf":
                self._put_list(level, schema, keyword, inward)
            elif keyword in _SINGLE:
                is_items = keyword == "items"
                self._put(level, level.schema, keyword, value, inward if is_items else aside)
            elif keyword == "$ref" and isinstance(value, str):
                level.schema[keyword] = value
                level.refs.append((value.removeprefix("#/$defs/"), way))
            else:
                self._put_plain(level.schema, schema, keyword, value)
        _mention_choices(level.schema, as_list(schema.get("enum")))
        return level

    def _put_list(
        self, level: Level, schema: JsonObject, keyword: str, way: Way
    ) -> None:  # fmt: skip
        """Exactly one of several that accept more may become two of them: any then counts."""
        written = "anyOf" if keyword == "oneOf" else keyword
        parts: list[object] = []
        for index, child in enumerate(as_list(schema[keyword]) or ()):
            parts.append(True)
            self._put(level, parts, index, child, way)
        if keyword == "oneOf" and "anyOf" in schema:
            if "allOf" not in schema:
                level.schema["allOf"] = [{"anyOf": parts}]
        else:
            level.schema[written] = parts

    def _put(
        self, level: Level, holder: dict[str, object] | list[object], key: str | int, child: object,
        way: Way,
    ) -> None:  # fmt: skip
        part = as_object(child)
        if part is None:
            _set(holder, key, child)
            return
        text = encode(part)
        if len(text) > _SMALL_BYTES:
            _set(holder, key, stub(part, self.stub_words))
            level.sites.append(Site(way, holder, key, part))
        elif self.words and b'"$ref"' not in text:
            _set(holder, key, part)  # nothing in it is ever shortened
        else:
            inner = self.apart(part, way)
            _set(holder, key, inner.schema)
            level.refs += inner.refs
            level.sites += inner.sites

    def _put_plain(self, into: JsonObject, schema: JsonObject, keyword: str, value: object) -> None:
        if keyword == "description" and isinstance(value, str):
            if self.words:
                into[keyword] = shorten(value, self.words)
        elif keyword in _CONDITIONS:
            if all(_is_self_contained(schema.get(one)) for one in _CONDITIONS):
                into[keyword] = value
        elif keyword in _COUNTS or keyword in _KEPT_WHOLE:
            whole = schema.get("contains") if keyword in _COUNTS else value
            if _is_self_contained(whole):
                into[keyword] = value
        elif keyword in ("enum", "const", "default"):
            if size_of(value) <= _SMALL_ENUM_BYTES:
                into[keyword] = value
        elif keyword in keywords.PLAIN and keyword != "examples":
            into[keyword] = value  # and not `unevaluatedProperties`: less is evaluated now


def _mention_choices(level: JsonObject, choices: list[object] | None) -> None:
    """Where a long `enum` was left out, say what it was like."""
    if choices and "enum" not in level:
        some = ", ".join(encode(one).decode() for one in choices[:3])
        said = f"One of {len(choices)} values such as {shorten(some, _STUB_WORDS)}"
        level["description"] = f"{level.get('description', '')} ({said})".strip()


def _set(holder: dict[str, object] | list[object], key: str | int, value: object) -> None:
    if isinstance(holder, dict):
        holder[str(key)] = value
    else:
        holder[int(key)] = value


def _is_self_contained(schema: object) -> bool:
    """May it stay as it is? Small, and nothing in it refers to what may be shortened."""
    text = encode(schema)
    return len(text) <= _SMALL_BYTES and b'"$ref"' not in text


def brief(schema: JsonObject, words: int) -> JsonObject:
    """`schema` without examples, its descriptions cut to `words` characters; none with 0."""
    shorter: JsonObject = {}
    for keyword, value in schema.items():
        if keyword == "examples":
            continue
        if keyword == "description" and isinstance(value, str):
            if words:
                shorter[keyword] = shorten(value, words)
        elif keyword in keywords.SCHEMA:
            shorter[keyword] = _brief_part(value, words)
        elif keyword in keywords.SCHEMA_LIST:
            shorter[keyword] = [_brief_part(part, words) for part in as_list(value) or ()]
        elif keyword in keywords.SCHEMA_MAP:
            members = as_object(value) or {}
            shorter[keyword] = {name: _brief_part(part, words) for name, part in members.items()}
        else:
            shorter[keyword] = value
    return shorter


def _brief_part(part: object, words: int) -> object:
    members = as_object(part)
    return part if members is None else brief(members, words)
