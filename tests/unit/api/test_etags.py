from datetime import UTC, datetime, timedelta

import pytest

from bascule.api.etags import etag_of, expect
from bascule.gateway.errors import Conflict

NOW = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(microseconds=1)


def test_every_change_has_another_tag() -> None:
    assert etag_of(NOW) != etag_of(LATER)
    assert etag_of(NOW) == etag_of(NOW)
    assert etag_of(NOW).startswith('"')
    assert etag_of(NOW).endswith('"')


@pytest.mark.parametrize("if_match", [None, "*", etag_of(NOW), f'"x", {etag_of(NOW)}'])
@pytest.mark.parametrize("updated_at", [None, NOW])
def test_what_nobody_else_changed_may_be_changed(
    if_match: str | None, updated_at: datetime | None
) -> None:
    expect(NOW, if_match, updated_at)


@pytest.mark.parametrize(
    ("if_match", "updated_at"),
    [(etag_of(NOW), None), (None, NOW), ("garbage", None), ("", NOW), (etag_of(LATER), NOW)],
)
def test_what_somebody_else_changed_is_told_with_the_moment(
    if_match: str | None, updated_at: datetime | None
) -> None:
    with pytest.raises(Conflict, match="changed meanwhile") as caught:
        expect(LATER, if_match, updated_at)
    assert caught.value.details["updated_at"] == LATER.isoformat()
