"""Names of tools as models know them.

Providers take `[a-zA-Z0-9_-]{1,64}`; tools may have dots and 128 characters (specification
2025-11-25, server/tools). A name becomes the same one every time, whatever other tools there are:

1. what fits stays as it is;
2. a dot becomes two dashes, where that can be undone: `booking.create` is `booking--create`;
3. any other is cut, and ends with 16 hexadecimal digits of its SHA-256.

No two kinds share a name: the first has no two dashes in a row, and neither of the first two ends
like the third.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import Final

LONGEST: Final = 64
_DIGITS: Final = 16
_FITS: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_DOTTED: Final = re.compile(r"[A-Za-z0-9_]+(?:[.-][A-Za-z0-9_]+)*", re.ASCII)
"""Every dot and dash stands alone, so that two dashes were a dot."""
_DIGESTED: Final = re.compile(r".*_[0-9a-f]{16}", re.ASCII)
_UNFIT: Final = re.compile(r"[^A-Za-z0-9_-]+", re.ASCII)


def model_name(name: str) -> str:
    """The name for models of the tool called `name`."""
    if "--" not in name and _FITS.fullmatch(name) and not _DIGESTED.fullmatch(name):
        return name
    if _DOTTED.fullmatch(name):
        dashed = name.replace(".", "--")
        if len(dashed) <= LONGEST and not _DIGESTED.fullmatch(dashed):
            return dashed
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
    return f"{_UNFIT.sub('_', name)[: LONGEST - _DIGITS - 1]}_{digest}"


class ModelNames:
    """The way back, among the tools that a model was told of."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {model_name(name): name for name in names}

    def tool(self, name: str) -> str | None:
        """The tool that a model calls `name`; None where it was told of no such tool."""
        return self._names.get(name)
