"""Media types, as far as bodies are translated."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from bascule.catalogue.openapi.document import Node
from bascule.gateway.tool import BodyKind

_WILDCARDS: Final = frozenset({"*/*", "application/*"})
_FORM: Final = "application/x-www-form-urlencoded"
_LINES: Final = frozenset(
    {
        "application/jsonl", "application/x-jsonl", "application/jsonlines",
        "application/x-jsonlines", "application/json-lines", "application/ndjson",
        "application/x-ndjson",
    }
)  # fmt: skip
_TEXTUAL: Final = frozenset(
    {
        "application/yaml", "application/x-yaml", "application/graphql", "application/sql",
        "application/javascript", "application/ecmascript", "application/toml", "application/x-sh",
        "application/jsonpath", "application/sparql-query",
    }
)  # fmt: skip
_TOKEN: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105 - of RFC 9110 section 5.6.2
_VALUE: Final = r"[!#$%&'*+\-./^_`|~0-9A-Za-z]+"
# Values with a slash should be quoted; the examples of OpenAPI leave that out.
_MEDIA_TYPE: Final = re.compile(
    rf'{_TOKEN}/{_TOKEN}(?:[ \t]*;[ \t]*(?:{_TOKEN}=(?:{_VALUE}|"[ !#-\[\]-~]*"))?)*'
)
_SEVERAL: Final = re.compile(r'((?:[^,"]|"[^"]*")+)')


def is_media_type(text: str) -> bool:
    """Is `text` a media type or range, perhaps with parameters (RFC 9110 section 8.3.1)?"""
    return _MEDIA_TYPE.fullmatch(text.strip()) is not None


def split_types(text: str) -> tuple[str, ...]:
    """The media types of a comma-separated list; what is none is left out."""
    listed = [one.strip() for one in _SEVERAL.findall(text)]
    return tuple(one for one in listed if is_media_type(one))


def essence(media_type: str) -> str:
    """Type and subtype in lower case, without parameters."""
    return media_type.partition(";")[0].strip().lower()


@lru_cache(maxsize=1024)
def kind_of(media_type: str) -> BodyKind | None:
    """How a media type or range is built from arguments; None for what is no media type."""
    if not is_media_type(media_type):
        return None
    kind = essence(media_type)
    return next((one for one, is_one in _KINDS.items() if is_one(kind)), BodyKind.BYTES)


def _is_json(kind: str) -> bool:
    return kind in _WILDCARDS or kind.endswith(("/json", "+json"))


def _is_lines(kind: str) -> bool:
    return kind in _LINES or kind.endswith("json-seq")


def _is_text(kind: str) -> bool:
    is_textual = kind in _TEXTUAL or kind.endswith(("/xml", "+xml", "+yaml"))
    return is_textual or kind.startswith("text/")


_KINDS: Final[dict[BodyKind, Callable[[str], bool]]] = {
    BodyKind.JSON: _is_json,
    BodyKind.FORM: _FORM.__eq__,
    BodyKind.MULTIPART: lambda kind: kind.startswith("multipart/"),
    BodyKind.LINES: _is_lines,
    BodyKind.TEXT: _is_text,
}


def wire_type(media_type: str) -> str:
    """The media type to send: itself, or the usual one of a range where there is one."""
    kind = kind_of(media_type)
    if "*" not in media_type or kind is None:
        return media_type.strip()
    usual = {
        BodyKind.JSON: "application/json",
        BodyKind.MULTIPART: "multipart/form-data",
        BodyKind.TEXT: "text/plain",
    }
    return usual.get(kind, media_type.strip())


def choose(content: Node | None, *kinds: BodyKind) -> tuple[BodyKind, str, Node] | None:
    """The entry of a `content` object with the first of `kinds` that it offers."""
    offers = list(content.children()) if content else []
    for kind in kinds:
        for media_type, node in offers:
            if kind_of(media_type) is kind:
                return kind, wire_type(media_type), node
    return None


def types_of(content: Node | None, kind: BodyKind) -> Iterator[str]:
    """Every media type or range of `kind` that a `content` object offers."""
    for media_type, _ in content.children() if content else ():
        if kind_of(media_type) is kind:
            yield media_type.strip()
