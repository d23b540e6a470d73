"""A folder of Rego: `.rego` files, and `data.json` where they need data."""

import json
from pathlib import Path
from typing import Any, Final

from bascule.gateway.rego import MOST_DATA_BYTES, MOST_MODULE_BYTES

DATA: Final = "data.json"
SUFFIX: Final = ".rego"


class RegoUnreadable(ValueError):
    """The folder makes no policy; the message names the file, and what is wrong with it."""


def read_rego(folder: Path) -> dict[str, Any]:
    """The policy that the files directly in `folder` make, as the REST API takes it.

    Raises:
        RegoUnreadable: a file cannot be read, is too large, or is no text; or there is none.
    """
    paths = sorted(path for path in _entries(folder) if path.suffix == SUFFIX and path.is_file())
    if not paths:
        raise RegoUnreadable(f"There is no {SUFFIX} file in it.")
    modules = {path.name: _text(path, MOST_MODULE_BYTES) for path in paths}
    return {"type": "rego", "rego": {"modules": modules, "data": _data(folder / DATA)}}


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise RegoUnreadable(f"It cannot be read: {error.strerror}.") from None


def _text(path: Path, most_bytes: int) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RegoUnreadable(f"{path.name} cannot be read: {error.strerror}.") from None
    if len(content) > most_bytes:
        raise RegoUnreadable(f"{path.name} has more than {most_bytes:,} bytes.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RegoUnreadable(f"{path.name} is not UTF-8 text. Save it as UTF-8.") from None


def _data(path: Path) -> Any:
    if not path.exists():
        return {}
    try:
        return json.loads(_text(path, MOST_DATA_BYTES))
    except json.JSONDecodeError as error:
        place = f"{path.name}:{error.lineno}"
        raise RegoUnreadable(f"{place} is not JSON: {error.msg}.") from None
    except RecursionError:
        raise RegoUnreadable(f"{path.name} is nested too deeply.") from None
