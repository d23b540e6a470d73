"""How much a legacy session's server logs: the level is the session's, not the request's.

Source: specification 2025-11-25, server/utilities/logging "Setting Log Level".
"""

import msgspec
import structlog

from bascule.gateway.errors import GatewayError
from bascule.protocol.levels import LEVELS
from bascule.upstreams.mcp.messages import Outgoing, member
from bascule.upstreams.mcp.subscribing import Ask

_log = structlog.get_logger(__name__)

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class LogLevel:
    """Is raised to the most verbose that any request wanted; what is too much is dropped here."""

    def __init__(self, capabilities: bytes) -> None:
        """`capabilities` is what the server advertised, as JSON."""
        self._can_be_set = "logging" in _decode(capabilities)
        self._rank = len(LEVELS)

    async def raise_to(self, level: str, ask: Ask, deadline: float) -> None:
        """Have the server log at least from `level` on; that it will not is no failure."""
        rank = LEVELS.index(level) if level in LEVELS else self._rank
        if rank >= self._rank or not self._can_be_set:
            return
        self._rank = rank
        try:
            await ask(Outgoing("logging/setLevel", member("level", level)), deadline)
        except GatewayError as failure:
            _log.info("upstream.level_not_set", level=level, reason=failure.private)
