"""Which file a `$ref` leads to. Names are compared, nothing is opened: no path leaves the root."""

import posixpath
import re
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_FETCHED: Final = ("http://", "https://")
_CONFINED: Final = (
    "only files within the folder of the document are read. Import a folder above it, as in "
    "FOLDER#path/to/openapi.yaml."
)


class Astray(ValueError):
    """A reference that is not followed; the message goes on after "The reference 'x' "."""


def split_reference(reference: str) -> tuple[str, str]:
    """The file and the fragment (with its `#`) of a reference; either may be empty."""
    file, mark, fragment = reference.partition("#")
    return file.strip(), mark + fragment


def is_remote(name: str) -> bool:
    """Is it the name of a file that another host has?"""
    return name.lower().startswith(_FETCHED)


def resolve_file(target: str, base: str) -> str:
    """The name of the file that `target` means in the file `base`.

    Names are paths relative to the root, with slashes, or http(s) addresses.

    Raises:
        Astray: an absolute path, one that leaves the root, or another scheme than http(s).
    """
    if is_remote(target):
        return target
    if _SCHEME.match(target):
        scheme = target.partition(":")[0]
        raise Astray(f"has the scheme {scheme[:20]!r}; {_CONFINED}")
    if is_remote(base):
        return urljoin(base, target)
    return _resolve_path(unquote(target), base)


def _resolve_path(path: str, base: str) -> str:
    if path.startswith(("/", "\\")):
        raise Astray(f"is an absolute path; {_CONFINED}")
    if not path.isprintable():
        raise Astray(f"holds control characters; {_CONFINED}")
    name = posixpath.normpath(posixpath.join(posixpath.dirname(base), path))
    if name == ".." or name.startswith("../"):
        raise Astray(f"leads out of that folder; {_CONFINED}")
    return name


def host_of(url: str) -> str:
    """The host in an address, in lower case; "" where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
