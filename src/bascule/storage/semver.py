"""Which of two versions of a tool is the newer one.

Source: https://semver.org/spec/v2.0.0.html#spec-item-11, stretched to order any text, because
`info.version` of an OpenAPI document may be anything.
"""

import re
from typing import Final, TypeAlias

_Identifier: TypeAlias = tuple[int, int, str]
Precedence: TypeAlias = tuple[tuple[int, ...], int, tuple[_Identifier, ...], str]

_VERSION: Final = re.compile(
    r"[vV]?(?P<numbers>[0-9]{1,18}(?:\.[0-9]{1,18})*)(?:-(?P<prerelease>[^+]*))?(?:\+.*)?",
    re.DOTALL | re.ASCII,
)
_FINAL: Final = 1
_PRERELEASE: Final = 0


def precedence(version: str) -> Precedence:
    """A sort key that orders all texts; equal only for equal texts.

    Missing numbers count as 0 (`1.2` = `1.2.0`), a text that is no version comes before all that
    are, and what semver calls equal falls back to the text itself.
    """
    matched = _VERSION.fullmatch(version)
    if matched is None:
        return (), _PRERELEASE, (), version
    numbers = [int(number) for number in matched["numbers"].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    # A leading 1 keeps 0.0.0 after everything that is no version at all.
    core = (1, *numbers)
    prerelease = matched["prerelease"]
    if prerelease is None:
        return core, _FINAL, (), version
    return core, _PRERELEASE, tuple(_identifier(part) for part in prerelease.split(".")), version


def _identifier(part: str) -> _Identifier:
    # Numeric identifiers come before all others and compare as numbers.
    if part.isascii() and part.isdigit() and len(part) <= 18:
        return 0, int(part), part
    return 1, 0, part
