import pytest

from bascule.protocol.versions import (
    LATEST_LEGACY_VERSION,
    LEGACY_VERSIONS,
    MODERN_VERSIONS,
    SUPPORTED_VERSIONS,
    negotiate_legacy,
)


@pytest.mark.parametrize("version", LEGACY_VERSIONS)
def test_a_spoken_legacy_version_is_agreed_to(version: str) -> None:
    assert negotiate_legacy(version) == version


@pytest.mark.parametrize(
    "version", [*MODERN_VERSIONS, "1900-01-01", "9999-12-31", "", "2025-11-25 ", "DRAFT"]
)
def test_any_other_version_is_answered_with_the_newest_legacy_one(version: str) -> None:
    """A modern version has no handshake, so `initialize` can never agree on one."""
    assert negotiate_legacy(version) == LATEST_LEGACY_VERSION


def test_the_eras_share_no_version_and_newest_come_first() -> None:
    assert set(MODERN_VERSIONS).isdisjoint(LEGACY_VERSIONS)
    assert list(SUPPORTED_VERSIONS) == sorted(SUPPORTED_VERSIONS, reverse=True)
