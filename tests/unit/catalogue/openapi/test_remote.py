"""Other hosts are asked only with permission."""

import pytest

from bascule.catalogue.openapi.remote import FetchFailed, only_from, refuse


def fetch(url: str) -> bytes:
    return url.encode()


def test_without_permission_the_option_is_named() -> None:
    with pytest.raises(FetchFailed, match=r"--allow-host example\.com.*allow_hosts=example\.com"):
        refuse("https://example.com/pet.yaml")


def test_an_allowed_host_is_asked_and_no_other() -> None:
    allowed = only_from(["Example.com"], fetch)

    assert allowed("https://example.com/pet.yaml") == b"https://example.com/pet.yaml"
    for url in ("https://www.example.com/", "https://example.com.evil.test/", "https://[bad"):
        with pytest.raises(FetchFailed):
            allowed(url)


def test_a_user_in_the_address_does_not_stand_for_the_host() -> None:
    with pytest.raises(FetchFailed):
        only_from(["example.com"], fetch)("https://example.com@evil.test/pet.yaml")
