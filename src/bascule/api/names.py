"""Names that operators give to things."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

_BUNDLE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


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
