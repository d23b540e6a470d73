import pytest
from hypothesis import given
from hypothesis.strategies import text
from pydantic import TypeAdapter, ValidationError

from bascule.api.names import BundleName, Name, ToolName, Version

BUNDLE = TypeAdapter(BundleName)
NAME = TypeAdapter(Name)
TOOL = TypeAdapter(ToolName)
VERSION = TypeAdapter(Version)


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


@pytest.mark.parametrize("name", ["a", "get_slots", "a.b-c", "_x", "x" * 100])
def test_a_tool_is_named_as_the_protocol_has_it(name: str) -> None:
    assert TOOL.validate_python(name) == name


@pytest.mark.parametrize("name", ["", "a b", "a@1", "a/b", ".", "..", "größe", "x" * 101, "a\n"])
def test_what_clients_could_not_call_is_no_tool_name(name: str) -> None:
    with pytest.raises(ValidationError, match="A tool is named"):
        TOOL.validate_python(name)


@pytest.mark.parametrize("version", ["1.0.0", "0.0.0", "10.20.30-rc.1+b.7", "1.0.0-x-y", "1.2.3+7"])
def test_a_version_is_semantic(version: str) -> None:
    assert VERSION.validate_python(version) == version


@pytest.mark.parametrize(
    "version", ["", "1", "1.2", "v1.2.3", "01.2.3", "1.2.3.4", "1.2.3-", "1.2.3-01", "1.2.x",
                "1.2.3 ", "1.2.3-" + "a" * 50, "9" * 30 + ".0.0"]
)  # fmt: skip
def test_what_semver_does_not_know_is_no_version(version: str) -> None:
    with pytest.raises(ValidationError, match="three numbers"):
        VERSION.validate_python(version)
