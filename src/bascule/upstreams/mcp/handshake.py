"""How a conversation over stdio begins, decided message by message. No I/O.

Source: specification 2026-07-28, basic/transports/stdio "Backward Compatibility".
"""

from bascule.protocol.versions import Era
from bascule.upstreams.mcp.described import Described, describe
from bascule.upstreams.mcp.messages import (
    INITIALIZED,
    Incoming,
    Outgoing,
    RpcError,
    encode,
    encode_initialize,
)
from bascule.upstreams.mcp.versions import NoCommonVersion, era_of, legacy_version


class Handshake:
    """Asks `server/discover` first; what is not a modern answer leads to `initialize`.

    `era` and `described` are set once the server's era is known and it may be spoken to,
    `failure` once it is clear that it never will be.
    """

    def __init__(self, probe_id: str, initialize_id: str, capabilities: bytes = b"{}") -> None:
        """`capabilities` are what a legacy server is told that it may ask for, as JSON."""
        self._capabilities = capabilities
        self._probe_id = probe_id
        self._initialize_id = initialize_id
        self.is_probing = False
        self.era: Era | None = None
        self.described: Described | None = None
        self.failure: str | None = None

    @property
    def is_over(self) -> bool:
        """Nothing more is to be sent or awaited."""
        return self.era is not None or self.failure is not None

    def begin(self, *, probe: bool) -> bytes:
        """The first message; without `probe` the server is taken for a legacy one at once."""
        if not probe:
            return encode_initialize(self._initialize_id, self._capabilities)
        self.is_probing = True
        return encode(self._probe_id, Outgoing("server/discover"), Era.MODERN)

    def stop_probing(self) -> bytes | None:
        """Give up waiting for the answer to the probe; gives what to send instead.

        A modern server that was merely slow is still recognised when that answer comes.
        """
        if self.is_over or not self.is_probing:
            return None
        self.is_probing = False
        return encode_initialize(self._initialize_id, self._capabilities)

    def take(self, answer: Incoming) -> bytes | None:
        """Take in a response; gives what to send next, if anything."""
        if self.is_over:
            return None
        if answer.id == self._probe_id:
            return self._take_probe(answer)
        if answer.id == self._initialize_id:
            return self._take_initialize(answer)
        return None

    def _take_probe(self, answer: Incoming) -> bytes | None:
        try:
            era = era_of(answer)
        except NoCommonVersion as refusal:
            self.failure = f"{refusal}, which is not spoken here"
            return None
        if era is Era.MODERN:
            self.era, self.described = era, describe(answer, era)
            return None
        return self.stop_probing()

    def _take_initialize(self, answer: Incoming) -> bytes | None:
        if isinstance(answer.error, RpcError):
            text = answer.error.message[:200]
            self.failure = f"it refused to initialize ({answer.error.code}: {text})"
            return None
        try:
            version = legacy_version(answer)
        except (NoCommonVersion, ValueError) as refusal:
            self.failure = f"it could not be initialized: {refusal}"
            return None
        self.era, self.described = Era.LEGACY, describe(answer, Era.LEGACY, version)
        return INITIALIZED
