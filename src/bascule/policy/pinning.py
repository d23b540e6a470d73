"""Versions that a caller pins: `name@1.2` in place of a tool's name, or a header beside it."""

from collections.abc import Sequence
from typing import Final

from bascule.gateway.call import Call
from bascule.gateway.errors import ErrorCode
from bascule.gateway.tool import Release, Tool
from bascule.gateway.verdict import Refuse

VERSION_HEADER: Final = b"x-mcp-tool-version"
_LONGEST: Final = 64
_MOST_NAMED: Final = 20


def split_pin(name: str) -> tuple[str, str]:
    """The tool's name and the version pinned behind it, "" where none is."""
    tool, _, version = name.rpartition("@")
    return (tool, version) if tool and version else (name, "")


def header_pin(call: Call) -> str:
    """The version that a header of the request pins, "" where none does."""
    sent = None if call.headers is None else call.headers.get(VERSION_HEADER)
    return "" if sent is None else sent.decode("latin-1").strip(" \t")


def refuse_release(call: Call, name: str, releases: Sequence[Release]) -> Refuse:
    """A refusal that names the releases of the bundle `name`: the pinned one is none of them."""
    pin = call.endpoint.name.removeprefix(f"{name}@")[:_LONGEST]
    available = [one.version for one in releases[:_MOST_NAMED]]
    there_are = f"There are {', '.join(available)}." if available else "It has none."
    return Refuse(
        ErrorCode.NOT_FOUND,
        public=f"The bundle {name} has no release {pin}. {there_are}",
        private=f"release {pin!r} of bundle {name} was pinned",
        details={"available": available},
    )


def refuse_pins(versions: Sequence[Tool], pins: Sequence[str]) -> Refuse:
    """A refusal that names the `versions` there are for the caller: none fits all of `pins`."""
    name = versions[0].name
    available = [one.version for one in versions[:_MOST_NAMED]]
    shown = " and ".join(pin[:_LONGEST] for pin in pins)
    return Refuse(
        ErrorCode.TOOL_NOT_FOUND,
        public=f"{name} is here in version {', '.join(available)}, not {shown}. "
        f"Pin {'that one' if len(available) == 1 else 'one of these'}, or none for the newest.",
        private=f"version {shown!r} of {name} was pinned",
        details={"available": available},
    )
