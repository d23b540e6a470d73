"""The MCP Tool object and the parameters of tool requests.

Source: specification 2026-07-28, server/tools and schema.ts.
"""

from collections.abc import Mapping
from typing import Any

import msgspec


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict[object, object](value)  # pyright: ignore[reportUnknownArgumentType]
    raise NotImplementedError


_encoder = msgspec.json.Encoder(enc_hook=_plain)


def encode_definition(
    *,
    name: str,
    description: str,
    input_schema: Mapping[str, object] | msgspec.Raw,
    title: str | None = None,
    output_schema: Mapping[str, object] | msgspec.Raw | None = None,
    annotations: Mapping[str, object] | None = None,
) -> bytes:
    """Encode a Tool as it appears in `tools/list`; absent members are left out."""
    definition: dict[str, object] = {"name": name}
    if title:
        definition["title"] = title
    definition["description"] = description
    definition["inputSchema"] = input_schema
    if output_schema is not None:
        definition["outputSchema"] = output_schema
    if annotations:
        definition["annotations"] = annotations
    return _encoder.encode(definition)


def text_content(text: str) -> dict[str, Any]:
    """A TextContent block."""
    return {"type": "text", "text": text}
