"""The number of a new version: what changed decides which part of it grows (semver.org)."""

import re
from collections.abc import Collection
from typing import Final

from bascule.catalogue.diffing import Severity

FIRST: Final = "1.0.0"
_NUMBER: Final = re.compile(r"[vV]?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:[-+].*)?", re.ASCII)


def next_version(taken: Collection[str], severity: Severity | None) -> str:
    """The version after all of `taken`: a breaking change makes a major one, a risky a minor one.

    Texts that are no versions do not count; without any that is one, it is the first.
    """
    found = [
        (int(match[1]), int(match[2] or 0), int(match[3] or 0))
        for version in taken
        if (match := _NUMBER.fullmatch(version))
    ]
    if not found:
        return FIRST
    major, minor, patch = max(found)
    if severity is Severity.BREAKING:
        return f"{major + 1}.0.0"
    if severity is Severity.RISKY:
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + 1}"
