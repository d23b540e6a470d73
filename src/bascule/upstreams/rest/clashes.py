"""Members of objects that would pass for another argument.

An exploded object sends its members under their own names, beside the other arguments of its
place. A service that reads the last of two values, or the first, would take a member for the
argument of that name: also where that one is fixed, and no caller may choose it.
"""

from collections.abc import Iterable
from typing import Final, TypeAlias

from bascule.upstreams.rest.values import Unwritable

Names: TypeAlias = frozenset[str]
"""Names on the wire that others have, in lower case: some services tell no case apart."""

NOBODYS: Final[Names] = frozenset()

_LONGEST_TOLD: Final = 80


def names_taken(names: Iterable[str], own: str = "") -> Names:
    """What may not be the name of a member, beside arguments named `names`, one's `own` left out.

    `tags[]` is `tags` to services that read brackets.
    """
    others = {name.lower().removesuffix("[]") for name in names if name != own}
    return frozenset(others - {own.lower().removesuffix("[]"), ""})


def refuse_taken(members: Iterable[str], taken: Names) -> None:
    """Pass where no name of `members`, nor what stands before a bracket of it, is `taken`.

    Raises:
        Unwritable: one is.
    """
    for name in members:
        if any(one in taken for one in _readings(name.lower())):
            raise Unwritable(
                f"must not have a member that is sent as {name[:_LONGEST_TOLD]!r}, as that is an "
                "argument of its own"
            )


def _readings(name: str) -> Iterable[str]:
    """`a[b][c]` may be read as itself, as something of `a[b]`, or of `a`."""
    yield name
    at = name.find("[")
    while at > 0:
        yield name[:at]
        at = name.find("[", at + 1)
