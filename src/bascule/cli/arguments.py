"""`key=value` on the command line, turned into the arguments a tool's schema asks for."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn, cast

from bascule.cli.failures import CommandFailed, Exit

_DEFINITIONS: Final = "#/$defs/"
_DEEPEST: Final = 8
"""How far references and alternatives are followed for a type; beyond, a value is a text."""
_KINDS: Final[Mapping[type, str]] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}
_EXAMPLES: Final = {"array": '{key}:=["a", "b"]', "object": '{key}:={{"a": 1}}'}

_Schema = Mapping[str, Any]


def parse_arguments(
    pairs: Sequence[str], given_json: str | None, schema: _Schema
) -> dict[str, Any]:
    """Merge `--json` with `key=value` pairs; pairs win, and none is given twice.

    A value takes the type its property has in `schema`; `key:=JSON` states it outright.

    Raises:
        CommandFailed: usage; says which argument and why.
    """
    arguments = _from_json(given_json)
    properties = cast("Mapping[str, Any]", schema.get("properties") or {})
    given: set[str] = set()
    for pair in pairs:
        key, found, text = pair.partition("=")
        name = key.removesuffix(":")
        if not found or not name:
            raise _usage(f"{pair!r} is not key=value. Example: city=Pune, or limit:=5 for JSON.")
        if not _encodable(pair):
            raise _usage(f"{name!r} is not valid UTF-8.")
        if name in given:
            raise _usage(f"{name} is given twice. A list is written as {name}:=[1, 2].")
        given.add(name)
        if key.endswith(":"):
            arguments[name] = _parse(name, text)
        else:
            arguments[name] = _typed(name, text, _kinds(properties.get(name), schema))
    return arguments


def parse_value(name: str, text: str) -> Any:
    """Decode one JSON text; `name` says in a failure which it was.

    Raises:
        CommandFailed: usage; it is not JSON.
    """
    return _parse(name, text)


def _from_json(given: str | None) -> dict[str, Any]:
    if given is None:
        return {}
    if not _encodable(given):
        raise _usage("--json is not valid UTF-8.")
    value = _parse("--json", given)
    if not isinstance(value, dict):
        raise _usage('--json needs an object, such as \'{"city": "Pune"}\'.')
    return cast("dict[str, Any]", value)


def _typed(key: str, text: str, kinds: set[str]) -> object:
    if not kinds or "string" in kinds:
        return text
    try:
        return _loads(text)
    except ValueError:
        wanted = " or ".join(sorted(kinds))
        examples = [example.format(key=key) for kind, example in _EXAMPLES.items() if kind in kinds]
        hint = f" Write it as JSON: {examples[0]}" if examples else ""
        raise _usage(f"{key} takes {wanted}, which {text!r} is not.{hint}") from None


def _kinds(schema: object, root: _Schema, depth: int = 0) -> set[str]:
    """The JSON types a property admits; empty where the schema does not say."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return set()
    known = cast("_Schema", schema)
    kind = known.get("type")
    if isinstance(kind, str):
        return {kind}
    if isinstance(kind, list):
        return {str(one) for one in cast("list[object]", kind)}
    if "$ref" in known:
        name = str(known["$ref"]).removeprefix(_DEFINITIONS)
        definitions = cast("Mapping[str, Any]", root.get("$defs") or {})
        return _kinds(definitions.get(name), root, depth + 1)
    if "enum" in known or "const" in known:
        values = cast("list[object]", known.get("enum") or [known.get("const")])
        return {_KINDS.get(type(value), "string") for value in values}
    branches = [
        branch
        for keyword in ("anyOf", "oneOf", "allOf")
        for branch in cast("list[object]", known.get(keyword) or [])
    ]
    return {kind for branch in branches for kind in _kinds(branch, root, depth + 1)}


def _parse(key: str, text: str) -> Any:
    try:
        return _loads(text)
    except ValueError as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise _usage(f"{key}: {text!r} is not JSON ({reason}).") from None


def _loads(text: str) -> Any:
    """Decode strictly: what comes out can be sent.

    Raises:
        ValueError: not JSON, or a number or depth that no receiver takes.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair is no character") from None
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large a number")
    return number


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _usage(message: str) -> CommandFailed:
    return CommandFailed(message, Exit.USAGE)
