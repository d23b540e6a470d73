"""API documents as the command line is given them: a path, an address, or standard input.

What reads documents is loaded where one is read: other commands start without it.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.terminal import progress

_STDIN: Final = "-"
_FETCH_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Upload:
    """What is handed over: file name and content, and the address it came from ("" for none)."""

    name: str
    content: bytes
    url: str = ""


def read_document(source: str) -> Upload:
    """The document at `source`: a file, folder, archive (`ARCHIVE#main.yaml`), URL, or `-`.

    Raises:
        CommandFailed: it cannot be read; says why.
    """
    if source.startswith(("http://", "https://")):
        name = source.rstrip("/").rsplit("/", 1)[-1] or "openapi"
        return Upload(name, _fetch(source), source)
    if source.startswith(("grpc://", "grpcs://")):
        raise CommandFailed(
            f"{source} is a gRPC service: import it with `bascule import grpc {source}`.",
            Exit.USAGE,
        )
    if source == _STDIN:
        return Upload("stdin", _at_most(sys.stdin.buffer, "Standard input"))
    return _from_disk(*source.partition("#")[::2])


def _from_disk(path: str, main: str) -> Upload:
    from bascule.catalogue.openapi.collecting import pack_upload
    from bascule.catalogue.openapi.findings import DocumentRejected

    try:
        return Upload(*pack_upload(Path(path), main))
    except OSError as error:
        place = _place(path, error.filename)
        reason = f"{place} cannot be read: {error.strerror or error}."
        raise CommandFailed(reason, Exit.USAGE) from None
    except DocumentRejected as rejection:
        raise CommandFailed(f"{path}: {rejection.public}", Exit.USAGE) from None


def _place(path: str, failed: object) -> str:
    """What could not be read: `path` itself, or the file `failed` below it."""
    if not isinstance(failed, str) or os.path.realpath(failed) == os.path.realpath(path):
        return path
    below = os.path.relpath(os.path.realpath(failed), os.path.realpath(path))
    return failed if below.startswith("..") else f"{below} in {path}"


def _fetch(url: str) -> bytes:
    from bascule.catalogue.openapi.remote import FetchFailed

    try:
        return fetch(url)
    except FetchFailed as failure:
        raise CommandFailed(f"{url} {failure}.", Exit.UNREACHABLE) from None


def fetch(url: str) -> bytes:
    """The content at `url`.

    Raises:
        FetchFailed: it could not be had; the message follows the address.
        CommandFailed: it is too large.
    """
    # Only here: most documents are files.
    import httpx2

    from bascule.catalogue.openapi.remote import FetchFailed

    try:
        with httpx2.stream(
            "GET", url, timeout=_FETCH_SECONDS, trust_env=False, follow_redirects=True
        ) as response:
            response.raise_for_status()
            declared = response.headers.get("content-length", "")
            return _download(url, declared, response.iter_bytes())
    except httpx2.HTTPStatusError as error:
        raise FetchFailed(f"answered HTTP {error.response.status_code}") from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise FetchFailed(f"cannot be fetched: {error or type(error).__name__}") from None


def _download(url: str, declared: str, chunks: Iterator[bytes]) -> bytes:
    total_bytes = int(declared) if declared.isdigit() and len(declared) < 16 else None
    most_bytes = _most_bytes()
    content = bytearray()
    with progress(f"Fetching {url}", total_bytes) as advance:
        for chunk in chunks:
            content += chunk
            if len(content) > most_bytes:
                raise _too_large(url)
            advance(len(chunk))
    return bytes(content)


def _at_most(file: BinaryIO, name: str) -> bytes:
    most_bytes = _most_bytes()
    content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise _too_large(name)
    return content


def _most_bytes() -> int:
    from bascule.catalogue.openapi.syntax import MAX_DOCUMENT_BYTES

    return MAX_DOCUMENT_BYTES


def _too_large(name: str) -> CommandFailed:
    return CommandFailed(f"{name} is larger than {_most_bytes():,} bytes.", Exit.USAGE)
