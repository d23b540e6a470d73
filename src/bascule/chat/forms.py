"""Forms that servers ask people to fill in, and what may be answered.

Source: specification 2025-11-25, client/elicitation: a flat object whose members are strings,
numbers, booleans, and choices of one or several. What goes beyond that is no form.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Final, cast
from urllib.parse import urlsplit

from bascule.chat.parts import JsonObject

_SCALARS: Final = frozenset({"string", "number", "integer", "boolean"})
_SECRET_WORDS: Final = frozenset(
    {"password", "passwd", "pwd", "passphrase", "passcode", "secret", "token", "otp", "credential",
     "credentials", "cvv", "cvc", "apikey", "secrets", "tokens", "passwords"}
)  # fmt: skip
_SECRET_PAIRS: Final = frozenset(
    {("api", "key"), ("access", "key"), ("private", "key"), ("secret", "key"), ("pass", "word"),
     ("pass", "phrase"), ("card", "number"), ("security", "code"), ("auth", "key")}
)  # fmt: skip
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@]+")
_LONGEST_TEXT: Final = 16_000
_MOST_MEMBERS: Final = 64


def members_of(schema: JsonObject | None) -> dict[str, JsonObject] | None:
    """The fields of a form by name; None where `schema` is not one."""
    if schema is None or schema.get("type") != "object":
        return None
    properties = schema.get("properties", {})
    if not isinstance(properties, dict) or len(cast(JsonObject, properties)) > _MOST_MEMBERS:
        return None
    fields = cast(JsonObject, properties)
    if not all(_is_field(field) for field in fields.values()):
        return None
    return cast(dict[str, JsonObject], fields)


def _is_field(field: object) -> bool:
    if not isinstance(field, dict):
        return False
    kind = cast(JsonObject, field).get("type")
    if kind == "array":
        return _choices(cast(JsonObject, field).get("items")) is not None
    return isinstance(kind, str) and kind in _SCALARS


def asks_for_secret(fields: Mapping[str, JsonObject]) -> str | None:
    """The name of the first field that wants a secret, by its format, name or title."""
    for name, field in fields.items():
        is_hidden = field.get("format") == "password" or field.get("writeOnly") is True
        if is_hidden or _is_secret(name) or _is_secret(str(field.get("title", ""))):
            return name
    return None


def _is_secret(name: str) -> bool:
    words = [word.lower() for word in _WORDS.findall(name)]
    pairs = set(pairwise(words))
    return not _SECRET_WORDS.isdisjoint(words) or not _SECRET_PAIRS.isdisjoint(pairs)


def misfit(fields: Mapping[str, JsonObject], required: object, content: JsonObject) -> str | None:
    """What is wrong with `content` as an answer to a form; None where nothing is."""
    for name in cast(list[object], required) if isinstance(required, list) else ():
        if isinstance(name, str) and name not in content:
            return f"“{name}” is missing."
    for name, value in content.items():
        if name not in fields:
            return f"“{name}” was not asked for."
        wrong = _wrong(fields[name], value)
        if wrong is not None:
            return f"“{name}” {wrong}."
    return None


def _wrong(field: JsonObject, value: object) -> str | None:
    match field.get("type"):
        case "boolean":
            return None if isinstance(value, bool) else "has to be true or false"
        case "number" | "integer":
            return _wrong_number(field, value)
        case "array":
            return _wrong_choices(field, value)
        case _:
            return _wrong_text(field, value)


def _wrong_number(field: JsonObject, value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "has to be a number"
    if not math.isfinite(value):
        return "has to be a finite number"
    if field["type"] == "integer" and value != int(value):
        return "has to be a whole number"
    least, most = _number(field, "minimum"), _number(field, "maximum")
    if least is not None and value < least:
        return f"has to be at least {least:g}"
    if most is not None and value > most:
        return f"has to be at most {most:g}"
    return None


def _wrong_text(field: JsonObject, value: object) -> str | None:
    if not isinstance(value, str):
        return "has to be text"
    choices = _choices(field)
    if choices is not None:
        return None if value in choices else f"has to be one of: {', '.join(choices)}"
    least, most = _number(field, "minLength") or 0, _number(field, "maxLength")
    most = _LONGEST_TEXT if most is None else min(most, _LONGEST_TEXT)
    if len(value) < least:
        return f"needs at least {least:g} characters"
    if len(value) > most:
        return f"can have at most {most:g} characters"
    return _wrong_format(str(field.get("format", "")), value)


def _wrong_choices(field: JsonObject, value: object) -> str | None:
    choices = _choices(field.get("items")) or []
    if not isinstance(value, list):
        return "has to be a list"
    picked = cast(list[object], value)
    if not all(one in choices for one in picked) or len(picked) > len(choices):
        return f"can hold only: {', '.join(choices)}"
    least, most = _number(field, "minItems"), _number(field, "maxItems")
    if least is not None and len(picked) < least:
        return f"needs at least {least:g} of its choices"
    if most is not None and len(picked) > most:
        return f"can have at most {most:g} of its choices"
    return None


def _wrong_format(kind: str, value: str) -> str | None:
    match kind:
        case "email":
            return None if _EMAIL.fullmatch(value) else "has to be an e-mail address"
        case "uri":
            return None if _is_uri(value) else "has to be a URI"
        case "date":
            return None if _is_date(value) else "has to be a date, such as 2026-01-31"
        case "date-time":
            return None if _is_time(value) else "has to be a time, such as 2026-01-31T09:00:00Z"
        case _:
            return None


def _is_uri(value: str) -> bool:
    try:
        return bool(urlsplit(value).scheme) and not re.search(r"\s", value)
    except ValueError:
        return False


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_time(value: str) -> bool:
    """RFC 3339: with an offset."""
    try:
        return datetime.fromisoformat(value).tzinfo is not None and value[10] in "Tt"
    except (ValueError, IndexError):
        return False


def _choices(schema: object) -> list[str] | None:
    """The values of an enumeration, plain or with titles; None where it is none."""
    if not isinstance(schema, dict):
        return None
    field = cast(JsonObject, schema)
    values = field.get("enum")
    if values is None:
        titled = field.get("oneOf", field.get("anyOf"))
        if not isinstance(titled, list):
            return None
        options = cast(Sequence[object], titled)
        values = [cast(JsonObject, one).get("const") for one in options if isinstance(one, dict)]
    if not isinstance(values, list):
        return None
    return [one for one in cast(list[object], values) if isinstance(one, str)]


def _number(field: JsonObject, name: str) -> float | None:
    value = field.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value
