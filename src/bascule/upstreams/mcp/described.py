"""What a server says about itself when it is met: once for each time its era is found."""

from typing import NamedTuple

import msgspec

from bascule.protocol.versions import MODERN_VERSION, Era
from bascule.upstreams.mcp.messages import Incoming

_LONGEST_INSTRUCTIONS = 65_536


class Described(NamedTuple):
    """A server's self-description. `capabilities` is the object it advertised, as JSON."""

    era: Era
    version: str
    capabilities: bytes = b"{}"
    instructions: str = ""


class _Introduction(msgspec.Struct):
    capabilities: msgspec.Raw = msgspec.Raw(b"{}")
    instructions: str | None = None


_decode = msgspec.json.Decoder(_Introduction).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def describe(answer: Incoming, era: Era, version: str = MODERN_VERSION) -> Described:
    """Read the answer to `server/discover` or `initialize`.

    An answer that tells less than it should describes a server without capabilities.
    """
    try:
        introduction = _decode(answer.result_bytes)
        _decode_object(introduction.capabilities)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Described(era, version)
    instructions = (introduction.instructions or "")[:_LONGEST_INSTRUCTIONS]
    return Described(era, version, bytes(introduction.capabilities), instructions)
