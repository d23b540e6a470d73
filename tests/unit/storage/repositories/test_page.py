"""Pages that make no sense are refused."""

import pytest

from bascule.gateway.errors import InvalidValue
from bascule.storage.repositories.page import LARGEST_PAGE, offset_of


def test_pages_are_counted_from_one() -> None:
    assert [offset_of(page, 20) for page in (1, 2, 3)] == [0, 20, 40]
    assert offset_of(1, LARGEST_PAGE) == 0


@pytest.mark.parametrize(
    ("page", "limit", "field"),
    [(0, 20, "page"), (-1, 20, "page"), (10**9, 20, "page"), (1, 0, "limit"), (1, 501, "limit")],
)
def test_a_page_that_makes_no_sense_is_refused_by_name(page: int, limit: int, field: str) -> None:
    with pytest.raises(InvalidValue, match=f"{field} must be 1 to") as caught:
        offset_of(page, limit)
    assert caught.value.details == {"field": field}
