"""What an endpoint says it can do: what the servers behind it can, as far as it is passed on.

Source: specification 2026-07-28, server/discover; 2025-11-25, basic/lifecycle.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, cast

import msgspec

from bascule.catalogue.slices import relayed, sole
from bascule.gateway.call import Call
from bascule.gateway.capabilities import TASKS_EXTENSION, UI_EXTENSION
from bascule.gateway.handshake import Advertised
from bascule.gateway.inventory import Inventory
from bascule.protocol.versions import Era

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_SAME_FOR_ALL: Final[Advertised] = Advertised({"tools": {}})


@dataclass(frozen=True, slots=True)
class Relayed:
    """What is passed on, besides requests, from servers to callers.

    `changes`: notifications of changed lists and resources. `logging`: log messages, and the
    level wanted. `tasks`: handles of work that goes on after its result.
    """

    changes: bool = False
    logging: bool = False
    tasks: bool = False


class Advertising:
    """Makes up the capabilities for the endpoint of a call."""

    def __init__(self, instructions: str, what: Relayed) -> None:
        """`instructions` are for endpoints that are no single server's."""
        self._instructions = instructions
        self._what = what

    def advertise(self, call: Call) -> Advertised:
        """The union over the servers of the slice, and the instructions of one that is alone."""
        if call.principal is None:
            return _SAME_FOR_ALL
        view = call.snapshot.tenant(call.principal.tenant)
        names = relayed(view, call.endpoint, call.principal)
        alone = view.inventories.get(sole(view, call.endpoint, names) or "")
        words = alone.instructions if alone is not None else ""
        found = [one for name in names if (one := view.inventories.get(name)) is not None]
        return Advertised(self._capabilities(found, call.era), words or self._instructions)

    def _capabilities(self, inventories: list[Inventory], era: Era) -> dict[str, object]:
        changes = {"listChanged": True} if self._what.changes else {}
        all_of: dict[str, object] = {"tools": dict(changes)}
        for inventory in inventories:
            one = declared(inventory.capabilities)
            if "prompts" in one:
                all_of["prompts"] = dict(changes)
            if "resources" in one:
                all_of["resources"] = self._resources(one, all_of.get("resources"), changes)
            if "completions" in one:
                all_of["completions"] = {}
            if "logging" in one and self._what.logging:
                all_of["logging"] = {}
            if era is Era.MODERN:
                self._extend(all_of, one)
        return all_of

    def _resources(
        self, one: dict[str, Any], before: object, changes: dict[str, bool]
    ) -> dict[str, object]:
        said = _members(one["resources"])
        subscribe = self._what.changes and said.get("subscribe") is True
        return {**_members(before), **changes, **({"subscribe": True} if subscribe else {})}

    def _extend(self, all_of: dict[str, object], one: dict[str, Any]) -> None:
        """An extension is advertised with what the first server says about it."""
        extensions = _members(one.get("extensions"))
        known = (UI_EXTENSION, TASKS_EXTENSION) if self._what.tasks else (UI_EXTENSION,)
        kept = {name: extensions[name] for name in known if isinstance(extensions.get(name), dict)}
        if kept:
            all_of["extensions"] = {**kept, **_members(all_of.get("extensions"))}


@lru_cache(maxsize=1024)
def declared(capabilities: bytes) -> dict[str, Any]:
    """The members of a server's capabilities that are objects; not to be changed."""
    try:
        members = _decode(capabilities)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return {name: value for name, value in members.items() if isinstance(value, dict)}


def _members(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
