"""What a caller says it can be asked for, as far as the gateway relays it.

Source: specification 2026-07-28, basic/index "_meta" and schema.ts `ClientCapabilities`.
"""

from functools import lru_cache
from typing import Any, Final, cast

import msgspec

TASKS_EXTENSION: Final = "io.modelcontextprotocol/tasks"
UI_EXTENSION: Final = "io.modelcontextprotocol/ui"

_RELAYED_EXTENSIONS: Final = frozenset({TASKS_EXTENSION, UI_EXTENSION})
_RELAYED: Final = ("elicitation", "roots", "sampling")
_LONGEST: Final = 4096
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Capabilities(msgspec.Struct, frozen=True):
    """`raw` holds the members that are passed on, in a fixed order: equal means the same."""

    raw: bytes = b"{}"
    elicitation: bool = False
    elicitation_url: bool = False
    sampling: bool = False
    roots: bool = False
    tasks: bool = False

    @property
    def can_be_asked(self) -> bool:
        """Whether any question may be put to the caller at all."""
        return self.elicitation or self.elicitation_url or self.sampling or self.roots

    def allows(self, method: str, mode: str | None = None) -> bool:
        """Whether a request of this method (and elicitation `mode`) may be put to the caller."""
        if method == "elicitation/create":
            return self.elicitation_url if mode == "url" else self.elicitation
        if method == "sampling/createMessage":
            return self.sampling
        return method == "roots/list" and self.roots


NO_CAPABILITIES: Final = Capabilities()


def read_capabilities(raw: bytes) -> Capabilities:
    """Read a `ClientCapabilities` object as it came.

    Raises:
        ValueError: not an object of objects, or larger than any honest one; says which.
    """
    if raw == b"{}":
        return NO_CAPABILITIES
    if len(raw) > _LONGEST:
        raise ValueError(f"the client capabilities are larger than {_LONGEST} bytes")
    return _read(bytes(raw))


@lru_cache(maxsize=1024)
def _read(raw: bytes) -> Capabilities:
    try:
        declared = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError("the client capabilities must be a JSON object") from None
    kept: dict[str, object] = {}
    for name in _RELAYED:
        member = declared.get(name)
        if isinstance(member, dict):
            kept[name] = member
    extensions = _extensions(declared.get("extensions"))
    if extensions:
        kept["extensions"] = extensions
    elicitation = kept.get("elicitation")
    modes = cast("dict[str, object]", elicitation) if isinstance(elicitation, dict) else None
    return Capabilities(
        msgspec.json.encode(kept, order="deterministic"),
        # Without a mode the form is meant: the only one that older revisions know.
        elicitation=modes is not None and (not modes or "form" in modes),
        elicitation_url=modes is not None and "url" in modes,
        sampling="sampling" in kept,
        roots="roots" in kept,
        tasks=TASKS_EXTENSION in extensions,
    )


def _extensions(declared: object) -> dict[str, object]:
    if not isinstance(declared, dict):
        return {}
    members = cast("dict[str, object]", declared)
    return {name: value for name, value in members.items() if name in _RELAYED_EXTENSIONS}
