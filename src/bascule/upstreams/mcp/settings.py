"""Bounds on what an MCP upstream may send, and how long it is waited for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class McpConfig:
    """Limits of one MCP upstream.

    `max_message_bytes` bounds one JSON-RPC message, however it travels. `probe_seconds` is how
    long a child process may leave the first question of the modern era unanswered before it is
    taken for a legacy server, `start_seconds` how long its whole handshake may take before it is
    started again. `close_grace_seconds` is waited after each step of ending it:
    end of input, SIGTERM, SIGKILL.
    """

    max_message_bytes: int = 16 * 1024 * 1024
    max_pages: int = 100
    max_tools: int = 10_000
    probe_seconds: float = 5.0
    start_seconds: float = 60.0
    close_grace_seconds: float = 2.0
    max_sessions: int = 256
    """Legacy sessions held at one HTTP server at a time, one for each caller."""
    max_children: int = 8
    """Child processes of a legacy server that run at a time for callers who can be asked."""
    child_idle_seconds: float = 60.0
    """After that long without a call, such a child is ended."""
