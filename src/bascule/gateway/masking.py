"""How arguments look in an audit record: enough to recognise, not enough to use; and what can
still be told of them."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

_HIDDEN: Final = "[hidden]"
_SECRET_NAME: Final = re.compile(
    r"passw|passphrase|passcode|pwd|secret|token|api.?key|credential|authorization|cookie"
    r"|private.?key|(^|[^a-z])(pin|otp|cvv|cvc|mfa)($|[^a-z])",
    re.IGNORECASE,
)
_LONGEST_NAME: Final = 100
_REST: Final = "…"
_MASK: Final = "*"
_KEPT: Final = 2
_SHORTEST_PARTLY_SHOWN: Final = 6
_MOST_ITEMS: Final = 50
_DEEPEST: Final = 6
_SHORT_NUMBER: Final = 100_000
"""Numbers of more than five digits may identify somebody: a phone, an account."""


def mask(value: object, depth: int = 0) -> object:
    """`value` with every text and long number masked to its first and last two characters.

    Containers keep their shape up to 50 items and 6 levels; what lies beyond is counted.
    """
    if isinstance(value, str):
        return _mask_text(value)
    if isinstance(value, dict):
        return _mask_members(value, depth)  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(value, list):
        return _mask_items(value, depth)  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float) and abs(value) < _SHORT_NUMBER:
        return value
    return _mask_text(str(value))


@lru_cache(maxsize=1024)
def _read_name(name: str) -> tuple[str, bool]:
    """A member's name as it may be shown, and whether its value is a secret.

    A name that looks like a value (many digits, an address) is masked like one.
    """
    digits = sum(character.isdigit() for character in name)
    shown = _mask_text(name) if digits > 5 or "@" in name else name
    return shown, _SECRET_NAME.search(name) is not None


def _mask_text(text: str) -> str:
    if len(text) < _SHORTEST_PARTLY_SHOWN:
        return _MASK * len(text)
    return f"{text[:_KEPT]}{_MASK * min(len(text) - 2 * _KEPT, 16)}{text[-_KEPT:]}"


def _mask_members(members: dict[str, object], depth: int) -> object:
    if depth >= _DEEPEST:
        return f"{{{len(members)} members}}"
    shown = {
        name: _HIDDEN if is_secret else mask(members[key], depth + 1)
        for key in list(members)[:_MOST_ITEMS]
        for name, is_secret in (_read_name(key[:_LONGEST_NAME]),)
    }
    if len(members) > _MOST_ITEMS:
        shown[_REST] = f"{len(members) - _MOST_ITEMS} more members"
    return shown


def _mask_items(items: list[object], depth: int) -> object:
    if depth >= _DEEPEST:
        return f"[{len(items)} items]"
    shown = [mask(item, depth + 1) for item in items[:_MOST_ITEMS]]
    if len(items) > _MOST_ITEMS:
        shown.append(f"{len(items) - _MOST_ITEMS} more items")
    return shown


def shown_name(name: str) -> str:
    """What a record calls the member `name`."""
    return _read_name(name[:_LONGEST_NAME])[0]


def is_exact(shown: object) -> bool:
    """Whether `shown`, a value in a record that is no container, is what was sent.

    Numbers that were masked are texts; no text is shown as it was but the empty one.
    """
    return not isinstance(shown, str) or not shown


def stands_for_any(shown: object) -> bool:
    """Whether in place of `shown` there may have been a container: it is hidden, or too deep."""
    return isinstance(shown, str) and bool(shown) and _MASK not in shown


def is_whole(shown: Mapping[str, object] | Sequence[object]) -> bool:
    """Whether a container in a record has all its members, under their own names."""
    if not isinstance(shown, Mapping):
        return len(shown) <= _MOST_ITEMS
    return not any(_MASK in name or name == _REST or len(name) >= _LONGEST_NAME for name in shown)


def may_lack(shown: Mapping[str, object], name: str) -> bool:
    """Whether `name` may have been a member that the record does not show, or not by its name."""
    return _REST in shown or len(name) >= _LONGEST_NAME or shown_name(name) != name
