"""What the lists of requests look like."""

from dataclasses import replace

import pytest

from bascule.api.pages.elevations_views import TITLES, List, Listed, list_page
from bascule.policy.elevation import ElevationStatus
from bascule.storage.repositories.elevations import StoredElevation
from bascule.storage.repositories.page import Page
from unit.api.pages.test_elevate_views import text_of
from unit.api.pages.test_elevation_words import DECIDED, ENDED, REQUEST


def listed(
    name: List, *items: StoredElevation, total: int = 0, page: int = 1, **more: object
) -> str:
    found = Page(items, total or len(items), page, 25)
    return text_of(list_page(replace(Listed(name, found, can_approve=True), **more)))


@pytest.mark.parametrize("name", List)
def test_an_empty_list_says_what_it_would_hold(name: List) -> None:
    page = listed(name)
    assert 'class="empty"' in page
    assert "`" not in page
    for other in List:
        assert TITLES[other] in page


def test_who_cannot_approve_has_one_list_only() -> None:
    assert "<nav" not in listed(List.MINE, can_approve=False)


def test_ones_own_are_grouped_those_first_that_matter() -> None:
    live = replace(DECIDED, status=ElevationStatus.APPROVED)
    over = replace(ENDED, status=ElevationStatus.REVOKED)
    page = listed(List.MINE, over, REQUEST, live)
    order = [page.index(f"<h2>{one}</h2>") for one in ("Active", "Waiting", "Before")]
    assert order == sorted(order)
    assert "<h2>" not in listed(List.HISTORY, over, REQUEST, live)


def test_what_people_wrote_is_text_and_not_all_of_it() -> None:
    page = listed(List.WAITING, replace(REQUEST, reason="<b>" + "x" * 1000))
    assert "<b>" not in page
    assert "x" * 200 not in page


def test_how_many_wait_is_said_on_every_list() -> None:
    assert '<span class="tag">7</span>' in listed(List.HISTORY, REQUEST, waiting=7)


@pytest.mark.parametrize(
    ("page", "newer", "older"), [(1, False, True), (2, True, True), (3, True, False)]
)
def test_pages_lead_to_those_before_and_after(page: int, newer: bool, older: bool) -> None:
    shown = listed(List.HISTORY, REQUEST, total=60, page=page)
    assert ("Newer" in shown, "Older" in shown) == (newer, older)
    assert "Page" not in listed(List.HISTORY, REQUEST)
