"""Path templates are taken apart, or refused with a reason."""

import pytest

from bascule.catalogue.openapi.paths import variables, without_fragment


def test_variables_are_listed_once_in_order() -> None:
    assert variables("/a/{b}/{c}.{d}/{b}") == ("b", "c", "d")
    assert variables("/") == ()


def test_a_fixed_query_may_follow() -> None:
    assert variables("/a/{b}?beta=true&x=%20") == ("b",)


def test_a_fragment_is_never_sent() -> None:
    assert without_fragment("/#Action=ListThings") == "/"
    assert without_fragment("/a/{b}") == "/a/{b}"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("a/b", "slash"),
        ("/a/{b", "braces"),
        ("/a/b}", "braces"),
        ("/a/{}", "braces"),
        ("/a?x={x}", "query"),
        ("/a?x=ä", "query"),
        ("/a?x=1\r\nx: y", "query"),
        ("/a b", "space"),
        ("/a\\b", "backslash"),
        ("/a\nb", "control"),
        ("/a/../b", "dot segment"),
        ("/a/%2E%2e/b", "dot segment"),
        ("/./b", "dot segment"),
    ],
)
def test_a_path_that_cannot_be_requested_is_refused(path: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        variables(path)
