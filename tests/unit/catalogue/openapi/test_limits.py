"""Tools are bounded in what a model has to read."""

import json

import msgspec

from bascule.catalogue.openapi.conversion import convert
from bascule.catalogue.openapi.limits import STANDARD, SchemaLimits


def test_a_tool_has_32_kib_each_way() -> None:
    assert (STANDARD.input_bytes, STANDARD.output_bytes) == (32_768, 32_768)


def test_each_way_has_its_own_limit() -> None:
    inner = {f"p{n}": {"type": "string", "minLength": n} for n in range(200)}
    schema = {"type": "object", "properties": {"a": {"type": "object", "properties": inner}}}
    media = {"content": {"application/json": {"schema": schema}}}
    operation = {"requestBody": media, "responses": {"200": {"description": "ok", **media}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "http://127.0.0.1"}],
        "paths": {"/a": {"post": operation}},
    }

    (tool,) = convert(json.dumps(document).encode(), limits=SchemaLimits(input_bytes=900)).tools

    assert len(msgspec.json.encode(tool.input_schema)) <= 900
    assert tool.output_schema is not None
    assert len(msgspec.json.encode(tool.output_schema)) > 900
