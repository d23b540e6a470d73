import pytest

from bascule.gateway.versions import choose, fits, is_prerelease
from fakes.catalogue import make_tool

NEWEST_FIRST = [
    make_tool(version=version)
    for version in ("2.0.0-rc.1", "1.10.0", "1.2.1", "1.2.0+build-7", "1.2.0-beta", "1.1.0")
]


@pytest.mark.parametrize("pin", ["", "1", "1.2", "1.2.0"])
def test_a_version_fits_itself_and_what_it_begins_with(pin: str) -> None:
    assert fits("1.2.0", pin)


@pytest.mark.parametrize("pin", ["2", "1.20", "1.2.0.1", "1.", "v1", "latest", " 1"])
def test_a_version_fits_nothing_else(pin: str) -> None:
    assert not fits("1.2.0", pin)


@pytest.mark.parametrize(
    ("pins", "chosen"),
    [
        (("1",), "1.10.0"),
        (("1.2",), "1.2.1"),
        (("1.2.0-beta",), "1.2.0-beta"),
        (("1", "1.2"), "1.2.1"),
        (("", ""), "1.10.0"),
        (("2",), "2.0.0-rc.1"),
        (("1.2", "1.1"), None),
        (("3",), None),
    ],
)
def test_the_newest_of_a_line_is_chosen(pins: tuple[str, ...], chosen: str | None) -> None:
    found = choose(NEWEST_FIRST, *pins)
    assert (found and found.version) == chosen


def test_a_build_is_no_prerelease() -> None:
    assert is_prerelease("1.0.0-rc.1+b-2")
    assert not is_prerelease("1.0.0+b-2")
