"""One level of an OpenAPI 3.0 schema in the words of JSON Schema 2020-12. Pure.

Written for 3.0 and applied to 3.1 as well: there the old words have no meaning, yet authors
carry them over, and mean what they meant.
"""

from typing import Final

from bascule.catalogue.openapi.shapes import JsonObject, as_list, as_number

_COMBINATORS: Final = ("$ref", "allOf", "anyOf", "oneOf")
_ANNOTATIONS: Final = frozenset(
    {"title", "description", "deprecated", "default", "examples", "readOnly", "writeOnly"}
)


_NULLABLE: Final = ("nullable", "x-nullable")
"""The second is how authors of Swagger 2.0 said the first."""
_OLD_WORDS: Final = frozenset(
    {"example", "exclusiveMinimum", "exclusiveMaximum", "nullable", "x-nullable"}
)


def modernise(schema: JsonObject) -> JsonObject:
    """`schema` without `example`, boolean exclusive bounds and `nullable`; a copy if changed."""
    if _OLD_WORDS.isdisjoint(schema):
        return schema
    schema = _with_examples(schema)
    schema = _with_exclusive_bounds(schema)
    return _with_null(schema)


def annotations_of(schema: JsonObject) -> JsonObject:
    """The members that describe and do not constrain."""
    return {key: value for key, value in schema.items() if key in _ANNOTATIONS}


def _with_examples(schema: JsonObject) -> JsonObject:
    if "example" not in schema:
        return schema
    changed = {key: value for key, value in schema.items() if key != "example"}
    changed.setdefault("examples", [schema["example"]])
    return changed


def _with_exclusive_bounds(schema: JsonObject) -> JsonObject:
    changed = schema
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        flag = schema.get(exclusive)
        if not isinstance(flag, bool):
            continue
        changed = {key: value for key, value in changed.items() if key != exclusive}
        number = as_number(changed.get(bound))
        if flag and number is not None:
            changed[exclusive] = number
            del changed[bound]
    return changed


def _with_null(schema: JsonObject) -> JsonObject:
    if schema.get("nullable", schema.get("x-nullable")) is not True:
        return schema
    bare = {key: value for key, value in schema.items() if key not in _NULLABLE}
    if any(word in bare for word in _COMBINATORS):
        # A part that demands its own type would refuse null, so null stands beside it.
        inner = {key: value for key, value in bare.items() if key not in _ANNOTATIONS}
        return {**annotations_of(bare), "anyOf": [inner, {"type": "null"}]}
    kinds = as_list(bare.get("type")) or ([bare["type"]] if "type" in bare else [])
    if kinds and "null" not in kinds:
        bare["type"] = [*kinds, "null"]
    choices = as_list(bare.get("enum"))
    if choices and None not in choices:
        bare["enum"] = [*choices, None]
    return bare
