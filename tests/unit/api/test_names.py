import pytest
from hypothesis import given
from hypothesis.strategies import text
from pydantic import TypeAdapter, ValidationError

from bascule.api.names import BundleName, Name

BUNDLE = TypeAdapter(BundleName)
NAME = TypeAdapter(Name)


@pytest.mark.parametrize("name", ["a", "0", "service-booking", "v1.2_x", "a" * 100])
def test_a_bundle_name_fits_into_a_url(name: str) -> None:
    assert BUNDLE.validate_python(name) == name


@pytest.mark.parametrize(
    "name", ["", "a" * 101, "-a", ".", "..", "a/b", "a b", "a?b", "a%2f", "a\n", "größe", "\0"]
)
def test_what_does_not_fit_into_a_url_is_no_bundle_name(name: str) -> None:
    with pytest.raises(ValidationError, match="up to 100 letters, digits, dots"):
        BUNDLE.validate_python(name)


@given(text())
def test_a_bundle_name_needs_no_escape_in_a_path(name: str) -> None:
    try:
        accepted = BUNDLE.validate_python(name)
    except ValidationError:
        return
    assert accepted.isascii()
    assert not set(accepted) & set("/?#% \\")


@pytest.mark.parametrize("name", ["users may book services", "a/b", "予約", "x" * 100, "*"])
def test_other_names_are_for_people(name: str) -> None:
    assert NAME.validate_python(name) == name


@pytest.mark.parametrize(
    "name", ["", " ", " a", "a ", "a\nb", "a\x1b[2J", "\0", "\ud800", "x" * 101, ".", ".."]
)
def test_a_name_is_one_printable_line(name: str) -> None:
    with pytest.raises(ValidationError):
        NAME.validate_python(name)
