"""Texts that can be sent and stored: models and servers may send half a character."""

import json
from typing import Any

import msgspec


def whole_text(text: str) -> str:
    """`text`, with a question mark for each lone surrogate."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def whole_value(value: Any) -> Any:
    """A JSON value, with a question mark for each lone surrogate in it."""
    try:
        msgspec.json.encode(value)
    except UnicodeEncodeError:
        return json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
    return value
