"""The bytes of a journal: one record per line, each line sealed to the one before it.

A line is `{"seq":N,"prev":"<hash of the line before>",<fields of the record>,"hash":"<own>"}`
and a newline. The hash is SHA-256 over every byte of the line before `,"hash":`, so a line is
checked as it lies there and nobody has to agree on a canonical form of JSON. The first line of
a writer has number 1 and 64 zeros for `prev`.
"""

import hashlib
import re
from enum import StrEnum
from typing import Final

import msgspec

from bascule.gateway.record import AuditRecord

MAX_RECORD_BYTES: Final = 256 * 1024
"""A longer record is written without its arguments: one caller must not fill the journal."""

MAX_LINE_BYTES: Final = MAX_RECORD_BYTES + 1024

SECTOR_BYTES: Final = 512
"""The smallest unit a disk loses; a file that grew but was not filled reads as zeros there."""

_LONGEST_KEPT_TEXT: Final = 1000
_SUFFIX_BYTES: Final = len(b',"hash":""}\n') + 64
_PREFIX: Final = re.compile(rb'\{"seq":(\d{1,18}),"prev":"([0-9a-f]{64})",')
_SEQ: Final = re.compile(rb'\{"seq":(\d{1,18}),')
_SEAL: Final = re.compile(rb',"hash":"[0-9a-f]{64}"\}')
_EVENT_ID: Final = re.compile(rb'"event_id":"([^"\\\x00-\x1f]{1,100})"')

_encoder = msgspec.json.Encoder()
_lenient_encoder = msgspec.json.Encoder(enc_hook=repr)


class Head(msgspec.Struct, frozen=True, gc=False):
    """The end of a chain: number and hash (64 lower-case hexadecimal digits) of its last line."""

    seq: int
    digest: bytes


GENESIS: Final = Head(0, b"0" * 64)


class Problem(StrEnum):
    """What may be wrong with a line or a segment."""

    HASH = "hash does not match"
    LINK = "link broken"
    GAP = "sequence gap"
    UNREADABLE = "unreadable"
    MISSING_SEGMENT = "segment missing"


class Flaw(msgspec.Struct, frozen=True):
    """A line that does not continue the chain; `seq` and `event_id` where they can be read."""

    problem: Problem
    detail: str
    seq: int | None = None
    event_id: str | None = None


def encode(record: AuditRecord) -> bytes:
    """The fields of `record` as JSON members, without the braces around them.

    Never refuses a record: what cannot be encoded, or is longer than `MAX_RECORD_BYTES`, is
    written without arguments and with the reason in its metadata.
    """
    try:
        fields = _encoder.encode(record)[1:-1]
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as refused:
        return _encode_reduced(record, f"not encodable as JSON: {type(refused).__name__}")
    if len(fields) > MAX_RECORD_BYTES:
        return _encode_reduced(record, f"{len(fields)} bytes, more than {MAX_RECORD_BYTES}")
    if b"\n" in fields:  # only `msgspec.Raw` can bring one in, and it would end the line
        return _encode_reduced(record, "a raw value held a line break")
    return fields


def _encode_reduced(record: AuditRecord, reason: str) -> bytes:
    texts = {
        name: value[:_LONGEST_KEPT_TEXT].encode(errors="replace").decode()
        for name, value in msgspec.structs.asdict(record).items()
        if type(value) is str
    }
    reduced = msgspec.structs.replace(
        record, **texts, arguments=None, metadata={"record_reduced": reason}
    )
    return _lenient_encoder.encode(reduced)[1:-1]


def seal(seq: int, prev: bytes, fields: bytes) -> tuple[bytes, bytes]:
    """The line number `seq` after the line with hash `prev`, and the hash of the new line."""
    body = b'{"seq":%d,"prev":"%b",%b' % (seq, prev, fields)
    digest = hashlib.sha256(body).hexdigest().encode()
    return b'%b,"hash":"%b"}\n' % (body, digest), digest


def check(line: bytes, head: Head) -> Head | Flaw:
    """The head after `line`, or why the line (with its newline) does not follow `head`."""
    seq = head.seq + 1
    digest = hashlib.sha256(line[:-_SUFFIX_BYTES]).hexdigest().encode()
    if line.endswith(b',"hash":"%b"}\n' % digest) and line.startswith(
        b'{"seq":%d,"prev":"%b",' % (seq, head.digest)
    ):
        return Head(seq, digest)
    return _diagnose(line, head)


def predecessor(line: bytes) -> Head | None:
    """The head `line` says it follows; None where it does not look like a line of a journal."""
    prefix = _PREFIX.match(line)
    return Head(int(prefix[1]) - 1, prefix[2]) if prefix else None


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
    digest = hashlib.sha256(line[:-_SUFFIX_BYTES]).hexdigest().encode()
    return line.endswith(b',"hash":"%b"}\n' % digest)


def _diagnose(line: bytes, head: Head) -> Flaw:
    seq, event_id = _SEQ.match(line), _EVENT_ID.search(line)
    number = int(seq[1]) if seq else None
    problem, detail = _problem(line, head)
    return Flaw(problem, detail, number, event_id[1].decode(errors="replace") if event_id else None)


def _problem(line: bytes, head: Head) -> tuple[Problem, str]:
    if not _own_hash_matches(line):
        if _is_json(line):
            return Problem.HASH, "the line was changed after it was written"
        return Problem.UNREADABLE, "the line is not a whole JSON object"
    claimed = predecessor(line)
    if claimed is None:
        return Problem.UNREADABLE, "the line does not begin with its number and link"
    if claimed.seq != head.seq:
        return Problem.GAP, f"record {head.seq + 1} was expected, {claimed.seq + 1} is here"
    return Problem.LINK, "the line does not follow the one before it"


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return line.endswith(b"\n")
