"""Documents against the official JSON Schemas of OpenAPI 2.0, 3.0, 3.1 and 3.2."""

from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final, NoReturn, TypeAlias

import jsonschema_rs
import msgspec

from bascule.catalogue.openapi.pointers import Pointer
from bascule.catalogue.openapi.shapes import JsonObject, as_list, as_object

MOST_VIOLATIONS: Final = 200
"""Violations reported of one document; the first ones."""

_MOST_ERRORS: Final = 2_000
# The validator lists all errors of a value at once, kilobytes each: what is larger than this is
# only said to be wrong.
_MOST_NODES: Final = 5_000
_LONGEST_MESSAGE: Final = 200
_DEEPEST: Final = 8
_LINEAR: Final = jsonschema_rs.RegexOptions()
# Maps whose members are looked at one by one, by the way to them.
_MAPS: Final = ("paths", "webhooks", "definitions", "parameters", "responses")
_HEADS: Final[dict[str, JsonObject]] = {
    version: {
        **({"swagger": "2.0"} if version == "2.0" else {"openapi": f"{version}.0"}),
        "info": {"title": "", "version": ""},
        "paths": {},
    }
    for version in ("2.0", "3.0", "3.1", "3.2")
}

_Error: TypeAlias = Any  # errors of the validator have kinds that come without type information


def list_violations(root: JsonObject, version: str) -> list[tuple[Pointer, str]]:
    """Where `root` departs from the schema of OpenAPI `version`, and how; not all if very many.

    What is replaced by a reference is not looked at: authors use `$ref` where the schemas do not
    foresee it, and what it leads to is what counts.
    """
    validator = _validator(version)
    if validator.is_valid(root):
        return []
    found: dict[tuple[Pointer, str], None] = {}
    for count, violation in enumerate(_violations(root, version, validator)):
        if count >= _MOST_ERRORS or len(found) >= MOST_VIOLATIONS:
            break
        if not _is_reference(root, violation[0]):
            found[violation] = None
    return list(found)


@cache
def _validator(version: str) -> jsonschema_rs.Validator:
    folder = resources.files("bascule.catalogue.openapi") / "metaschemas"
    schema = msgspec.json.decode((folder / f"openapi-{version}.json").read_bytes())
    return jsonschema_rs.validator_for(schema, retriever=_refuse, pattern_options=_LINEAR)


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"nothing is fetched: {uri}")


def _violations(
    root: JsonObject, version: str, validator: jsonschema_rs.Validator
) -> Iterator[tuple[Pointer, str]]:
    for place, part in _parts(root, _HEADS[version]):
        if validator.is_valid(part):
            continue
        if _size(part) > _MOST_NODES:
            yield place, "It does not fit the official schema, and is too large to say where"
            continue
        for error in validator.iter_errors(part):
            apt = _most_apt(error, _DEEPEST)
            yield tuple(str(token) for token in apt.instance_path), _worded(apt)


def _parts(root: JsonObject, head: JsonObject) -> Iterator[tuple[Pointer, JsonObject]]:
    """The document in pieces, each a document with one member of one map; and what is in none."""
    rest = dict(root)
    for name in _MAPS:
        for member, value in (as_object(root.get(name)) or {}).items():
            yield (name, member), {**head, name: {member: value}}
            rest[name] = {}
    components = as_object(root.get("components")) or {}
    for name, section in components.items():
        for member, value in (as_object(section) or {}).items():
            yield ("components", name, member), {**head, "components": {name: {member: value}}}
    if components:
        rest["components"] = {
            name: part if as_object(part) is None else {} for name, part in components.items()
        }
    yield (), rest


def _size(value: object) -> int:
    """How many values `value` holds, counted no further than needed."""
    count, pending = 0, [value]
    while pending and count <= _MOST_NODES:
        part = pending.pop()
        below = list((as_object(part) or {}).values()) or as_list(part) or []
        count += len(below)
        pending += below[:_MOST_NODES]
    return count


def _most_apt(error: _Error, depth: int) -> _Error:
    """Of the branches of a `oneOf` or `anyOf` that all failed, the error that got furthest."""
    branches: Sequence[Sequence[_Error]] = getattr(error.kind, "context", ())
    meant = [one for one in branches if one and not any(map(_asks_for_reference, one))]
    if not meant or depth == 0:
        return error
    reached = [max(branch, key=_reach) for branch in meant]
    best = max(reached, key=_reach)
    rivals = {one.message for one in reached if _reach(one) == _reach(best)}
    # Several ways to go wrong at the same place: none of them is the one that was meant.
    return error if len(rivals) > 1 else _most_apt(best, depth - 1)


def _reach(error: _Error) -> int:
    return len(error.instance_path)


def _asks_for_reference(error: _Error) -> bool:
    return getattr(error.kind, "property", None) == "$ref"


def _is_reference(root: object, path: Sequence[str]) -> bool:
    """Does the way lead to or through an object with `$ref`?"""
    value = root
    for token in path:
        members = as_object(value)
        if members is not None:
            if "$ref" in members:
                return True
            value = members.get(token)
        else:
            items = as_list(value) or []
            value = items[int(token)] if token.isdecimal() and int(token) < len(items) else None
    return "$ref" in (as_object(value) or {})


def _worded(error: _Error) -> str:
    message = str(error.message).replace("listed in the 'oneOf' keyword", "that are allowed here")
    message = message.replace("listed in the 'anyOf' keyword", "that are allowed here")
    if len(message) > _LONGEST_MESSAGE:
        message = f"{message[:60]} … {message[-120:]}"
    return message
