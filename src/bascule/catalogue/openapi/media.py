"""Media types, as far as bodies are translated."""

from enum import Enum
from typing import Final

from bascule.catalogue.openapi.document import Node


class MediaKind(Enum):
    """How a body is built from arguments, in the order of preference."""

    JSON = "json"
    FORM = "form"
    TEXT = "text"


_WILDCARDS: Final = frozenset({"*/*", "application/*"})


def kind_of(media_type: str) -> MediaKind | None:
    """The kind of a media type or range, its parameters aside; None where not supported."""
    essence = media_type.partition(";")[0].strip().lower()
    if essence in _WILDCARDS or essence.endswith(("/json", "+json")):
        return MediaKind.JSON
    if essence == "application/x-www-form-urlencoded":
        return MediaKind.FORM
    return MediaKind.TEXT if essence.startswith("text/") else None


def wire_type(media_type: str) -> str:
    """The media type to send: itself, or JSON for a range."""
    return "application/json" if "*" in media_type else media_type.strip()


def choose(content: Node | None, *kinds: MediaKind) -> tuple[MediaKind, str, Node] | None:
    """The entry of a `content` object with the first of `kinds` that it offers."""
    offers = list(content.children()) if content else []
    for kind in kinds:
        for media_type, node in offers:
            if kind_of(media_type) is kind:
                return kind, wire_type(media_type), node
    return None
