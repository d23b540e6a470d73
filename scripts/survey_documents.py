"""Convert API descriptions and hold every tool to its promises: `survey_documents.py FILE ...`.

For each document: operations and tools, seconds and memory, the largest schemas, whether all
schemas compile, whether arguments made up from each input schema are accepted by it, and the
warnings by kind. Exit status 1 where a promise is broken.
"""

import re
import resource
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from bascule.catalogue.openapi import Conversion, ToolDraft, convert, read_upload
from bascule.catalogue.openapi.limits import STANDARD
from bascule.catalogue.openapi.validators import compile_schema

_PARTICULARS = re.compile(r"'[^']*'|\"[^\"]*\"|\d[\d,.]*")
_DEEPEST = 12


class _NoSample(Exception):
    """Nothing simple is sure to fit, for instance a pattern."""


def sample(schema: Any, definitions: Mapping[str, Any], depth: int = 0) -> Any:
    """The least value that should fit `schema`."""
    if depth > _DEEPEST or schema is False:
        raise _NoSample
    if schema is True:
        return "x"
    if "$ref" in schema and not {"properties", "required"} & schema.keys():
        return sample(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions, depth + 1)
    given = [schema[keyword] for keyword in ("const", "default") if keyword in schema]
    given += [one for keyword in ("enum", "examples") for one in schema.get(keyword, ())[:1]]
    if given:
        return given[0]
    if {"pattern", "allOf", "not", "if", "contains", "$ref"} & schema.keys():
        raise _NoSample
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema and "properties" not in schema:
            return sample(schema[keyword][0], definitions, depth + 1)
    return _of_type(schema, definitions, depth)


def _of_type(schema: Any, definitions: Mapping[str, Any], depth: int) -> Any:
    kinds = schema.get("type", "object" if "properties" in schema else "string")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "object":
        return _object(schema, definitions, depth)
    if kind == "array":
        count = schema.get("minItems", 0)
        return [sample(schema.get("items", True), definitions, depth + 1) for _ in range(count)]
    if kind == "string":
        return "x" * max(1, schema.get("minLength", 1))
    if kind in ("integer", "number"):
        least = schema.get("exclusiveMinimum", -1) + 1
        return max(least, schema.get("minimum", least)) if "minimum" in schema else max(least, 0)
    return {"boolean": True, "null": None}[kind]


def _object(schema: Any, definitions: Mapping[str, Any], depth: int) -> Any:
    branches = [schema[keyword][0] for keyword in ("anyOf", "oneOf") if keyword in schema]
    if any("$ref" in one for one in branches):
        raise _NoSample
    properties = dict(schema.get("properties", {}))
    for one in branches:
        properties |= one.get("properties", {})
    return {
        name: sample(properties.get(name, True), definitions, depth + 1)
        for part in (schema, *branches)
        for name in part.get("required", ())
    }


def broken_promises(tool: ToolDraft) -> list[str]:
    """What is wrong with one tool."""
    try:
        validator = compile_schema(tool.input_schema)
        if tool.output_schema is not None:
            compile_schema(tool.output_schema)
    except ValueError as error:
        return [f"{tool.name}: {error}"]
    wrong = [f"{tool.name}: an example is refused" for one in tool.examples
             if not validator.is_valid(one)]  # fmt: skip
    try:
        definitions: Any = tool.input_schema.get("$defs", {})
        made = sample(tool.input_schema, definitions)
    except _NoSample:
        return wrong
    error = next(validator.iter_errors(made), None)
    return wrong + ([f"{tool.name}: made-up arguments: {error.message[:150]}"] if error else [])


def survey(path: Path) -> list[str]:
    """Print what becomes of one document; its broken promises."""
    started, used = time.perf_counter(), time.process_time()
    conversion = convert(read_upload(path.read_bytes(), path.name))
    seconds, cpu = time.perf_counter() - started, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    inputs = [len(msgspec.json.encode(tool.input_schema)) for tool in conversion.tools]
    outputs = [len(msgspec.json.encode(tool.output_schema)) for tool in conversion.tools
               if tool.output_schema is not None]  # fmt: skip
    print(f"{path.name}: {len(conversion.tools)} tools, {_left_out(conversion)} left out; "
          f"{seconds:.2f} s ({cpu:.2f} s of CPU), {peak} MB; largest input {max(inputs):,} bytes, "
          f"{len(outputs)} outputs, largest {max(outputs, default=0):,}")  # fmt: skip
    kinds = Counter(_PARTICULARS.sub("_", one.message)[:100] for one in conversion.warnings)
    for kind, count in kinds.most_common():
        print(f"  {count:5} {kind}")
    broken = [text for tool in conversion.tools for text in broken_promises(tool)]
    sizes = max(inputs + outputs)
    if sizes > max(STANDARD.input_bytes, STANDARD.output_bytes):
        broken.append(f"a schema of {sizes:,} bytes")
    return broken


def _left_out(conversion: Conversion) -> int:
    return sum(one.message.startswith(("Left out", "Path left out")) for one in conversion.warnings)


def main(paths: list[str]) -> int:
    """Survey every document; exit status 1 if a promise is broken."""
    broken = [f"{path}: {text}" for path in paths for text in survey(Path(path))]
    for text in broken:
        print(text)
    print(f"{len(broken)} broken promises")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
