"""What a caller of the REST API probably meant."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from bascule.gateway.errors import NotFound
from bascule.gateway.likeness import closest
from bascule.gateway.snapshot import TenantView
from bascule.storage.suggestion import did_you_mean

_MOST_GUESSES: Final = 5
_LONGEST_SHOWN: Final = 100


def tool_missing(view: TenantView, name: str) -> NotFound:
    """The failure where no tool `name` is in force; names the closest one that is."""
    if name in view.disabled:
        return NotFound(
            f"The tool {name} is not in force: it is inactive, quarantined, or its bundle is.",
            details={"field": "tool"},
        )
    guess = did_you_mean(name, view.tools)
    return NotFound(f"There is no tool named {name} in force.{guess}", details={"field": "tool"})


async def unknown(
    kind: str, name: str, names: Iterable[str], sees: Callable[[str], Awaitable[bool]]
) -> NotFound:
    """The failure where the caller knows of no `kind` called `name`, hidden or not there at all.

    Of `names` it suggests the closest one that the caller `sees`.
    """
    others, hint = {one for one in names if one != name}, ""
    for _ in range(_MOST_GUESSES):
        guess = closest(name, sorted(others))
        if not guess:
            break
        if await sees(guess):
            hint = f" Did you mean {guess}?"
            break
        others.discard(guess)
    return NotFound(
        f"There is no {kind} named {name[:_LONGEST_SHOWN]} for you.{hint} `bascule tools list` "
        "shows what there is.",
        details={"field": "name"},
    )
