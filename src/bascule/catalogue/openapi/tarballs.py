"""The entries of a tar archive, read in time that grows with its size alone.

Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block"; and the long names of
GNU tar. `tarfile` of some Python versions takes time that grows with the square of a header
(CVE-2024-6232), and holds the interpreter meanwhile.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

_BLOCK_BYTES: Final = 512
_MOST_EXTENSION_BYTES: Final = 65_536
_MOST_EXTENSIONS: Final = 8
"""Headers that say more of the entry after them; a writer needs three at most."""
_MOST_DIGITS: Final = 20
_NAME, _SIZE, _CHECKSUM = slice(0, 100), slice(124, 136), slice(148, 156)
_TYPE, _MAGIC, _PREFIX = slice(156, 157), slice(257, 263), slice(345, 500)
_POSIX: Final = b"ustar\0"
_FILES: Final = frozenset({b"0", b"\0", b"7"})
_WITHOUT_CONTENT: Final = frozenset({b"1", b"2", b"3", b"4", b"5", b"6"})
_PAX, _PAX_OF_ALL, _LONG_NAME, _LONG_LINK = b"x", b"g", b"L", b"K"
_EXTENSIONS: Final = frozenset({_PAX, _PAX_OF_ALL, _LONG_NAME, _LONG_LINK})


class Entry(NamedTuple):
    """One entry: `content` is a view of the archive, empty for what is no regular file."""

    name: str
    is_file: bool
    content: memoryview


class _Header(NamedTuple):
    name: str
    type: bytes
    size_bytes: int


def list_entries(archive: bytes) -> Iterator[Entry]:
    """Each entry of `archive`, in order, folders and links included.

    Raises:
        ValueError: it is damaged, or of a kind that is not read; says why.
    """
    view, at = memoryview(archive), 0
    shared: dict[str, str] = {}
    own: dict[str, str] = {}
    extensions = 0
    while (header := _read_header(archive, at)) is not None:
        at += _BLOCK_BYTES
        if header.type in _EXTENSIONS:
            extensions += 1
            if extensions > _MOST_EXTENSIONS:
                raise ValueError("it has too many extension headers in a row")
            told = shared if header.type == _PAX_OF_ALL else own
            told.update(_read_extension(view, at, header))
            at += _in_blocks(header.size_bytes)
            continue
        entry, size_bytes = _entry(view, at, header, {**shared, **own})
        yield entry
        at += _in_blocks(size_bytes)
        own, extensions = {}, 0


def _read_header(archive: bytes, at: int) -> _Header | None:
    """The header at `at`; None at the end of the archive."""
    block = archive[at : at + _BLOCK_BYTES]
    if not block.strip(b"\0"):
        return None
    if len(block) < _BLOCK_BYTES:
        raise ValueError("it ends too early")
    stated = _number(block[_CHECKSUM])
    # The field itself counts as blanks.
    if stated != sum(block) - sum(block[_CHECKSUM]) + 8 * ord(" "):
        raise ValueError("the checksum of a header is wrong")
    name = _text(block[_NAME])
    prefix = _text(block[_PREFIX]) if block[_MAGIC] == _POSIX else ""
    return _Header(f"{prefix}/{name}" if prefix else name, block[_TYPE], _number(block[_SIZE]))


def _entry(view: memoryview, at: int, header: _Header, told: dict[str, str]) -> tuple[Entry, int]:
    """The entry whose content is at `at`, and how long that is."""
    if any(name.startswith("GNU.sparse.") for name in told):
        raise ValueError("it holds a sparse file, which is not read")
    name = told.get("path", header.name)
    if header.type in _WITHOUT_CONTENT:
        return Entry(name, is_file=False, content=view[:0]), 0
    if header.type not in _FILES:
        raise ValueError(f"it holds {name[:200]!r}, which is of type {header.type!r}")
    size_bytes = _digits(told["size"]) if "size" in told else header.size_bytes
    content = _take(view, at, size_bytes)
    # As before there were types: a folder is a file whose name ends so.
    return Entry(name, is_file=not name.endswith("/"), content=content), size_bytes


def _read_extension(view: memoryview, at: int, header: _Header) -> dict[str, str]:
    if header.size_bytes > _MOST_EXTENSION_BYTES:
        raise ValueError(
            f"an extension header of it has {header.size_bytes:,} bytes, more than the "
            f"{_MOST_EXTENSION_BYTES:,} that are read"
        )
    content = bytes(_take(view, at, header.size_bytes))
    if header.type == _LONG_NAME:
        return {"path": _text(content)}
    return {} if header.type == _LONG_LINK else dict(_records(content))


def _records(content: bytes) -> Iterator[tuple[str, str]]:
    """Each `LENGTH NAME=VALUE` line of a pax header; the length is that of the whole line."""
    at = 0
    while at < len(content) and content[at]:
        blank = content.find(b" ", at, at + _MOST_DIGITS + 1)
        end = at + _digits(_text(content[at:blank])) if blank > 0 else 0
        name, equals, value = content[blank + 1 : end - 1].partition(b"=")
        if not at < end <= len(content) or content[end - 1 : end] != b"\n" or not equals:
            raise ValueError("a pax header of it is malformed")
        yield _text(name), _text(value)
        at = end


def _take(view: memoryview, at: int, size_bytes: int) -> memoryview:
    if at + size_bytes > len(view):
        raise ValueError("it ends too early")
    return view[at : at + size_bytes]


def _in_blocks(size_bytes: int) -> int:
    return -(-size_bytes // _BLOCK_BYTES) * _BLOCK_BYTES


def _number(field: bytes) -> int:
    """A number in octal digits, or as GNU tar writes large ones: in binary after a set bit."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    text = field.strip(b" \0")
    if text.strip(b"01234567"):
        raise ValueError("a number in a header is malformed")
    return int(text or b"0", 8)


def _digits(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise ValueError("a pax header of it is malformed")
    return int(text)


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode(errors="replace")
