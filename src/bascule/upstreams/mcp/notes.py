"""What an upstream's notification says changed."""

from typing import Final

import msgspec

from bascule.gateway.feed import ChangeKind
from bascule.gateway.filters import Topic
from bascule.upstreams.mcp.messages import Incoming


class _Key(msgspec.Struct, rename="camel"):
    uri: str = ""
    task_id: str = ""


_KINDS: Final = {kind.value: kind for kind in ChangeKind}
_decode = msgspec.json.Decoder(_Key).decode


def read_change(note: Incoming) -> tuple[Topic, bytes] | None:
    """The topic and params of `note`; None where it tells of no change, or not of which."""
    kind = _KINDS.get(note.method) if isinstance(note.method, str) else None
    if kind is None:
        return None
    params = bytes(note.params) if isinstance(note.params, msgspec.Raw) else b"{}"
    if kind not in {ChangeKind.RESOURCE, ChangeKind.TASK}:
        return (kind, ""), b"{}"
    try:
        named = _decode(params)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    key = named.uri if kind is ChangeKind.RESOURCE else named.task_id
    return ((kind, key), params) if key else None
