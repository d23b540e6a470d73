"""Policies in files: YAML or JSON of one or many, and folders of Rego."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote

from bascule.app.declared.rego_folders import DATA, RegoUnreadable, read_rego
from bascule.cli.documents import read_document
from bascule.cli.failures import CommandFailed, Exit

Body = dict[str, Any]
"""Something as the REST API takes it, without its name."""

_ADDED: Final = frozenset({"name", "created_at", "updated_at", "updated_by"})
"""What the API shows of a thing, and does not take back."""
_TAKEN: Final = ("modules", "data")
_STDIN: Final = "-"


def read_policies(source: str) -> dict[str, Body]:
    """Policies by name from a file, a folder of `.rego` files with `data.json`, or `-`.

    A folder becomes one policy of the type `rego`, named after it.

    Raises:
        CommandFailed: it cannot be read, or holds no policy; says why.
    """
    path = Path(source)
    if source != _STDIN and path.is_dir():
        return {path.resolve().name: _rego_of(path)}
    return {name: body_of(body) for name, body in read_named(source, "policies").items()}


def read_named(source: str, plural: str) -> dict[str, Body]:
    """What a file or `-` holds, by name: one thing, a list, or a list under the key `plural`.

    Raises:
        CommandFailed: it cannot be read, holds nothing, or something without a name.
    """
    found: dict[str, Body] = {}
    for number, item in enumerate(_items(source, plural), 1):
        members = cast("Body", item) if isinstance(item, dict) else {}
        name = members.get("name")
        if not isinstance(name, str) or not name:
            message = f"{source}: number {number} has no name. {_forms(plural)}"
            raise CommandFailed(message, Exit.USAGE)
        if name in found:
            raise CommandFailed(f"{source} has {name} twice. Keep one.", Exit.USAGE)
        found[name] = {member: one for member, one in members.items() if member not in _ADDED}
    return found


def body_of(shown: Mapping[str, Any]) -> Body:
    """A policy as the API shows it, in the form that it takes."""
    body = {member: value for member, value in shown.items() if member not in _ADDED}
    rego = body.get("rego")
    if isinstance(rego, dict):
        members = cast("Body", rego)
        body["rego"] = {one: members[one] for one in members if one in _TAKEN} or members
    return body


def write_rego(folder: Path, policies: Sequence[Mapping[str, Any]]) -> list[str]:
    """Write modules and data of each policy in Rego to a folder of its own; gives their paths.

    Raises:
        CommandFailed: a file cannot be written, or would be outside the folder.
    """
    written: list[str] = []
    for policy in policies:
        rego = policy["rego"]
        own = folder / quote(policy["name"], safe=" ")
        files = {**rego["modules"], DATA: json.dumps(rego["data"], indent=2) + "\n"}
        written += [_write(folder, own / name, text) for name, text in files.items()]
    return written


def _write(folder: Path, path: Path, text: str) -> str:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise CommandFailed(f"{path} would be outside {folder}.", Exit.UNEXPECTED)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror}.", Exit.USAGE) from None
    return str(path)


def _rego_of(folder: Path) -> Body:
    try:
        return read_rego(folder)
    except RegoUnreadable as fault:
        raise CommandFailed(f"{folder}: {fault}", Exit.USAGE) from None


def _items(source: str, plural: str) -> list[object]:
    root = _root(source)
    if isinstance(root, dict):
        members = cast("Body", root)
        root = members.get(plural, [members])
    if not isinstance(root, list) or not root:
        raise CommandFailed(f"{source} holds nothing. {_forms(plural)}", Exit.USAGE)
    return cast("list[object]", root)


def _root(source: str) -> object:
    # Only here: what reads documents takes a moment to load.
    from bascule.catalogue.openapi.findings import DocumentRejected
    from bascule.catalogue.openapi.syntax import read

    try:
        content = read_document(source).content if source == _STDIN else Path(source).read_bytes()
        return read(content).root
    except OSError as error:
        reason = error.strerror or error
        raise CommandFailed(f"{source} cannot be read: {reason}.", Exit.USAGE) from None
    except DocumentRejected as rejection:
        raise CommandFailed(f"{source}: {rejection.public}", Exit.USAGE) from None


def _forms(plural: str) -> str:
    return f"A file holds one with its `name`, a list of them, or such a list under `{plural}`."
