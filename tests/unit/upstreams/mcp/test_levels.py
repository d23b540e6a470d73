import json

from structlog.testing import capture_logs

from bascule.upstreams.mcp.failures import rpc_error
from bascule.upstreams.mcp.levels import LogLevel
from bascule.upstreams.mcp.messages import Outgoing

LOGS = b'{"logging":{}}'


class Peer:
    """Remembers the levels it was set to."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.levels: list[str] = []
        self._refuses = refuses

    async def ask(self, request: Outgoing, deadline: float) -> bytes:
        assert (request.method, deadline) == ("logging/setLevel", 5.0)
        self.levels.append(json.loads(b"{%b}" % request.members)["level"])
        if self._refuses:
            raise rpc_error(-32601, "no")
        return b"{}"


async def test_level_is_raised_to_the_most_verbose_and_never_lowered() -> None:
    level, peer = LogLevel(LOGS), Peer()
    for wanted in ("warning", "error", "warning", "debug", "info"):
        await level.raise_to(wanted, peer.ask, 5.0)
    assert peer.levels == ["warning", "debug"]


async def test_server_that_does_not_log_is_not_asked() -> None:
    peer = Peer()
    await LogLevel(b"{}").raise_to("debug", peer.ask, 5.0)
    assert peer.levels == []


async def test_unheard_of_level_is_not_sent() -> None:
    peer = Peer()
    await LogLevel(LOGS).raise_to("loud", peer.ask, 5.0)
    assert peer.levels == []


async def test_refusal_is_no_failure_and_not_repeated() -> None:
    level, peer = LogLevel(LOGS), Peer(refuses=True)
    with capture_logs() as logs:
        await level.raise_to("info", peer.ask, 5.0)
        await level.raise_to("info", peer.ask, 5.0)
    assert (peer.levels, len(logs)) == (["info"], 1)
