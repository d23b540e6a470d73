"""Names in a list of many servers: each its own, unless two servers use the same one."""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import msgspec

MOST_CHARACTERS: Final = 64
"""The longest name that every model's tool interface takes."""

_UNFIT: Final = re.compile(r"[^A-Za-z0-9_.-]")
_SHORTEST_DIGEST: Final = 6

_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def front_names(
    taken: Collection[str], servers: Mapping[str, Sequence[str]], *, always: bool = False
) -> Mapping[tuple[str, str], str]:
    """The listed name for each (server, its own name).

    A name that two servers use, or that is `taken`, goes to neither: so no server gets another's
    calls by calling a tool the same. What begins like another server's prefixed names is set off
    as well, so that none can wait for them. `always` sets the server's name before every one.
    """
    uses = Counter(name for names in servers.values() for name in set(names))
    foreign = {server: _prefixes_but(server, servers) for server in servers}
    chosen: dict[tuple[str, str], str] = {}
    if not always:
        chosen = {
            (server, name): name
            for server, names in servers.items()
            for name in names
            if uses[name] == 1 and name not in taken and not name.startswith(foreign[server])
        }
    used = {*taken, *chosen.values()}
    for server, names in servers.items():
        for name in names:
            if (server, name) not in chosen:
                chosen[server, name] = _prefixed(server, name, used, foreign[server])
                used.add(chosen[server, name])
    return chosen


def _prefixes_but(server: str, servers: Collection[str]) -> tuple[str, ...]:
    return tuple(_UNFIT.sub("_", f"{other}_") for other in servers if other != server)


def _prefixed(server: str, name: str, used: Collection[str], foreign: tuple[str, ...]) -> str:
    wanted = _UNFIT.sub("_", f"{server}_{name}")
    # Of a server named "a_b", too, nobody named "a" takes the names.
    longer = tuple(one for one in foreign if one.startswith(_UNFIT.sub("_", f"{server}_")))
    if len(wanted) <= MOST_CHARACTERS and wanted not in used and not wanted.startswith(longer):
        return wanted
    digest = hashlib.sha256(f"{server}\0{name}".encode()).hexdigest()
    for length in range(_SHORTEST_DIGEST, len(digest)):
        short = f"{wanted[: MOST_CHARACTERS - length - 1]}_{digest[:length]}"
        if short not in used:
            return short
    raise ValueError(f"no name is left for {server} {name}")  # pragma: no cover - 58 names taken


def renamed(definition: bytes, name: str) -> bytes:
    """`definition` (a JSON object) under another name; all other members as they came."""
    return _encode({**_decode_members(definition), "name": name})
