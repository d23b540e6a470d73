"""What was approved of the tools that MCP servers define."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pin:
    """A decision about one tool of one server.

    `approved` is the SHA-256 of the definition that may be served; b"" where none may.
    `seen` is that of the latest definition that was not, and waits for a decision; b"" for none.
    """

    approved: bytes = b""
    seen: bytes = b""
