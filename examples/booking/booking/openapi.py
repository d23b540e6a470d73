"""The OpenAPI document, as YAML: `python -m booking.openapi > openapi.yaml`."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from booking.app import create_app
from booking.database import Database
from booking.service import Service

# Words YAML 1.1 or 1.2 would read as something other than text.
RESERVED = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_/{}.-]*")


def render_yaml(document: dict[str, Any]) -> str:
    """Block-style YAML; every string that is not a plain word is quoted as in JSON."""
    return "\n".join(_render(document)) + "\n"


def _render(node: Any) -> Iterator[str]:
    if isinstance(node, dict) and node:
        for key, value in cast("dict[str, Any]", node).items():
            yield from _attach(f"{_scalar(key)}:", value)
    elif isinstance(node, list) and node:
        for value in cast("list[Any]", node):
            first, *rest = _render(value)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield _scalar(node)


def _attach(key: str, value: Any) -> Iterator[str]:
    first, *rest = _render(value)
    if isinstance(value, dict | list) and value:
        yield key
        yield from (f"  {line}" for line in [first, *rest])
    else:
        yield f"{key} {first}"


def _scalar(value: Any) -> str:
    plain = isinstance(value, str) and PLAIN.fullmatch(value) and value.lower() not in RESERVED
    return value if plain else json.dumps(value, ensure_ascii=False)


def main() -> None:
    # Describing the application opens no database, so the path is never used.
    app = create_app(Service(Database(Path("booking.db"))))
    sys.stdout.write(render_yaml(app.openapi()))


if __name__ == "__main__":
    main()
