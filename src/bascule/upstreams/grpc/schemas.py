"""Messages as JSON Schema, as ProtoJSON writes them (protobuf.dev/programming-guides/json)."""

from typing import Any, Final

_INTEGERS: Final = {
    5: (-(2**31), 2**31 - 1), 15: (-(2**31), 2**31 - 1), 17: (-(2**31), 2**31 - 1),
    13: (0, 2**32 - 1), 7: (0, 2**32 - 1),
}  # fmt: skip
_LONG: Final = frozenset({3, 4, 6, 16, 18})  # 64 bits: texts, as JSON numbers lose digits
_FLOATS: Final = frozenset({1, 2})
_BOOL, _STRING, _GROUP, _MESSAGE, _BYTES, _ENUM = 8, 9, 10, 11, 12, 14
_MOST_CHOICES: Final = 200

_NUMBER: Final[dict[str, Any]] = {
    "anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]
}
_LONG_SCHEMA: Final[dict[str, Any]] = {
    "type": ["string", "integer"],
    "pattern": "^-?[0-9]{1,20}$",
    "description": "A whole number of 64 bits; write large ones as a text.",
}
_BASE64: Final[dict[str, Any]] = {"type": "string", "contentEncoding": "base64"}
_WELL_KNOWN: Final[dict[str, dict[str, Any]]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "description": "Seconds, such as 1.5s."},
    "google.protobuf.FieldMask": {"type": "string", "description": "Field names, with commas."},
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.Value": {},
    "google.protobuf.ListValue": {"type": "array"},
    "google.protobuf.Empty": {"type": "object", "additionalProperties": False},
    "google.protobuf.Any": {
        "type": "object",
        "properties": {"@type": {"type": "string"}},
        "required": ["@type"],
    },
    "google.protobuf.BoolValue": {"type": ["boolean", "null"]},
    "google.protobuf.StringValue": {"type": ["string", "null"]},
    "google.protobuf.BytesValue": {"type": ["string", "null"], "contentEncoding": "base64"},
    "google.protobuf.DoubleValue": {"type": ["number", "string", "null"]},
    "google.protobuf.FloatValue": {"type": ["number", "string", "null"]},
    "google.protobuf.Int32Value": {"type": ["integer", "null"]},
    "google.protobuf.UInt32Value": {"type": ["integer", "null"], "minimum": 0},
    "google.protobuf.Int64Value": {"type": ["string", "integer", "null"]},
    "google.protobuf.UInt64Value": {"type": ["string", "integer", "null"]},
}


class MessageSchemas:
    """Schemas of the messages of one method; what refers to itself goes to `$defs`."""

    def __init__(self, *, is_input: bool) -> None:
        """An input is closed: a field that does not exist is refused before it is sent."""
        self._is_input = is_input
        self._definitions: dict[str, dict[str, Any]] = {}
        self._names: dict[str, str] = {}
        self._pending: list[tuple[str, Any]] = []

    def schema_of(self, message: Any) -> dict[str, Any]:
        """The schema of a message descriptor, self-contained."""
        schema = _WELL_KNOWN.get(message.full_name)
        if schema is not None:
            # Arguments are an object; a bare value has nowhere to go.
            return dict(schema) if schema.get("type") == "object" else {"type": "object"}
        schema = self._object(message)
        while self._pending:  # not by recursion: messages may nest as deep as they like
            name, pending = self._pending.pop()
            self._definitions[name] = self._object(pending)
        if self._definitions:
            schema["$defs"] = dict(sorted(self._definitions.items()))
        return schema

    def _object(self, message: Any) -> dict[str, Any]:
        properties = {field.json_name: self._field(field) for field in message.fields}
        schema: dict[str, Any] = {"type": "object", "properties": properties}
        required = [field.json_name for field in message.fields if _is_required(field)]
        if required:
            schema["required"] = required
        if self._is_input:
            schema["additionalProperties"] = False
        choices = [_choice(oneof) for oneof in message.oneofs if len(oneof.fields) > 1]
        if choices:
            schema["description"] = " ".join(choices)
        return schema

    def _field(self, field: Any) -> dict[str, Any]:
        if _is_map(field):
            return {
                "type": "object",
                "additionalProperties": self._single(field.message_type.fields_by_name["value"]),
            }
        single = self._single(field)
        return {"type": "array", "items": single} if field.is_repeated else single

    def _single(self, field: Any) -> dict[str, Any]:
        kind = field.type
        if kind in (_MESSAGE, _GROUP):
            return self._reference(field.message_type)
        if kind == _ENUM:
            return _enum(field.enum_type)
        return _scalar(kind)

    def _reference(self, message: Any) -> dict[str, Any]:
        known = _WELL_KNOWN.get(message.full_name)
        if known is not None:
            return dict(known)
        name = self._names.get(message.full_name)
        if name is None:
            name = self._names[message.full_name] = self._name(message)
            self._pending.append((name, message))
        return {"$ref": f"#/$defs/{name}"}

    def _name(self, message: Any) -> str:
        taken = set(self._names.values())
        return message.name if message.name not in taken else message.full_name


def _scalar(kind: int) -> dict[str, Any]:
    if kind in _INTEGERS:
        least, most = _INTEGERS[kind]
        return {"type": "integer", "minimum": least, "maximum": most}
    if kind in _LONG:
        return dict(_LONG_SCHEMA)
    if kind in _FLOATS:
        return dict(_NUMBER)
    return dict({_BOOL: {"type": "boolean"}, _BYTES: _BASE64}.get(kind, {"type": "string"}))


def _is_required(field: Any) -> bool:
    return bool(getattr(field, "is_required", False))


def _is_map(field: Any) -> bool:
    return bool(
        field.type == _MESSAGE and field.is_repeated and field.message_type.GetOptions().map_entry
    )


def _enum(enum: Any) -> dict[str, Any]:
    if enum.full_name == "google.protobuf.NullValue":
        return {"type": "null"}
    names = [value.name for value in enum.values]
    return {"enum": names} if len(names) <= _MOST_CHOICES else {"type": "string"}


def _choice(oneof: Any) -> str:
    return f"Give at most one of {', '.join(field.json_name for field in oneof.fields)}."
