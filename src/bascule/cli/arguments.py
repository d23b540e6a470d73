"""`key=value` on the command line, turned into the arguments a tool's schema asks for."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from bascule.cli.failures import CommandFailed, Exit


def parse_arguments(
    pairs: Sequence[str], given_json: str | None, schema: Mapping[str, Any]
) -> dict[str, Any]:
    """Merge `--json` with `key=value` pairs; pairs win.

    A value takes the type its property has in `schema`; `key:=JSON` states it outright.

    Raises:
        CommandFailed: usage; says which argument and why.
    """
    arguments = _from_json(given_json)
    properties = cast("Mapping[str, Any]", schema.get("properties") or {})
    for pair in pairs:
        key, found, text = pair.partition("=")
        if not found or not key:
            raise _usage(f"{pair!r} is not key=value. Example: city=Pune, or limit:=5 for JSON.")
        if key.endswith(":"):
            arguments[key[:-1]] = _parse(key[:-1], text)
        else:
            arguments[key] = _typed(key, text, properties.get(key))
    return arguments


def _from_json(given: str | None) -> dict[str, Any]:
    if given is None:
        return {}
    value = _parse("--json", given)
    if not isinstance(value, dict):
        raise _usage('--json needs an object, such as \'{"city": "Pune"}\'.')
    return cast("dict[str, Any]", value)


def _typed(key: str, text: str, schema: object) -> object:
    kinds = _kinds(schema)
    if not kinds or "string" in kinds:
        return text
    return _parse(key, text)


def _kinds(schema: object) -> set[str]:
    """The JSON types a property admits; empty where the schema does not say."""
    if not isinstance(schema, Mapping):
        return set()
    known = cast("Mapping[str, Any]", schema)
    kind = known.get("type")
    if isinstance(kind, str):
        return {kind}
    if isinstance(kind, list):
        return {str(one) for one in cast("list[object]", kind)}
    branches = cast("list[object]", known.get("anyOf") or known.get("oneOf") or [])
    return {kind for branch in branches for kind in _kinds(branch)}


def _parse(key: str, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise _usage(f"{key}: {text!r} is not JSON ({error.msg}).") from None


def _usage(message: str) -> CommandFailed:
    return CommandFailed(message, Exit.USAGE)
