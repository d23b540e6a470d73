"""Lines that give the heads of all tenants' chains, and the search for the latest ones.

Each segment but the first begins with them, and they come again before what follows has grown too
long to be read at a start. So the chains can be continued without reading the whole journal, and
verified where older segments are elsewhere. Many tenants take several lines, in a group: only a
whole group counts, since a crash may leave a part of one.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Annotated, Final, NamedTuple

import msgspec

from bascule.audit.lines import (
    HEADS_START,
    MAX_RECORD_BYTES,
    OLD_START,
    Head,
    seal_heads,
)
from bascule.audit.segments import Segment, lines_backwards

HEADS_EVERY_BYTES: Final = 4 * 1024 * 1024
"""How much may follow a group before the next one, as long as it is small: 10 ms to read."""

_SPARSENESS: Final = 32
"""So many times its length follow a group at least, however many tenants there are."""

_Number = Annotated[int, msgspec.Meta(ge=1)]
_Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class _Part(msgspec.Struct, gc=False):
    heads: dict[str, tuple[_Number, _Digest]]
    part: _Number
    parts: _Number


class _Own(msgspec.Struct, gc=False):
    tenant_seq: _Number
    tenant_hash: _Digest
    tenant: str = ""


_part_decoder = msgspec.json.Decoder(_Part)
_own_decoder = msgspec.json.Decoder(_Own)
_encoder = msgspec.json.Encoder()


class Found(NamedTuple):
    """The heads by tenant, and how many bytes may follow before they are written again."""

    heads: dict[str, Head]
    until_heads_bytes: int


def heads_budget(group_bytes: int) -> int:
    """How many bytes of records may follow a group of that length before the next one."""
    return max(HEADS_EVERY_BYTES, _SPARSENESS * group_bytes)


def heads_lines(heads: Mapping[str, Head], head: Head) -> Iterator[tuple[bytes, Head]]:
    """The lines of one group, to follow `head`, each with the head of the journal after it."""
    parts = list(_packed(heads))
    for number, members in enumerate(parts, 1):
        content = b'%b{%b},"part":%d,"parts":%d' % (HEADS_START, members, number, len(parts))
        line, head = seal_heads(content, head)
        yield line, head


def _packed(heads: Mapping[str, Head]) -> Iterator[bytes]:
    members: list[bytes] = []
    size = 0
    for tenant, head in heads.items():
        member = b'%b:[%d,"%b"]' % (_encoder.encode(tenant), head.seq, head.digest)
        if members and size + len(member) > MAX_RECORD_BYTES:
            yield b",".join(members)
            members, size = [], 0
        members.append(member)
        size += len(member) + 1
    yield b",".join(members)


class Group:
    """Gathers the lines of a group, in the order of the journal or against it."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []
        self.bytes = 0

    def add(self, line: bytes) -> dict[str, Head] | None:
        """Take a line of heads; gives the heads once the group is whole.

        Raises:
            msgspec.MsgspecError: it is no such line.
            UnicodeDecodeError: it is not UTF-8.
        """
        part = _part_decoder.decode(line)
        if not self._goes_on(part):
            self._parts = []
        if not self._parts:
            self.bytes = 0
        self._parts.append(part)
        self.bytes += len(line)
        if len(self._parts) < part.parts:
            return None
        whole = self._parts
        self._parts = []
        if {part.part for part in whole} != set(range(1, part.parts + 1)):
            return None
        return {
            tenant: Head(seq, digest.encode())
            for one in whole
            for tenant, (seq, digest) in one.heads.items()
        }

    def interrupt(self) -> None:
        """Another line came: what was gathered is the beginning of a group that has no end."""
        self._parts = []

    def _goes_on(self, part: _Part) -> bool:
        last = [*self._parts[-2:], part]
        steps = {after.part - before.part for before, after in pairwise(last)}
        return steps in ({1}, {-1}) and all(one.parts == part.parts for one in last)


def find_heads(segments: list[Segment], end: int) -> Found | None:
    """The heads of all tenants at byte `end` of the last of `segments`, which a good line ends at.

    Reads backwards to the latest group. None where that is in a segment that is not here. Lines
    from before tenants had chains of their own say nothing, and nothing before them does.

    Raises:
        msgspec.MsgspecError: a line on the way cannot be read.
        UnicodeDecodeError: likewise.
        OSError: a segment cannot be read.
    """
    search = _Search()
    first, last = segments[-1], segments[-1]
    for segment in reversed(segments):
        if segment not in {last, Segment(first.directory, first.writer, first.number - 1)}:
            return None
        search.turn_over()
        with segment.path.open("rb") as file:
            for line in lines_backwards(file, end if segment == last else None):
                if search.read(line):
                    return Found(search.heads, search.budget if segment == last else 0)
        first = segment
    if first.number > 1:
        return None
    return Found(search.heads, max(0, HEADS_EVERY_BYTES - end) if first == last else 0)


class _Search:
    """What lines say that are read backwards: the latest word about each tenant counts."""

    def __init__(self) -> None:
        self.heads: dict[str, Head] = {}
        self.budget = 0
        self._bytes = 0
        self._group = Group()

    def turn_over(self) -> None:
        """Another segment begins, which no group reaches into."""
        self._group.interrupt()

    def read(self, line: bytes) -> bool:
        """Take note of a line without its newline; True where those before it add nothing."""
        if line.startswith(HEADS_START):
            heads = self._group.add(line)
            if heads is None:
                return False
            self.heads = heads | self.heads
            self.budget = max(0, heads_budget(self._group.bytes) - self._bytes)
            return True
        if line.startswith(OLD_START):
            return True
        self._group.interrupt()
        self._bytes += len(line)
        own = _own_decoder.decode(line)
        self.heads.setdefault(own.tenant, Head(own.tenant_seq, own.tenant_hash.encode()))
        return False
