"""Does a default or an example fit the schema it stands in? Told without compiling anything."""

import json
import operator
import re
from typing import Final, cast

from bascule.catalogue.openapi.shapes import JsonObject, as_list, as_number, as_object

_SHOWN: Final = 60
_KINDS: Final[dict[type, tuple[str, ...]]] = {
    type(None): ("null",), bool: ("boolean",), int: ("integer", "number"), float: ("number",),
    str: ("string",), list: ("array",), dict: ("object",),
}  # fmt: skip
_BOUNDS: Final = (
    ("minimum", "less than", operator.lt),
    ("exclusiveMinimum", "not more than", operator.le),
    ("maximum", "more than", operator.gt),
    ("exclusiveMaximum", "not less than", operator.ge),
)
_BINARY: Final = frozenset({"binary", "byte", "base64"})


def misfit(value: object, schema: JsonObject) -> str:
    """Why `value` does not fit `schema`; "" where it does, as far as this level tells."""
    if "type" in schema and not _is_of(value, schema["type"]):
        return f"{_shown(value)} is not of the type {_listed(schema['type'])}"
    choices = as_list(schema.get("enum"))
    if choices and value not in choices:
        return f"{_shown(value)} is not one of its values"
    if "const" in schema and value != schema["const"]:
        return f"{_shown(value)} is not the only value it may be"
    if isinstance(value, str):
        return _misfit_text(value, schema)
    if isinstance(value, dict):
        return _misfit_members(cast("JsonObject", value), schema)
    number = as_number(value)
    return _misfit_number(number, schema) if number is not None else ""


def drop_misfits(schema: JsonObject) -> list[str]:
    """Take a default and examples that do not fit out of `schema`; what to say of each."""
    said: list[str] = []
    if "default" in schema:
        reason = misfit(schema["default"], schema)
        if reason:
            del schema["default"]
            said.append(f"The default is left out: {reason}.")
    listed = as_list(schema.get("examples"))
    if listed:
        reasons = [misfit(one, schema) for one in listed]
        fitting = [one for one, reason in zip(listed, reasons, strict=True) if not reason]
        said += [f"An example is left out: {reason}." for reason in reasons if reason][:1]
        schema["examples"] = fitting
        if not fitting:
            del schema["examples"]
    return said


def _is_of(value: object, kinds: object) -> bool:
    allowed = [kinds] if isinstance(kinds, str) else as_list(kinds) or []
    own = _KINDS.get(type(value), ())
    if isinstance(value, float) and value.is_integer():
        own = ("integer", "number")
    return any(kind in allowed for kind in own)


def _misfit_text(value: str, schema: JsonObject) -> str:
    shortest, longest = as_number(schema.get("minLength")), as_number(schema.get("maxLength"))
    if shortest is not None and len(value) < shortest:
        return f"{_shown(value)} is shorter than {shortest:g} characters"
    if longest is not None and len(value) > longest and schema.get("format") not in _BINARY:
        return f"{_shown(value)} is longer than {longest:g} characters"
    return ""


def _misfit_number(value: float, schema: JsonObject) -> str:
    for keyword, words, is_beyond in _BOUNDS:
        bound = as_number(schema.get(keyword))
        if bound is not None and is_beyond(value, bound):
            return f"{_shown(value)} is {words} {bound:g}"
    return ""


def _misfit_members(value: JsonObject, schema: JsonObject) -> str:
    for name in as_list(schema.get("required")) or ():
        if name not in value:
            return f"{str(name)[:_SHOWN]!r} is missing"
    properties = as_object(schema.get("properties")) or {}
    for name, member in value.items():
        described = as_object(properties.get(name))
        reason = misfit(member, described) if described else ""
        if reason:
            return f"at {name[:_SHOWN]!r}, {reason}"
    return ""


def _shown(value: object) -> str:
    text = re.sub(r"\s+", " ", json.dumps(value, ensure_ascii=False, default=str))
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "\u2026")


def _listed(kinds: object) -> str:
    return " or ".join(str(kind) for kind in as_list(kinds) or [kinds])
