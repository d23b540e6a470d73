"""The bytes of a journal: one record per line, each line sealed to two lines before it.

A line is, without the spaces, and with a newline after it:

    {"tenant_seq":n, "tenant_prev":"...", <fields of the record>, "tenant_hash":"...",
     "snapshot_version":v, "seq":N, "prev":"...", "hash":"..."}

`seq` and `prev` are its number and the hash of the line before it. `tenant_seq` and `tenant_prev`
are the same among the lines of its tenant, those without a tenant being a chain too. Each of the
two hashes is SHA-256 over every byte of the line before it, so a line is checked as it lies there
and nobody has to agree on a canonical form of JSON. Up to `tenant_hash` a line says nothing about
other tenants, and that much of it verifies alone (`tenants`). The first line of a chain has number
1 and 64 zeros for the hash before it.

Two other lines are read. Journals made before tenants had chains of their own begin with lines
`{"seq":N,"prev":"...",<fields>,"hash":"..."}`. And now and then a line gives the heads of all
tenants (`heads`): that is no record, so it has the number of the record before it.
"""

import re
from enum import StrEnum
from hashlib import sha256
from typing import Final

import msgspec

from bascule.gateway.record import AuditRecord

MAX_RECORD_BYTES: Final = 256 * 1024
"""A longer record is written without its arguments: one caller must not fill the journal."""

MAX_LINE_BYTES: Final = MAX_RECORD_BYTES + 1024

SECTOR_BYTES: Final = 512
"""The smallest unit a disk loses; a file that grew but was not filled reads as zeros there."""

_LONGEST_KEPT_TEXT: Final = 1000
_NEWLINE: Final = 0x0A
_SUFFIX_BYTES: Final = len(b',"hash":""}\n') + 64

OLD_START: Final = b'{"seq":'
"""How the line of a record begins that was made before tenants had chains of their own."""

RECORD_START: Final = b'{"tenant_seq":'
HEADS_START: Final = b'{"heads":'

_OLD_PREFIX: Final = re.compile(rb'\{"seq":(\d{1,18}),"prev":"([0-9a-f]{64})",')
_PLACE: Final = re.compile(
    rb',"seq":(\d{1,18}),"prev":"([0-9a-f]{64})","hash":"[0-9a-f]{64}"\}\n\Z'
)
_LONGEST_PLACE_BYTES: Final = len(b',"seq":,"prev":""') + 18 + 64 + _SUFFIX_BYTES
_SEAL: Final = re.compile(rb',"hash":"[0-9a-f]{64}"\}')
_EVENT_ID: Final = re.compile(rb'"event_id":"([^"\\\x00-\x1f]{1,100})"')

_encoder = msgspec.json.Encoder()
_lenient_encoder = msgspec.json.Encoder(enc_hook=repr)


class Head(msgspec.Struct, frozen=True, gc=False):
    """The end of a chain: number and hash (64 lower-case hexadecimal digits) of its last line."""

    seq: int
    digest: bytes


GENESIS: Final = Head(0, b"0" * 64)


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A record as JSON members without the braces around them, ready to be sealed.

    `fields` are for its tenant to see. `outer`, empty or led by a comma, is for the operator alone.
    `tenant` is the one that `fields` names.
    """

    tenant: str
    fields: bytes
    outer: bytes = b""


class Problem(StrEnum):
    """What may be wrong with a line or a segment."""

    HASH = "hash does not match"
    LINK = "link broken"
    GAP = "sequence gap"
    UNREADABLE = "unreadable"
    MISSING_SEGMENT = "segment missing"
    TENANT = "tenant's chain broken"


class Flaw(msgspec.Struct, frozen=True):
    """A line that does not continue the chain; `seq` and `event_id` where they can be read."""

    problem: Problem
    detail: str
    seq: int | None = None
    event_id: str | None = None


def encode(record: AuditRecord) -> Entry:
    """`record` as JSON, in the two parts of its line.

    Never refuses a record: what cannot be encoded, or is longer than `MAX_RECORD_BYTES`, is
    written without arguments and with the reason in its metadata.
    """
    try:
        encoded = _encoder.encode(record)
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as refused:
        return _encode_reduced(record, f"not encodable as JSON: {type(refused).__name__}")
    if len(encoded) > MAX_RECORD_BYTES:
        return _encode_reduced(record, f"{len(encoded)} bytes, more than {MAX_RECORD_BYTES}")
    if _NEWLINE in encoded:  # only `msgspec.Raw` can bring one in, and it would end the line
        return _encode_reduced(record, "a raw value held a line break")
    return _entry(record, encoded)


def _entry(record: AuditRecord, encoded: bytes) -> Entry:
    # Snapshots are numbered as all tenants change them. The number is the last field of a record,
    # and left out where it is 0.
    version = record.snapshot_version
    outer = b',"snapshot_version":%d' % version if version else b""
    return Entry(record.tenant, encoded[1 : -1 - len(outer)], outer)


def _encode_reduced(record: AuditRecord, reason: str) -> Entry:
    texts = {
        name: value[:_LONGEST_KEPT_TEXT].encode(errors="replace").decode()
        for name, value in msgspec.structs.asdict(record).items()
        if type(value) is str
    }
    reduced = msgspec.structs.replace(
        record, **texts, arguments=None, metadata={"record_reduced": reason}
    )
    return _entry(reduced, _lenient_encoder.encode(reduced))


def seal(entry: Entry, head: Head, tenant_head: Head) -> tuple[bytes, Head, Head]:
    """The line of `entry` after those two, and the heads of both chains with it."""
    seq, own_seq = head.seq + 1, tenant_head.seq + 1
    own = (own_seq, tenant_head.digest, entry.fields)
    inner = b'{"tenant_seq":%d,"tenant_prev":"%b",%b' % own
    # One pass over the bytes gives both hashes, as one of them is over the beginning of the other.
    sha = sha256(inner)
    own_digest = sha.hexdigest().encode()
    place = (own_digest, entry.outer, seq, head.digest)
    outer = b',"tenant_hash":"%b"%b,"seq":%d,"prev":"%b"' % place
    sha.update(outer)
    digest = sha.hexdigest().encode()
    line = b"".join((inner, outer, b',"hash":"', digest, b'"}\n'))
    return line, Head(seq, digest), Head(own_seq, own_digest)


def seal_heads(members: bytes, head: Head) -> tuple[bytes, Head]:
    """The line of `members`, which begin as `HEADS_START`, after `head`; and the head with it."""
    body = b'%b,"seq":%d,"prev":"%b"' % (members, head.seq, head.digest)
    digest = sha256(body).hexdigest().encode()
    return b'%b,"hash":"%b"}\n' % (body, digest), Head(head.seq, digest)


def check(line: bytes, head: Head) -> Head | Flaw:
    """The head after `line`, or why the line (with its newline) does not follow `head`.

    It is about the writer's chain; see `tenants` for those of tenants.
    """
    body = line[:-_SUFFIX_BYTES]
    digest = sha256(body).hexdigest().encode()
    if line.endswith(b',"hash":"%b"}\n' % digest):
        seq = head.seq if line.startswith(HEADS_START) else head.seq + 1
        if _is_at(body, seq, head.digest):
            return Head(seq, digest)
    return find_flaw(line, head, predecessor(line), is_as_written=_own_hash_matches(line))


def _is_at(body: bytes, seq: int, prev: bytes) -> bool:
    if body.startswith((RECORD_START, HEADS_START)):
        return body.endswith(b',"seq":%d,"prev":"%b"' % (seq, prev))
    return body.startswith(b'{"seq":%d,"prev":"%b",' % (seq, prev))


def predecessor(line: bytes) -> Head | None:
    """The head `line` says it follows; None where it does not look like a line of a journal."""
    if old := _OLD_PREFIX.match(line):
        return Head(int(old[1]) - 1, old[2])
    place = _PLACE.search(line, max(0, len(line) - _LONGEST_PLACE_BYTES))
    if place is None or not line.startswith((RECORD_START, HEADS_START)):
        return None
    return Head(int(place[1]) - (not line.startswith(HEADS_START)), place[2])


def is_torn(remainder: bytes) -> bool:
    """Whether `remainder`, the bytes after the last good line, look like an unfinished write.

    A write that was cut off leaves the start of a line, zeros, or both; one whose sectors
    reached the disk out of order leaves whole sectors of zeros between good ones. Everything
    else was changed after it was written.
    """
    content = remainder.rstrip(b"\0")
    first_line, newline, _ = content.partition(b"\n")
    if newline:
        return b"\0" * SECTOR_BYTES in first_line
    return not _is_whole_but_altered(content)


def _is_whole_but_altered(content: bytes) -> bool:
    # A whole line with something other than a newline after it: no write stops like that.
    ends = (seal.end() for seal in _SEAL.finditer(content))
    return any(_own_hash_matches(content[:end] + b"\n") for end in ends if end < len(content))


def _own_hash_matches(line: bytes) -> bool:
    digest = sha256(line[:-_SUFFIX_BYTES]).hexdigest().encode()
    return line.endswith(b',"hash":"%b"}\n' % digest)


def find_flaw(line: bytes, head: Head, claimed: Head | None, *, is_as_written: bool) -> Flaw:
    """Why `line`, which says that it follows `claimed`, does not follow `head`.

    `is_as_written` says that its own hash is right.
    """
    event_id = _EVENT_ID.search(line)
    problem, detail = _problem(line, head, claimed, is_as_written=is_as_written)
    return Flaw(
        problem,
        detail,
        claimed.seq + 1 if claimed else None,
        event_id[1].decode(errors="replace") if event_id else None,
    )


def _problem(
    line: bytes, head: Head, claimed: Head | None, *, is_as_written: bool
) -> tuple[Problem, str]:
    if not is_as_written:
        if _is_json(line):
            return Problem.HASH, "the line was changed after it was written"
        return Problem.UNREADABLE, "the line is not a whole JSON object"
    if claimed is None:
        return Problem.UNREADABLE, "the line does not say its number and what it follows"
    if claimed.seq != head.seq:
        return Problem.GAP, f"record {head.seq + 1} was expected, {claimed.seq + 1} is here"
    return Problem.LINK, "the line does not follow the one before it"


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return line.endswith(b"\n")
