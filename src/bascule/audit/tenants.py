"""The chains of tenants: what of a line is its tenant's, and whether it continues what was before.

A tenant's part of a line is the line up to its `tenant_hash`, and a brace:

    {"tenant_seq":n, "tenant_prev":"...", <fields of the record>, "tenant_hash":"..."}

So it is cut out, not made anew, and the lines of one tenant prove by themselves that none was
changed, taken out or moved. They say nothing of the lines of others, not even how many there are.
"""

import re
from hashlib import sha256
from typing import Final

import msgspec

from bascule.audit.heads import Group
from bascule.audit.lines import (
    GENESIS,
    HEADS_START,
    OLD_START,
    RECORD_START,
    Flaw,
    Head,
    Problem,
    find_flaw,
    predecessor,
)

_PREFIX: Final = re.compile(rb'\{"tenant_seq":(\d{1,18}),"tenant_prev":"([0-9a-f]{64})",')
_MEMBER: Final = b',"tenant_hash":"'
_END: Final = b'"}\n'
_DIGEST_BYTES: Final = 64
_SUFFIX_BYTES: Final = len(_MEMBER) + _DIGEST_BYTES + len(_END)
_LONGEST_OUTER_BYTES: Final = 400


class _Whose(msgspec.Struct, gc=False):
    tenant: str = ""


_decoder = msgspec.json.Decoder(_Whose)


def part_of(line: bytes) -> bytes | None:
    """The tenant's part of the line of a record, with a newline; None where it has none.

    It is for `check_part` to say whether it is as it was written.
    """
    if not line.startswith(RECORD_START) or not line.endswith(_END):
        return None
    # The last one is the journal's own: what a caller sent lies before it, and quotes escaped.
    member = line.rfind(_MEMBER, max(0, len(line) - _LONGEST_OUTER_BYTES))
    return line[: member + len(_MEMBER) + _DIGEST_BYTES] + _END if member > 0 else None


def tenant_of(part: bytes) -> str | None:
    """Whose part it is: the record's own member, wherever else the word may stand.

    Empty for records of no tenant; None where that cannot be read.
    """
    try:
        return _decoder.decode(part).tenant
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def check_part(part: bytes, head: Head) -> Head | Flaw:
    """The head of the tenant's chain after `part`, or why it does not follow `head`."""
    digest = sha256(part[:-_SUFFIX_BYTES]).hexdigest().encode()
    is_as_written = part.endswith(b'%b%b"}\n' % (_MEMBER, digest))
    seq = head.seq + 1
    link = b'{"tenant_seq":%d,"tenant_prev":"%b",' % (seq, head.digest)
    if is_as_written and part.startswith(link):
        return Head(seq, digest)
    return find_flaw(part, head, part_predecessor(part), is_as_written=is_as_written)


def digest_of(part: bytes) -> bytes:
    """The hash that `part` gives for itself."""
    return part[-len(_END) - _DIGEST_BYTES : -len(_END)]


def part_predecessor(part: bytes) -> Head | None:
    """The head of the tenant's chain that `part` says it follows."""
    prefix = _PREFIX.match(part)
    return Head(int(prefix[1]) - 1, prefix[2]) if prefix else None


class TenantChains:
    """Follows the chains of all tenants through the lines of one writer; holds a head of each."""

    def __init__(self, *, from_the_start: bool) -> None:
        """`from_the_start` says that the first line that will come is the first of the journal."""
        self.heads: dict[str, Head] = {}
        self.unchained = 0
        """Records from before tenants had chains of their own."""
        self._is_complete = from_the_start
        self._has_begun = False
        self._group = Group()

    def follow(self, line: bytes) -> Flaw | None:
        """Take the next line, which continues the writer's chain; why it breaks its tenant's."""
        if line.startswith(HEADS_START):
            self._has_begun = True
            return self._compare(line)
        self._group.interrupt()
        if line.startswith(OLD_START):
            return self._pass_over(line)
        self._has_begun = True
        part = part_of(line)
        tenant = tenant_of(part) if part else None
        if part is None or tenant is None:
            return _broken(line, "the line does not say its place in its tenant's chain")
        head = self.heads.get(tenant)
        if head is None:
            # Where the journal begins is elsewhere, what the line says it follows has to do.
            head = GENESIS if self._is_complete else part_predecessor(part) or GENESIS
        checked = check_part(part, head)
        if isinstance(checked, Flaw):
            return _broken(line, f"in the chain of tenant {tenant!r}: {checked.detail}")
        self.heads[tenant] = checked
        return None

    def _pass_over(self, line: bytes) -> Flaw | None:
        if self._has_begun:
            return _broken(line, "the line has no place in its tenant's chain")
        self._is_complete = True
        self.unchained += 1
        return None

    def _compare(self, line: bytes) -> Flaw | None:
        try:
            heads = self._group.add(line)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return _broken(line, "the heads of the tenants' chains cannot be read")
        if heads is None:
            return None
        wrong = [tenant for tenant, head in self.heads.items() if heads.get(tenant) != head]
        if self._is_complete:
            wrong += heads.keys() - self.heads.keys()
        if wrong:
            return _broken(line, f"the chain of tenant {min(wrong)!r} does not end as it is said")
        self.heads, self._is_complete = heads, True
        return None


def _broken(line: bytes, detail: str) -> Flaw:
    flaw = find_flaw(line, GENESIS, predecessor(line), is_as_written=True)
    seq = None if line.startswith(HEADS_START) else flaw.seq  # heads have no number of their own
    return Flaw(Problem.TENANT, detail, seq, flaw.event_id)
