"""How severe a log message is, and how severe one must be to be wanted.

Source: specification 2026-07-28, schema.ts `LoggingLevel` (RFC 5424 section 6.2.1).
"""

from typing import Final

import msgspec

LEVELS: Final = (
    "debug", "info", "notice", "warning", "error", "critical", "alert", "emergency",
)  # fmt: skip
USUAL_LEVEL: Final = "info"

_RANKS: Final = {level: rank for rank, level in enumerate(LEVELS)}


class _Levelled(msgspec.Struct):
    level: str = ""


_decode = msgspec.json.Decoder(_Levelled).decode


def at_least(params: bytes, wanted: str) -> bool:
    """Whether the `params` of a log message name a level, and one as severe as `wanted`."""
    try:
        rank = _RANKS.get(_decode(params).level)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return rank is not None and rank >= _RANKS[wanted]
