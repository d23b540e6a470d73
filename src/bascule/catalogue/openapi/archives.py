"""Compressed files and archives, unpacked in memory and within bounds.

Nothing is written to a disk, so no name in an archive can lead anywhere; one that tries is taken
for what it is, and the archive refused.
"""

import gzip
import io
import posixpath
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import IO, Final

from bascule.catalogue.openapi.findings import DocumentRejected
from bascule.catalogue.openapi.tarballs import list_entries

MAX_UNPACKED_BYTES: Final = 64 * 1024 * 1024
MAX_FILES: Final = 20_000
"""Entries of an archive, folders included."""

_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_OTHERS: Final = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"(\xb5/\xfd": "zstd", b"7z\xbc\xaf": "7z"}
_TAR_MAGIC: Final = slice(257, 262)
_KEPT: Final = (".json", ".yaml", ".yml")
# The directory of a zip is read at once: 200 bytes for each entry are plenty.
_MAX_DIRECTORY_BYTES: Final = MAX_FILES * 200
_END_OF_ZIP: Final = struct.Struct("<4s4H2LH")
_CHUNK_BYTES: Final = 1024 * 1024


def is_archive(content: bytes) -> bool:
    """Is it compressed, or an archive?"""
    return content.startswith((_GZIP, *_ZIP, *_OTHERS)) or content[_TAR_MAGIC] == b"ustar"


def unpack(content: bytes) -> bytes | dict[str, bytes]:
    """`content` itself, what it is the compressed form of, or the files of the archive it is.

    Of an archive only regular files that end in .json, .yaml or .yml are kept; links are not.

    Raises:
        DocumentRejected: damaged, of a kind that is not read, too large, or with names that lead
            out of it.
    """
    for magic, kind in _OTHERS.items():
        if content.startswith(magic):
            raise DocumentRejected(f"A file compressed with {kind} is not read; use gzip or zip.")
    if content.startswith(_GZIP):
        content = _gunzip(content)
    try:
        if content.startswith(_ZIP):
            return _collect(_zip_entries(content))
        if content[_TAR_MAGIC] == b"ustar":
            return _collect(_tar_entries(content))
    # `zipfile` raises whatever a damaged field happens to break.
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise _damaged(error) from None
    except (RuntimeError, NotImplementedError, ValueError, struct.error) as error:
        raise _damaged(error) from None
    return content


def pack(files: Mapping[str, bytes]) -> bytes:
    """An archive (.tar.gz) that `unpack` gives `files` for; equal files, equal archive."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=5, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w") as archive,
    ):
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            archive.addfile(entry, io.BytesIO(files[name]))
    return packed.getvalue()


def _gunzip(content: bytes) -> bytes:
    unpacked = bytearray()
    while content:
        stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            unpacked += stream.decompress(content, MAX_UNPACKED_BYTES + 1 - len(unpacked))
        except zlib.error as error:
            raise _damaged(error) from None
        if len(unpacked) > MAX_UNPACKED_BYTES:
            raise _too_large()
        if not stream.eof:
            raise _damaged("it ends too early")
        content = stream.unused_data.lstrip(b"\0")
    return bytes(unpacked)


def _collect(entries: Iterator[tuple[str, bytes]]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for name, content in entries:
        if name in files:
            raise DocumentRejected(f"The archive holds {name[:200]!r} twice.")
        files[name] = content
    return files


def _zip_entries(content: bytes) -> Iterator[tuple[str, bytes]]:
    _check_directory(content)
    left = MAX_UNPACKED_BYTES
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        _check_count(len(entries))
        for entry in entries:
            name = _confined(entry.filename)
            is_link = (entry.external_attr >> 28) == 0o12
            if entry.is_dir() or is_link or not _is_kept(name):
                continue
            with archive.open(entry) as file:
                unpacked = _read(file, left)
            left -= len(unpacked)
            yield name, unpacked


def _check_directory(content: bytes) -> None:
    """Refuse a zip whose directory is huge before it is read as a whole."""
    at = content.rfind(b"PK\x05\x06")
    if at < 0 or at + _END_OF_ZIP.size > len(content):
        raise zipfile.BadZipFile("it has no directory")
    _, _, _, _, count, size_bytes, _, _ = _END_OF_ZIP.unpack_from(content, at)
    _check_count(count)
    if size_bytes > _MAX_DIRECTORY_BYTES:
        raise _too_many()


def _tar_entries(content: bytes) -> Iterator[tuple[str, bytes]]:
    left = MAX_UNPACKED_BYTES
    for count, entry in enumerate(list_entries(content)):
        _check_count(count)
        name = _confined(entry.name)
        if not entry.is_file or not _is_kept(name):
            continue
        left -= len(entry.content)
        if left < 0:
            raise _too_large()
        yield name, bytes(entry.content)


def _read(file: IO[bytes], left: int) -> bytes:
    unpacked = bytearray()
    while chunk := file.read(min(_CHUNK_BYTES, left + 1 - len(unpacked))):
        unpacked += chunk
        if len(unpacked) > left:
            raise _too_large()
    return bytes(unpacked)


def _confined(name: str) -> str:
    path = posixpath.normpath(name.replace("\\", "/"))
    if path.startswith(("/", "../")) or path == ".." or path[1:2] == ":":
        raise DocumentRejected(f"The archive holds {name[:200]!r}, a path that leads out of it.")
    return path


def _is_kept(name: str) -> bool:
    return name.lower().endswith(_KEPT)


def _check_count(count: int) -> None:
    if count > MAX_FILES:
        raise _too_many()


def _too_many() -> DocumentRejected:
    return DocumentRejected(
        f"The archive has more than {MAX_FILES:,} entries. Pack only the API description."
    )


def _too_large() -> DocumentRejected:
    return DocumentRejected(
        f"Unpacked it has more than {MAX_UNPACKED_BYTES:,} bytes. Pack only the API description."
    )


def _damaged(reason: object) -> DocumentRejected:
    return DocumentRejected(f"The archive cannot be unpacked: {str(reason)[:200]}.")
