"""Versions that a caller pins: `name@1.2` in place of a tool's name, or a header beside it."""

from typing import Final

from bascule.gateway.call import Call
from bascule.gateway.errors import ErrorCode
from bascule.gateway.tool import Tool
from bascule.gateway.verdict import Refuse

VERSION_HEADER: Final = b"x-mcp-tool-version"
_LONGEST: Final = 64


def split_pin(name: str) -> tuple[str, str]:
    """The tool's name and the version pinned behind it, "" where none is."""
    tool, _, version = name.rpartition("@")
    return (tool, version) if tool and version else (name, "")


def header_pin(call: Call) -> str:
    """The version that a header of the request pins, "" where none does."""
    if call.headers is None:
        return ""
    return call.headers.get(VERSION_HEADER, b"").decode("latin-1").strip(" \t")


def refuse_pin(tool: Tool, version: str) -> Refuse | None:
    """A refusal where `tool` is not of the pinned version, or of one that begins with it."""
    if not version or tool.version == version or tool.version.startswith(f"{version}."):
        return None
    shown = version[:_LONGEST]
    return Refuse(
        ErrorCode.TOOL_NOT_FOUND,
        public=f"{tool.name} is here in version {tool.version}, not {shown}. "
        "Pin that one, or none for the newest.",
        private=f"version {shown!r} of {tool.name} was pinned",
        details={"available": [tool.version]},
    )
