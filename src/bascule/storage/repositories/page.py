"""A page of a list."""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from bascule.gateway.errors import InvalidValue

T = TypeVar("T")

LARGEST_PAGE: Final = 500
_LAST_PAGE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`items` of the page numbered `page` (from 1), out of `total` in the whole list."""

    items: tuple[T, ...]
    total: int
    page: int
    limit: int


def offset_of(page: int, limit: int) -> int:
    """How many items precede `page`.

    Raises:
        InvalidValue: the page or its size makes no sense.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise InvalidValue(
            f"limit must be 1 to {LARGEST_PAGE}, not {limit}.", details={"field": "limit"}
        )
    if not 1 <= page <= _LAST_PAGE:
        raise InvalidValue(
            f"page must be 1 to {_LAST_PAGE}, not {page}.", details={"field": "page"}
        )
    return (page - 1) * limit
