"""Names that operators give to things."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

_BUNDLE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_TOOL: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_NUMBER: Final = r"(?:0|[1-9][0-9]{0,17})"
_PART: Final = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION: Final = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_PART}(?:\.{_PART})*)?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)


def _bundle_name(name: str) -> str:
    if _BUNDLE.fullmatch(name) is None:
        raise PydanticCustomError(
            "bundle_name",
            "A bundle is named with up to 100 letters, digits, dots, dashes and underscores, "
            "beginning with a letter or digit",
        )
    return name


def _printable(name: str) -> str:
    if not name.isprintable() or name != name.strip():
        raise PydanticCustomError(
            "name", "A name holds no control characters, and no space at its ends"
        )
    if name in {".", ".."}:  # in a URL they mean a place, not a thing (RFC 3986, 5.2.4)
        raise PydanticCustomError("name", "A name is more than dots")
    return name


BundleName = Annotated[
    str, AfterValidator(_bundle_name), Field(json_schema_extra={"pattern": f"^{_BUNDLE.pattern}$"})
]
"""The name of a bundle, which is part of a URL: `/mcp/bundles/{name}`."""

Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_printable)]
"""Any other name: one line, in any script."""


def _tool_name(name: str) -> str:
    # In a URL, which names tools too, dots alone mean a place (RFC 3986, 5.2.4).
    if _TOOL.fullmatch(name) is None or name in {".", ".."}:
        raise PydanticCustomError(
            "tool_name",
            "A tool is named with up to 100 letters, digits, dots, dashes and underscores",
        )
    return name


def _version(version: str) -> str:
    if len(version) > 50 or _VERSION.fullmatch(version) is None:
        raise PydanticCustomError(
            "version", "A version has three numbers, as in 1.4.0 or 2.0.0-rc.1 (semver.org)"
        )
    return version


ToolName = Annotated[str, AfterValidator(_tool_name)]
"""The name of a tool (specification 2026-07-28, server/tools "Tool Names", but shorter)."""

Version = Annotated[str, AfterValidator(_version)]
"""A semantic version: https://semver.org/#is-there-a-suggested-regular-expression-regex"""


def _distinct(tags: list[str]) -> list[str]:
    for tag in tags:
        if not tag.strip() or not tag.isprintable() or tag != tag.strip():
            raise PydanticCustomError(
                "tag", "A tag is a printable text without spaces at its ends, and not empty"
            )
    return list(dict.fromkeys(tags))


Tags = Annotated[
    list[Annotated[str, Field(max_length=50)]], Field(max_length=50), AfterValidator(_distinct)
]
"""Words to find tools by; each once."""
