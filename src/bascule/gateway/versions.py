"""Which version a pin means: `1` and `1.2` stand for the newest of their line."""

from collections.abc import Sequence
from typing import Protocol, TypeVar


class Versioned(Protocol):
    """Whatever has a version."""

    @property
    def version(self) -> str:
        """A semantic version, or any text."""
        ...


_Versioned = TypeVar("_Versioned", bound=Versioned)


def fits(version: str, pin: str) -> bool:
    """Whether `version` is what `pin` names, or of the line that it names; "" names all."""
    return not pin or version == pin or version.startswith(f"{pin}.")


def choose(versions: Sequence[_Versioned], *pins: str) -> _Versioned | None:
    """The first of `versions`, which are newest first, that fits every one of `pins`.

    A pre-release (semver.org, item 9) is chosen where it is named whole, or nothing else fits.
    """
    fitting = [one for one in versions if all(fits(one.version, pin) for pin in pins)]
    named = next((one for one in fitting if one.version in pins), None)
    final = next((one for one in fitting if not is_prerelease(one.version)), None)
    return named or final or (fitting[0] if fitting else None)


def is_prerelease(version: str) -> bool:
    """Whether `version` is one that its maker does not call finished yet."""
    return "-" in version.partition("+")[0]
