"""The files of one description: each read once, and only when something refers to it."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urljoin

from bascule.catalogue.openapi.findings import DocumentRejected, Finding
from bascule.catalogue.openapi.pointers import (
    Pointer,
    file_of,
    parse_place,
    root_of,
    to_fragment,
    within_file,
)
from bascule.catalogue.openapi.references import Astray, is_remote, resolve_file
from bascule.catalogue.openapi.remote import MOST_REMOTE_FILES, Fetch, FetchFailed, refuse
from bascule.catalogue.openapi.shapes import as_object, as_text
from bascule.catalogue.openapi.sources import DocumentSource
from bascule.catalogue.openapi.syntax import MAX_DOCUMENT_BYTES, Text, read

_MAX_TOTAL_BYTES: Final = 64 * 1024 * 1024
_SELF: Final = b"$self"


class Library:
    """Finds and reads files by name. "" is the main document, whatever its name is."""

    def __init__(self, source: DocumentSource, fetch: Fetch | None = None) -> None:
        self._source = source
        self._contents: dict[str, bytes] = dict(source.files)
        self._fetch = fetch or refuse
        self._texts: dict[str, Text] = {}
        self._own_addresses: Mapping[str, str] | None = None
        self._fetched = 0

    def text(self, file: str) -> Text:
        """The file, read.

        Raises:
            DocumentRejected: it is too large or not well-formed; names it.
        """
        text = self._texts.get(file)
        if text is None:
            text = self._texts[file] = self._read(file)
        return text

    def locate(self, target: str, base: str) -> str:
        """The file that the reference `target`, found in the file `base`, leads to.

        Raises:
            Astray: it is not to be read, or not there.
        """
        name = self._by_own_address(target, base)
        if name is None:
            name = self._resolve(target, base)
        if name == self._source.main:
            return ""
        if name not in self._contents:
            self._obtain(name)
        return name

    def lines(self, pointers: Collection[Pointer]) -> dict[Pointer, int]:
        """The line of each place that is in the text of its file."""
        by_file: dict[str, list[Pointer]] = {}
        for pointer in pointers:
            by_file.setdefault(file_of(pointer), []).append(pointer)
        return {
            (*root_of(file), *place): line
            for file, places in by_file.items()
            if file in self._texts
            for place, line in self._texts[file].lines([within_file(one) for one in places]).items()
        }

    def with_lines(self, rejection: DocumentRejected) -> DocumentRejected:
        """`rejection`, its findings with their lines as far as the text has the places."""
        places = {one: parse_place(one.location) for one in rejection.findings if one.line is None}
        lines = self.lines(list(places.values()))
        findings = [
            replace(one, line=one.line or lines.get(places[one])) if one in places else one
            for one in rejection.findings
        ]
        return DocumentRejected(rejection.public, findings)

    def _read(self, file: str) -> Text:
        try:
            return read(self._contents[file or self._source.main])
        except DocumentRejected as rejection:
            if not file:
                raise
            raise _in_file(file, rejection) from None

    def _resolve(self, target: str, base: str) -> str:
        main, url = self._source.main, self._source.url
        if base or not url:
            return resolve_file(target, base or main)
        # What stands beside a document from the net is there, not among the files at hand.
        try:
            name = resolve_file(target, main)
        except Astray:
            name = ""
        return name if name in self._contents else resolve_file(urljoin(url, target), main)

    def _by_own_address(self, target: str, base: str) -> str | None:
        """The file that says of itself (`$self`, OpenAPI 3.2) to be what `target` names."""
        addresses = self._addresses()
        if not addresses:
            return None
        own = next((one for one, name in addresses.items() if name == base), None)
        absolute = urljoin(own, target) if own else target
        known = addresses.get(absolute)
        if known is not None:
            return known or self._source.main
        folder = own.rpartition("/")[0] + "/" if own else ""
        if own and is_remote(target) and target.startswith(folder):
            return resolve_file(target[len(folder) :], base or self._source.main)
        return None

    def _addresses(self) -> Mapping[str, str]:
        if self._own_addresses is None:
            found: dict[str, str] = {}
            for name, content in self._contents.items():
                file = "" if name == self._source.main else name
                if _SELF in content:
                    own = as_text((as_object(self.text(file).root) or {}).get("$self"))
                    found |= {urljoin(self._source.url, own).partition("#")[0]: file} if own else {}
            self._own_addresses = found
        return self._own_addresses

    def _obtain(self, name: str) -> None:
        if not is_remote(name):
            raise Astray(
                f"leaves this document, and the file {name[:200]!r} was not given with it. Import "
                "the folder or the archive that holds both."
            )
        self._fetched += 1
        if self._fetched > MOST_REMOTE_FILES:
            raise Astray(f"is to one more than {MOST_REMOTE_FILES} files on other hosts.")
        try:
            content = self._fetch(name)
        except FetchFailed as failure:
            raise Astray(f"leaves this document for {name[:200]}; {failure}.") from None
        if sum(map(len, self._contents.values())) + len(content) > _MAX_TOTAL_BYTES:
            raise Astray(f"is to a file that makes this more than {_MAX_TOTAL_BYTES:,} bytes.")
        self._contents[name] = content


def check_size(source: DocumentSource) -> None:
    """Bound what is kept in memory.

    Raises:
        DocumentRejected: the files are too large together.
    """
    total = sum(map(len, source.files.values()))
    if len(source.files) > 1 and total > _MAX_TOTAL_BYTES:
        raise DocumentRejected(
            f"The files have {total:,} bytes; at most {_MAX_TOTAL_BYTES:,} are read, "
            f"{MAX_DOCUMENT_BYTES:,} of each. Import a part of the description."
        )


def _in_file(file: str, rejection: DocumentRejected) -> DocumentRejected:
    place = to_fragment(root_of(file))
    findings = [replace(one, location=place + one.location[1:]) for one in rejection.findings]
    return DocumentRejected(
        f"In the file {file[:200]}: {rejection.public}",
        findings or [Finding(place, rejection.public)],
    )
