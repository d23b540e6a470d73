"""What the page behind a link looks like, in each state there is."""

from dataclasses import replace

import pytest
from starlette.responses import Response

from bascule.api.elevated import Link, Terms
from bascule.api.pages.elevate_views import Filled, Shown, elevate_page, over
from bascule.gateway.snapshot import TenantView
from bascule.policy.elevation import ElevationStatus
from unit.api.pages.test_elevation_words import DECIDED, ENDED, REQUEST, tool

LINK = Link("default", REQUEST.holder, "refund", "shop", "9f", {"order": 7})
ONE = TenantView("default", tools={"refund": tool("refund")})
TWO = TenantView("default", tools={"refund": tool("refund"), "look": tool("look")})


def shown(view: TenantView = TWO, **changes: object) -> Shown:
    return replace(Shown(LINK, view, Terms(), "ann", "token", signed_in=True), **changes)


def text_of(page: Response) -> str:
    return bytes(page.body).decode()


def test_the_least_is_what_is_chosen_unless_somebody_asks_for_more() -> None:
    first = text_of(elevate_page(shown(), Filled()))
    assert 'value="call" checked' in first
    again = text_of(elevate_page(shown(), Filled({"scope": "tool"})))
    assert 'value="tool" checked' in again
    odd = text_of(elevate_page(shown(), Filled({"scope": '"><script>'})))
    assert 'value="call" checked' in odd
    assert "<script" not in odd


def test_a_bundle_is_offered_only_where_it_would_be_more_than_the_tool() -> None:
    assert 'value="bundle"' in text_of(elevate_page(shown(), Filled()))
    assert 'value="bundle"' not in text_of(elevate_page(shown(ONE), Filled()))


def test_the_time_is_that_of_the_installation_and_never_more_than_its_most() -> None:
    terms = Terms(default_minutes=60, max_minutes=15, request_minutes=120)
    page = text_of(elevate_page(shown(terms=terms), Filled()))
    assert 'max="15"\n value="15"' in page
    assert "void after\n2 hours" in page


@pytest.mark.parametrize(
    ("one", "status", "has_form"),
    [
        (REQUEST, ElevationStatus.PENDING, False),
        (DECIDED, ElevationStatus.APPROVED, False),
        (DECIDED, ElevationStatus.DENIED, True),
        (ENDED, ElevationStatus.USED, True),
        (ENDED, ElevationStatus.REVOKED, True),
        (ENDED, ElevationStatus.CANCELLED, True),
        (DECIDED, ElevationStatus.EXPIRED, True),
    ],
)
def test_the_form_is_there_where_asking_makes_sense(
    one: object, status: ElevationStatus, has_form: bool
) -> None:
    page = elevate_page(shown(requests=(replace(one, status=status),)), Filled())  # type: ignore[type-var]
    assert ('value="ask"' in text_of(page)) == has_form
    assert ('value="cancel"' in text_of(page)) == (status is ElevationStatus.PENDING)


def test_what_was_wrong_is_said_with_its_status_and_what_stood_there() -> None:
    filled = Filled({"reason": "<b>why</b>", "minutes": "7"}, "Too long.", 400)
    page = elevate_page(shown(), filled)
    assert page.status_code == 400
    assert "Too long." in text_of(page)
    assert "&lt;b&gt;why" in text_of(page)
    assert 'value="7"' in text_of(page)


def test_who_has_only_the_link_is_told_to_keep_it() -> None:
    assert "Do not pass it on" in text_of(elevate_page(shown(signed_in=False), Filled()))
    assert "Do not pass it on" not in text_of(elevate_page(shown(), Filled()))


def test_an_address_that_is_over_leads_on() -> None:
    assert over().status_code == 404
    assert "bascule elevation request" in text_of(over())
