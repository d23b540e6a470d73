"""Schemas of tools as every provider takes them: one that is refused spoils all requests."""

import re
from typing import Any, Final, cast

from bascule.chat.parts import JsonObject

_KEYS: Final = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_CHOICES: Final = ("allOf", "anyOf", "oneOf")
_NOT_AT_THE_TOP: Final = frozenset({*_CHOICES, "not", "enum", "const", "if", "then", "else"})


def plain(schema: JsonObject) -> JsonObject:
    """`schema` as an object with properties at its top.

    Anthropic takes no `oneOf`, `anyOf` and `allOf` there, OpenAI no `not` and `enum` besides, and
    no array without `items` anywhere; names of properties are as `_KEYS`. What this leaves out is
    still checked when the tool is called.
    """
    properties = dict(_properties(schema))
    required = list(_required(schema))
    for choice in _CHOICES:
        for branch in _objects(schema.get(choice)):
            for name, value in _properties(branch).items():
                properties.setdefault(name, value)
            if choice == "allOf":
                required += [name for name in _required(branch) if name not in required]
    kept = {name: _itemised(one) for name, one in properties.items() if _KEYS.fullmatch(name)}
    rest = {name: value for name, value in schema.items() if name not in _NOT_AT_THE_TOP}
    shown: JsonObject = {**rest, "type": "object", "properties": kept}
    if required or "required" in rest:
        shown["required"] = [name for name in required if name in kept]
    return shown


def _itemised(value: Any) -> Any:
    if isinstance(value, list):
        return [_itemised(one) for one in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    shown = {name: _itemised(one) for name, one in cast("JsonObject", value).items()}
    kind = shown.get("type")
    is_array = kind == "array" or (isinstance(kind, list) and "array" in kind)
    if is_array and "items" not in shown and "prefixItems" not in shown:
        shown["items"] = {}
    return shown


def _properties(schema: JsonObject) -> JsonObject:
    found = schema.get("properties")
    return cast("JsonObject", found) if isinstance(found, dict) else {}


def _required(schema: JsonObject) -> list[str]:
    found = schema.get("required")
    names = cast("list[Any]", found) if isinstance(found, list) else []
    return [name for name in names if isinstance(name, str)]


def _objects(value: Any) -> list[JsonObject]:
    found = cast("list[Any]", value) if isinstance(value, list) else []
    return [cast("JsonObject", one) for one in found if isinstance(one, dict)]
