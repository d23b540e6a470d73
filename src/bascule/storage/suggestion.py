"""What somebody probably meant, as a sentence."""

from collections.abc import Iterable

from bascule.gateway.likeness import closest


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence to follow another, with a space before it; "" where nothing is alike enough."""
    found = closest(name, known)
    return f" Did you mean {found}?" if found else ""
