"""Definitions of MCP tools held to what was approved: a server cannot change them unseen."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from bascule.gateway.connector import Pinning
from bascule.gateway.pins import Pin
from bascule.gateway.tool import Tool

_UNKNOWN: Final = Pin()

Pins = Mapping[tuple[str, str], Pin]
"""By server and the name that it gives the tool."""


class Held(NamedTuple):
    """What a server lists, sorted out: `served`, and what waits for a decision, both in order."""

    served: tuple[Tool, ...]
    quarantined: tuple[Tool, ...] = ()


def digest_of(definition: bytes) -> bytes:
    """The SHA-256 of a Tool object, wherever its members stand and however it is spaced.

    Everything counts, `_meta` and `annotations` too: any of it can steer a model or a client.
    """
    tree = msgspec.json.decode(definition)
    return hashlib.sha256(msgspec.json.encode(tree, order="sorted")).digest()


def digests_of(tools: Sequence[Tool]) -> Mapping[str, bytes]:
    """The digest of each of a server's tools, by name."""
    return {tool.name: digest_of(tool.definition) for tool in tools}


def hold(
    server: str, tools: Sequence[Tool], digests: Mapping[str, bytes], pins: Pins, pinning: Pinning
) -> Held:
    """Sort out what `server` lists, by what was decided about it.

    A tool nobody decided about is held as well: those seen for the first time are noted before
    they get here, so that one without a note has escaped it.
    """
    if pinning is Pinning.OFF:
        return Held(tuple(tools))
    served: list[Tool] = []
    held: list[Tool] = []
    for tool in tools:
        pin = pins.get((server, tool.name), _UNKNOWN)
        approved = pin.approved and pin.approved == digests.get(tool.name)
        (served if approved else held).append(tool)
    return Held(tuple(served), tuple(held))


class News(NamedTuple):
    """What of a listing is not in force yet, by name.

    `unknown` tools have no pin. `changed` ones are neither as approved nor as last noted;
    `returned` ones are as approved again, while a change of theirs still waits.
    """

    unknown: frozenset[str]
    changed: frozenset[str]
    returned: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.unknown or self.changed or self.returned)


def news(server: str, digests: Mapping[str, bytes], pins: Pins) -> News:
    """What `server` lists and the pins in force do not know."""
    unknown: set[str] = set()
    changed: set[str] = set()
    returned: set[str] = set()
    for name, digest in digests.items():
        pin = pins.get((server, name))
        if pin is None:
            unknown.add(name)
        elif pin.approved == digest:
            if pin.seen:
                returned.add(name)
        elif pin.seen != digest:
            changed.add(name)
    return News(frozenset(unknown), frozenset(changed), frozenset(returned))
