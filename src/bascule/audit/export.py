"""The records of one tenant, cut out of the journal, and the proof that they are whole.

An export is a file of lines: the tenant's part of each of its records as it stands in the journal
(see `tenants`), and after the records of each writer

    {"end_of_chain":{"tenant":"...","writer":"...","records":n,"tenant_hash":"..."}}

with the count of the lines before it and the hash of the last of them. `unchained`, where it is
there, counts records from before tenants had chains of their own. They are not in the export.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from bascule.audit.lines import (
    GENESIS,
    HEADS_START,
    MAX_LINE_BYTES,
    OLD_START,
    Flaw,
    Head,
    Problem,
)
from bascule.audit.segments import Segment, lines_forwards, list_segments, open_segment
from bascule.audit.tenants import check_part, digest_of, part_of, part_predecessor, tenant_of

_END_START: Final = b'{"end_of_chain":'
_BLOCK_BYTES: Final = 256 * 1024
_PAUSE_BYTES: Final = 1024 * 1024


class _End(msgspec.Struct, omit_defaults=True):
    tenant: str
    writer: str
    records: int
    tenant_hash: str
    unchained: int = 0


class _Closing(msgspec.Struct):
    end_of_chain: _End


_closing_decoder = msgspec.json.Decoder(_Closing)
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class ExportVerification:
    """What an export holds, and what of it is wrong. `records` counts the good ones.

    `tenant` is whose records they are, as far as the lines say; `line` is that of `first_bad`,
    from 1, and `first_bad.seq` a number in the tenant's chain.
    """

    tenant: str | None
    records: int
    chains: int
    line: int | None
    first_bad: Flaw | None
    warnings: tuple[str, ...]


def export_tenant(directory: Path, tenant: str) -> Iterator[bytes]:
    """The export of `tenant` from the journal in `directory`, line by line as it is read.

    Blocks while it reads all there is: take it in a thread. Lines that were changed are given as
    they are where they still say whose they are; it is `verify_export` that judges.

    Raises:
        NotFound: there is no such directory.
        Forbidden: a file cannot be read by this user.
    """
    # Outside the generator: a missing directory is to be noticed before anything was sent.
    found = list_segments(directory)
    return (line for line in _export(found, tenant) if line)


def export_blocks(directory: Path, tenant: str) -> Iterator[bytes]:
    """As `export_tenant`, in blocks of some lines, of which each takes a bounded time.

    A block is empty where much was read and nothing of it is the tenant's.
    """
    found = list_segments(directory)
    return _blocks(_export(found, tenant))


def _blocks(lines: Iterator[bytes]) -> Iterator[bytes]:
    gathered: list[bytes] = []
    size = 0
    for line in lines:
        gathered.append(line)
        size += len(line)
        if size >= _BLOCK_BYTES or not line:
            yield b"".join(gathered)
            gathered, size = [], 0
    yield b"".join(gathered)


def _export(found: Mapping[str, list[Segment]], tenant: str) -> Iterator[bytes]:
    """The lines of an export, and an empty one after each `_PAUSE_BYTES` of the journal."""
    for writer, segments in found.items():
        yield from _export_chain(writer, segments, tenant)


def _export_chain(writer: str, segments: list[Segment], tenant: str) -> Iterator[bytes]:
    records, digest, unchained = 0, GENESIS.digest, 0
    for line in _lines_of(segments, tenant):
        if not line:
            yield b""
        elif part := part_of(line):
            records += 1
            digest = digest_of(part)
            yield part
        elif line.startswith(OLD_START):
            unchained += 1
    end = _End(tenant, writer, records, digest.decode(), unchained)
    yield _encoder.encode(_Closing(end)) + b"\n"


def _lines_of(segments: list[Segment], tenant: str) -> Iterator[bytes]:
    """Lines of records of the tenant; it is the member of the record that counts."""
    # What does not hold these bytes is not worth being parsed.
    needle = b'"tenant":' + _encoder.encode(tenant) if tenant else b""
    read_bytes = 0
    for segment in segments:
        with open_segment(segment) as file:
            for line in lines_forwards(file):
                read_bytes += len(line)
                if read_bytes >= _PAUSE_BYTES:
                    read_bytes = 0
                    yield b""
                if not line.endswith(b"\n"):
                    if len(line) < MAX_LINE_BYTES:
                        # Being written: reading on would find its rest, and go on after a gap.
                        break
                    continue
                if needle not in line or line.startswith(HEADS_START):
                    continue
                if tenant_of(line) == tenant:
                    yield line


def verify_export(lines: Iterable[bytes], tenant: str | None = None) -> ExportVerification:
    """Check an export, of `tenant` or of whichever tenant its first line names.

    Needs the lines alone. Holds one line at a time; stops at the first bad one.
    """
    reader = _Reader(tenant)
    bad: Flaw | None = None
    number = 0
    for number, line in enumerate(lines, 1):  # noqa: B007 - used after the loop
        bad = reader.read(line)
        if bad:
            break
    return ExportVerification(
        tenant=reader.tenant,
        records=reader.records,
        chains=reader.chains,
        line=number if bad else None,
        first_bad=bad,
        warnings=tuple(reader.warnings if bad else [*reader.warnings, *reader.missing_end()]),
    )


class _Reader:
    def __init__(self, tenant: str | None) -> None:
        self.tenant = tenant
        self.records = 0
        self.chains = 0
        self.warnings: list[str] = []
        self._writers: set[str] = set()
        self._begin()

    def _begin(self) -> None:
        self._head: Head | None = None
        self._count = 0

    def read(self, line: bytes) -> Flaw | None:
        if line.startswith(_END_START):
            return self._close(line)
        head = self._head or self._first_head(line)
        checked = check_part(line, head)
        if isinstance(checked, Flaw):
            return checked
        tenant = tenant_of(line)
        if self.tenant is None:
            self.tenant = tenant
        if tenant != self.tenant:
            detail = f"a record of tenant {tenant!r} among those of {self.tenant!r}"
            return Flaw(Problem.TENANT, detail, checked.seq)
        self._head = checked
        self._count += 1
        self.records += 1
        return None

    def missing_end(self) -> list[str]:
        """A warning where the last chain is not closed."""
        if self._count or not self.chains:
            return ["there is no line that closes the last chain, so its end may be missing"]
        return []

    def _first_head(self, line: bytes) -> Head:
        claimed = part_predecessor(line)
        if claimed is None or claimed.seq == 0:
            return GENESIS
        self.warnings.append(
            f"chain {self.chains + 1} begins with record {claimed.seq + 1} of its tenant; those "
            "before it are not here"
        )
        return claimed

    def _close(self, line: bytes) -> Flaw | None:
        try:
            end = _closing_decoder.decode(line).end_of_chain
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return Flaw(Problem.UNREADABLE, "the line that closes a chain cannot be read")
        head = self._head or GENESIS
        if self.tenant is None:
            self.tenant = end.tenant
        if (end.records, end.tenant_hash.encode()) != (self._count, head.digest):
            detail = f"the chain is closed after {end.records} records, {self._count} are here"
            return Flaw(Problem.GAP, detail, head.seq + 1)
        if end.tenant != self.tenant:
            return Flaw(Problem.TENANT, f"the chain is closed as one of tenant {end.tenant!r}")
        if end.writer in self._writers:
            return Flaw(Problem.GAP, f"the chain of writer {end.writer!r} is here twice")
        if end.unchained:
            self.warnings.append(
                f"{end.unchained} records of {end.writer} are from before tenants had chains of "
                "their own, and not here"
            )
        self._writers.add(end.writer)
        self.chains += 1
        self._begin()
        return None
