"""What the page of one request looks like to each who may see it."""

from dataclasses import replace

import pytest

from bascule.api.elevated import Seen, Terms
from bascule.api.pages.elevation_views import Detail, detail_page
from bascule.gateway.elevation import Scope, ScopeKind
from bascule.policy.elevation import ElevationStatus, Holder
from bascule.storage.repositories.elevations import StoredElevation
from unit.api.pages.test_elevate_views import TWO, text_of
from unit.api.pages.test_elevation_words import DECIDED, REQUEST

BUNDLE = replace(REQUEST, scope=Scope(ScopeKind.BUNDLE, "shop"))
LIVE = replace(DECIDED, status=ElevationStatus.APPROVED)


def shown(
    one: StoredElevation,
    *,
    can_approve: bool = True,
    is_own: bool = False,
    terms: Terms = Terms(),  # noqa: B008 - frozen
    **more: object,
) -> str:
    seen = Seen(one, {"pending": 1, "denied": 2})
    return text_of(
        detail_page(
            replace(Detail(seen, TWO, terms, "t", can_approve=can_approve, is_own=is_own), **more)
        )
    )


def actions_in(page: str) -> set[str]:
    return {one for one in ("approve", "deny", "revoke", "cancel") if f"/{one}" in page}


@pytest.mark.parametrize(
    ("can_approve", "is_own", "expected"),
    [
        (True, False, {"approve", "deny"}),
        (True, True, {"cancel"}),
        (False, True, {"cancel"}),
        (False, False, set[str]()),
    ],
)
def test_what_can_be_done_depends_on_who_looks(
    can_approve: bool, is_own: bool, expected: set[str]
) -> None:
    assert actions_in(shown(REQUEST, can_approve=can_approve, is_own=is_own)) == expected
    ended = {"revoke"} if can_approve or is_own else set[str]()
    assert actions_in(shown(LIVE, can_approve=can_approve, is_own=is_own)) == ended


@pytest.mark.parametrize(
    "status", [one for one in ElevationStatus if one not in {"pending", "approved"}]
)
def test_nothing_can_be_done_to_what_is_over(status: ElevationStatus) -> None:
    one = replace(DECIDED, status=status, ended_at=DECIDED.decided_at)
    assert actions_in(shown(one, is_own=True)) == set()


def test_ones_own_can_be_approved_where_the_installation_says_so() -> None:
    page = shown(REQUEST, is_own=True, terms=Terms(self_approval=True))
    assert actions_in(page) == {"approve", "deny", "cancel"}


def test_a_bundle_can_be_narrowed_to_what_was_called_and_one_call_to_nothing() -> None:
    page = shown(BUNDLE)
    for kind in ("bundle", "tool", "call"):
        assert f'name="scope" value="{kind}"' in page
    assert 'value="bundle" checked' in page
    assert 'name="scope"' not in shown(REQUEST)
    by_name = replace(BUNDLE, tool="", digest="", arguments=None)
    assert 'name="scope"' not in shown(by_name), "asked for by name, it came of no call"


def test_the_request_itself_is_not_counted_as_one_before() -> None:
    assert "<dd>2 denied</dd>" in shown(REQUEST)
    assert "Asked before" not in shown(REQUEST, can_approve=False, is_own=True)


def test_who_asked_for_a_service_is_named() -> None:
    page = shown(replace(REQUEST, holder=Holder("key|ci", "ci", None, "k"), asked_by="ann"))
    assert "<dt>Asked for by</dt><dd>ann</dd>" in page
    assert "the key of a service" in page
    assert "Asked for by" not in shown(REQUEST)


def test_what_the_requester_wrote_is_text() -> None:
    page = shown(replace(REQUEST, reason="<script>x</script>\u202e", ticket='"><b>'))
    assert "<script" not in page
    assert "<b>" not in page
    assert "\u202e" not in page


def test_a_failure_is_said_above_all_and_keeps_the_minutes() -> None:
    page = shown(REQUEST, wrong="It was 30.", status=400, fields={"minutes": "99"})
    assert 'role="alert">It was 30.' in page
    assert 'value="99"' in page
