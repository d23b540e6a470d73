"""A description as it is given: one document, and the files beside it."""

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from bascule.catalogue.openapi.archives import is_archive, unpack
from bascule.catalogue.openapi.findings import DocumentRejected
from bascule.catalogue.openapi.syntax import announces_openapi

_STEMS: Final = ("openapi", "swagger")
_ENDINGS: Final = (".json", ".yaml", ".yml")
_MOST_NAMED: Final = 10
_NAME_IT: Final = "Name it after a #, as in FILE#path/openapi.yaml."


@dataclass(frozen=True, slots=True)
class DocumentSource:
    """Files by their names: paths relative to one root, with slashes. `main` is where to begin.

    `url` is the http(s) address that `main` came from; "" where it came from a disk.
    """

    main: str
    files: Mapping[str, bytes] = field(repr=False)
    url: str = ""


def read_upload(content: bytes, filename: str) -> DocumentSource:
    """A file as it was handed over: a document, one that is compressed (.gz), or an archive.

    The document of an archive (.tar, .tar.gz, .zip) is the one nearest to its root that says it
    is OpenAPI; `filename` may name it after a `#`: `api.zip#v2/openapi.yaml`.

    Raises:
        DocumentRejected: not readable, hostile, too large, or without a document.
    """
    name, _, wanted = filename.partition("#")
    name = posixpath.basename(name.replace("\\", "/"))
    unpacked = unpack(content)
    if isinstance(unpacked, bytes):
        name = name.removesuffix(".gz") if is_archive(content) else name
        return DocumentSource(name, {name: unpacked})
    return DocumentSource(choose_main(unpacked, wanted), unpacked)


def choose_main(files: Mapping[str, bytes], wanted: str = "") -> str:
    """The document among `files`: the one asked for, else the one that must be meant.

    Raises:
        DocumentRejected: it is not there, or there are several; names them.
    """
    if wanted:
        if posixpath.normpath(wanted) in files:
            return posixpath.normpath(wanted)
        raise DocumentRejected(f"There is no file {wanted[:200]!r} in it.")
    by_depth: dict[int, list[str]] = {}
    for name in sorted(files):
        by_depth.setdefault(name.count("/"), []).append(name)
    for _, names in sorted(by_depth.items()):
        found = [name for name in names if name.lower().endswith(_ENDINGS)]
        found = [name for name in found if announces_openapi(files[name])]
        if found:
            return _only(found)
    raise DocumentRejected(
        "None of its files is an OpenAPI document: JSON or YAML with `openapi` or `swagger` at "
        "its root."
    )


def _only(found: list[str]) -> str:
    if len(found) == 1:
        return found[0]
    named = [one for one in found if posixpath.basename(one).lower().startswith(_STEMS)]
    if len(named) == 1:
        return named[0]
    raise DocumentRejected(f"Several of its files are documents: {_list(found)}. {_NAME_IT}")


def _list(names: Iterable[str]) -> str:
    shown = [name[:100] for name in names]
    more = f" and {len(shown) - _MOST_NAMED} more" if len(shown) > _MOST_NAMED else ""
    return ", ".join(shown[:_MOST_NAMED]) + more
