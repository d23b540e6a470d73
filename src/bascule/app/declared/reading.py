"""Reading a folder: what its files declare, and what is wrong with those that declare nothing."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import msgspec

from bascule.app.declared.rego_folders import DATA, SUFFIX, RegoUnreadable, read_rego
from bascule.catalogue.openapi.collecting import pack_upload
from bascule.catalogue.openapi.findings import DocumentRejected
from bascule.catalogue.openapi.syntax import Text, read

KINDS: Final = ("upstreams", "servers", "apis", "tools", "bundles", "policies")
"""In the order they are put in force: what others refer to first, and rules last."""

Upload: TypeAlias = tuple[str, bytes]
"""A file name, and what is in it; a document with what it refers to is one archive."""

_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})
_MOST_FILE_BYTES: Final = 4 * 1024 * 1024
_MOST_FILES: Final = 2_000
_ALIKE: Final = 0.7
"""How much of a key has to be that of a kind to be taken for one that is misspelt."""
_OTHERS: Final = frozenset({"openapi", "swagger"})
_API_MEMBERS: Final = frozenset({"name", "document", "base_url", "publish"})


class FolderUnusable(ValueError):
    """The folder itself cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and where: a file, and a line of it where that is known."""

    place: str
    message: str


@dataclass(frozen=True, slots=True)
class Declaration:
    """One thing as it is to be. `body` is as the REST API takes it, without the name.

    `digest` is that of everything it depends on; `document` is that of an API.
    """

    kind: str
    name: str
    body: Mapping[str, Any]
    place: str
    digest: str
    document: Upload | None = None

    @property
    def key(self) -> str:
        """What it is known by."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the files say. `broken` names files (relative) that could not be read as a whole."""

    declarations: tuple[Declaration, ...]
    broken: frozenset[str]
    problems: tuple[Problem, ...]


def read_folder(folder: Path) -> Reading:
    """Read every `.yaml`, `.yml` and `.json` file under `folder` that declares something.

    A folder below it that holds `.rego` files is a policy, named after it. Names that begin with a
    dot or an underscore are passed over. What one file gets wrong takes nothing from the others;
    of a file with a fault nothing is taken at all.

    Raises:
        FolderUnusable: there is no such folder, or too much in it.
    """
    declarations: dict[str, Declaration] = {}
    broken: set[str] = set()
    problems: list[Problem] = []
    for path in _sources(folder):
        name = path.relative_to(folder).as_posix()
        try:
            found = _read_rego(path, name) if path.is_dir() else _read_file(path, name, folder)
        except _Broken as fault:
            broken.add(name)
            problems += fault.problems
            continue
        for one in found:
            first = declarations.setdefault(one.key, one)
            if first is not one:
                message = f"{one.kind} {one.name} is declared at {first.place} already. Keep one."
                problems.append(Problem(one.place, message))
                broken.add(name)
    return Reading(tuple(_in_order(declarations.values())), frozenset(broken), tuple(problems))


def _in_order(found: Iterable[Declaration]) -> list[Declaration]:
    return sorted(found, key=lambda one: (KINDS.index(one.kind), one.name))


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise FolderUnusable(f"{folder} is not a folder. Make it, or correct catalogue.folder.")
    try:
        found = sorted(_walk(folder))
    except OSError as error:
        raise FolderUnusable(f"{folder} cannot be read: {error.strerror}.") from None
    if len(found) > _MOST_FILES:
        raise FolderUnusable(f"{folder} holds {len(found)} files; at most {_MOST_FILES} are read.")
    return found


def _sources(folder: Path) -> list[Path]:
    """What may declare something: files, and folders of Rego."""
    files = _files(folder)
    rego = {path.parent for path in files if path.suffix == SUFFIX}
    others = [
        path
        for path in files
        if path.suffix != SUFFIX and not (path.name == DATA and path.parent in rego)
    ]
    return sorted([*rego, *others])


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith((".", "_")):
            continue
        if path.is_dir():
            if not path.is_symlink():  # one may lead back to where it stands
                yield from _walk(path)
        elif path.suffix.lower() in _SUFFIXES or path.suffix == SUFFIX:
            yield path


class _Broken(Exception):
    def __init__(self, *problems: Problem) -> None:
        super().__init__()
        self.problems = problems


def _read_rego(path: Path, name: str) -> list[Declaration]:
    if name == ".":
        message = "Put Rego into a folder of its own: the policy is named after that."
        raise _Broken(Problem(f"*{SUFFIX}", message))
    try:
        body = read_rego(path)
    except RegoUnreadable as fault:
        raise _Broken(Problem(name, str(fault))) from None
    return [Declaration("policies", path.name, body, name, _digest(body, None))]


def _read_file(path: Path, name: str, folder: Path) -> list[Declaration]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _Broken(Problem(name, f"It cannot be read: {error.strerror}.")) from None
    if len(content) > _MOST_FILE_BYTES:
        raise _Broken(Problem(name, f"It has more than {_MOST_FILE_BYTES:,} bytes."))
    if not content.strip():
        return []
    try:
        text = read(content)
    except DocumentRejected as rejection:
        raise _Broken(Problem(name, rejection.public)) from None
    root = text.root
    if not isinstance(root, dict):
        return []
    if not _declares(cast("dict[str, Any]", root)):
        misspelt = _misspelt(cast("dict[str, Any]", root))
        if misspelt:
            raise _Broken(*(_meant(key, kind, text, name) for key, kind in misspelt))
        return []  # an OpenAPI document, say, that a declaration names
    return _File(text, name, folder).declarations(cast("dict[str, Any]", root))


def _declares(root: Mapping[str, Any]) -> bool:
    return not root.keys() & _OTHERS and bool(root.keys() & set(KINDS))


def _misspelt(root: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Keys that are nearly a kind, and that kind: whoever wrote them meant to declare something."""
    if root.keys() & _OTHERS:
        return []
    return [
        (key, near[0])
        for key, value in root.items()
        if isinstance(value, list) and (near := get_close_matches(key.lower(), KINDS, 1, _ALIKE))
    ]


def _meant(key: str, kind: str, text: Text, name: str) -> Problem:
    line = text.lines([(key,)]).get((key,))
    place = name if line is None else f"{name}:{line}"
    message = f"`{key}` is none of {', '.join(KINDS)}; did you mean `{kind}`? Nothing of it counts."
    return Problem(place, message)


class _File:
    """One file that declares something; collects everything that is wrong with it."""

    def __init__(self, text: Text, name: str, folder: Path) -> None:
        self._text = text
        self._name = name
        self._folder = folder
        self._problems: list[Problem] = []

    def declarations(self, root: Mapping[str, Any]) -> list[Declaration]:
        unknown = sorted(root.keys() - set(KINDS))
        if unknown:
            near = get_close_matches(unknown[0].lower(), KINDS, 1, _ALIKE)
            meant = f"; did you mean `{near[0]}`?" if near else "."
            self._complain((unknown[0],), f"`{unknown[0]}` is none of {', '.join(KINDS)}{meant}")
        found = [
            one
            for kind in KINDS
            if kind in root
            for index, item in enumerate(self._items(kind, root[kind]))
            if (one := self._declaration(kind, index, item)) is not None
        ]
        if self._problems:
            raise _Broken(*self._problems)
        return found

    def _items(self, kind: str, value: object) -> list[Any]:
        if not isinstance(value, list):
            self._complain((kind,), f"`{kind}` must be a list.")
            return []
        return cast("list[Any]", value)

    def _declaration(self, kind: str, index: int, item: object) -> Declaration | None:
        pointer = (kind, str(index))
        if not isinstance(item, dict):
            self._complain(pointer, "This must be an object with a `name`.")
            return None
        members = cast("dict[str, Any]", item)
        name = members.get("name")
        if not isinstance(name, str) or not name:
            self._complain(pointer, "It needs a `name`.")
            return None
        body = {member: value for member, value in members.items() if member != "name"}
        document = self._document(pointer, members) if kind == "apis" else None
        if kind == "apis" and document is None:
            return None
        digest = _digest(body, document)
        return Declaration(kind, name, body, self._place(pointer), digest, document)

    def _document(self, pointer: tuple[str, ...], members: Mapping[str, Any]) -> Upload | None:
        unknown = sorted(members.keys() - _API_MEMBERS)
        given = members.get("document")
        if unknown or not isinstance(given, str):
            fault = f"`{unknown[0]}` is not known here" if unknown else "It needs a `document`"
            self._complain(pointer, f"{fault}; an API has {', '.join(sorted(_API_MEMBERS))}.")
            return None
        path = (self._folder / self._name).parent / given
        if not path.resolve().is_relative_to(self._folder.resolve()):
            self._complain(pointer, f"{given} is outside the folder.")
            return None
        try:
            return pack_upload(path)
        except DocumentRejected as rejection:
            self._complain(pointer, f"{given}: {rejection.public}")
        except OSError as error:
            self._complain(pointer, f"{given} cannot be read: {error.strerror}.")
        return None

    def _complain(self, pointer: tuple[str, ...], message: str) -> None:
        self._problems.append(Problem(self._place(pointer), message))

    def _place(self, pointer: tuple[str, ...]) -> str:
        line = self._text.lines([pointer]).get(pointer)
        return self._name if line is None else f"{self._name}:{line}"


def _digest(body: Mapping[str, Any], document: Upload | None) -> str:
    found = hashlib.sha256(msgspec.json.encode(body, order="sorted"))
    if document is not None:
        found.update(document[1])
    return found.hexdigest()
