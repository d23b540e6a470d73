"""A description on a disk: one file with those it refers to, a folder, or an archive."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bascule.catalogue.openapi.archives import is_archive, pack
from bascule.catalogue.openapi.findings import DocumentRejected
from bascule.catalogue.openapi.references import Astray, is_remote, resolve_file, split_reference
from bascule.catalogue.openapi.sources import DocumentSource, choose_main, read_upload
from bascule.catalogue.openapi.syntax import MAX_DOCUMENT_BYTES, announces_openapi

_MAX_TOTAL_BYTES: Final = 64 * 1024 * 1024
_MOST_FILES: Final = 20_000
_ENDINGS: Final = (".json", ".yaml", ".yml")
# Where a file may refer to another; whether it does is seen when the document is read.
_REFERENCE: Final = re.compile(
    r"""["']?\$ref["']?\s*:\s*(?:"([^"\n]+)"|'([^'\n]+)'|([^\s"'][^\n"']*))"""
)
_END_OF_PLAIN: Final = re.compile(r"[\s,}\]].*")


def collect(path: Path, root: Path | None = None, main: str = "") -> DocumentSource:
    """The description at `path`: a document, a folder or an archive that holds one.

    Of the files beside a document those are taken that it refers to, and that lie within `root`,
    which is the document's folder unless given. `main` names the document of a folder or an
    archive where it is not plain.

    Raises:
        DocumentRejected: nothing to be read, or too much.
        OSError: a file cannot be read.
    """
    if path.is_dir():
        root = root or path
        return _with_references(path / (main or choose_main(_documents_near(path))), root)
    content = _content(path)
    if is_archive(content):
        return read_upload(content, f"{path.name}#{main}")
    return _with_references(path, root or path.parent)


def pack_upload(path: Path, main: str = "") -> tuple[str, bytes]:
    """Name and content to upload for `path`: itself, or an archive of all that `collect` takes.

    Raises:
        DocumentRejected: nothing to be read, or too much.
        OSError: a file cannot be read.
    """
    content = b"" if path.is_dir() else _content(path)
    if is_archive(content):
        return f"{path.name}#{main}" if main else path.name, content
    found = collect(path, main=main)
    if len(found.files) == 1:
        return path.name, found.files[found.main]
    return f"{path.resolve().stem}.tar.gz#{found.main}", pack(found.files)


def _with_references(document: Path, root: Path) -> DocumentSource:
    root = root.resolve()
    document = document.resolve()
    if not document.is_relative_to(root):
        raise DocumentRejected(f"The document is not within the folder {root}.")
    main = document.relative_to(root).as_posix()
    files: dict[str, bytes] = {}
    pending, total_bytes = [main], 0
    while pending:
        name = pending.pop()
        content = _read(root, name, required=name == main)
        if name in files or content is None:
            continue
        files[name] = content
        total_bytes += len(content)
        if total_bytes > _MAX_TOTAL_BYTES or len(files) > _MOST_FILES:
            raise DocumentRejected(
                f"With the files it refers to, the document has more than {_MAX_TOTAL_BYTES:,} "
                f"bytes or {_MOST_FILES:,} files. Import a part of the description."
            )
        pending += [one for one in _referred_to(content, name) if one not in files]
    return DocumentSource(main, files)


def _read(root: Path, name: str, *, required: bool) -> bytes | None:
    """The file, where it lies within the root, links followed; what is not there is None."""
    path = root / name
    if not required and not (path.resolve().is_relative_to(root) and path.is_file()):
        return None
    return _content(path)


def _referred_to(content: bytes, base: str) -> Iterator[str]:
    text = content.decode(errors="replace").replace("\\/", "/")
    targets: set[str] = set()
    for match in _REFERENCE.finditer(text):
        quoted, plain = match[1] or match[2], match[3]
        # Without quotes, only a parser could tell where it ends: both are tried.
        ends = [quoted] if quoted else [plain.rstrip(), _END_OF_PLAIN.sub("", plain)]
        targets.update(split_reference(one)[0] for one in ends)
    for target in sorted(targets - {""}):
        try:
            name = resolve_file(target, base)
        except Astray:
            continue  # said when the document is read
        if not is_remote(name):
            yield name


def _documents_near(folder: Path) -> dict[str, bytes]:
    """The documents that lie nearest to the top of a folder."""
    for pattern in ("*", "*/*", "*/*/*"):
        paths = (one for one in sorted(folder.glob(pattern)) if one.name.lower().endswith(_ENDINGS))
        found: dict[str, bytes] = {}
        for path in paths:
            content = _content(path) if path.is_file() else b""
            if announces_openapi(content):
                found[path.relative_to(folder).as_posix()] = content
        if found:
            return found
    return {}


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_DOCUMENT_BYTES + 1)
