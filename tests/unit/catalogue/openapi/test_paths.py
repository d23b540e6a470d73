"""Path templates are taken apart, or refused with a reason."""

import pytest

from bascule.catalogue.openapi.paths import variables


def test_variables_are_listed_once_in_order() -> None:
    assert variables("/a/{b}/{c}.{d}/{b}") == ("b", "c", "d")
    assert variables("/") == ()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("a/b", "slash"),
        ("/a/{b", "braces"),
        ("/a/b}", "braces"),
        ("/a/{}", "braces"),
        ("/a?x=1", "query"),
        ("/a#x", "fragment"),
        ("/a b", "space"),
        ("/a\\b", "backslash"),
        ("/a\nb", "space or the like"),
        ("/a/../b", "dot segment"),
        ("/a/%2E%2e/b", "dot segment"),
        ("/./b", "dot segment"),
    ],
)
def test_a_path_that_cannot_be_requested_is_refused(path: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        variables(path)
