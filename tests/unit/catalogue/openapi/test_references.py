"""Names of files are worked out, and none leads out of the root."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.catalogue.openapi.references import (
    Astray,
    host_of,
    is_remote,
    resolve_file,
    split_reference,
)


@pytest.mark.parametrize(
    ("target", "base", "name"),
    [
        ("pet.yaml", "openapi.yaml", "pet.yaml"),
        ("./schemas/../pet.yaml", "openapi.yaml", "pet.yaml"),
        ("../shared/pet.yaml", "paths/pets.yaml", "shared/pet.yaml"),
        ("my%20pet.yaml", "openapi.yaml", "my pet.yaml"),
        ("https://example.com/pet.yaml", "openapi.yaml", "https://example.com/pet.yaml"),
        ("../pet.yaml", "https://example.com/v1/api.yaml", "https://example.com/pet.yaml"),
        ("/pet.yaml", "https://example.com/v1/api.yaml", "https://example.com/pet.yaml"),
    ],
)
def test_a_reference_is_resolved_in_the_file_it_stands_in(
    target: str, base: str, name: str
) -> None:
    assert resolve_file(target, base) == name


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("../secret.yaml", "leads out"),
        ("a/../../secret.yaml", "leads out"),
        ("%2e%2e/secret.yaml", "leads out"),
        ("..", "leads out"),
        ("/etc/passwd", "absolute"),
        ("\\\\host\\share", "absolute"),
        ("file:///etc/passwd", "'file'"),
        ("FILE:/etc/passwd", "'FILE'"),
        ("C:/secret.yaml", "'C'"),
        ("jar:file:x", "'jar'"),
        ("a%00b.yaml", "control"),
    ],
)
def test_what_leaves_the_root_is_refused(target: str, reason: str) -> None:
    with pytest.raises(Astray, match=reason):
        resolve_file(target, "openapi.yaml")


@given(st.text(alphabet="./%2eEfa\\:#~", max_size=20), st.sampled_from(["a.yaml", "b/c/d.yaml"]))
def test_no_name_climbs_out(target: str, base: str) -> None:
    try:
        name = resolve_file(target, base)
    except Astray:
        return
    assert not name.startswith(("/", "../"))
    assert ".." not in name.split("/")


def test_a_reference_has_a_file_and_a_fragment() -> None:
    assert split_reference("a.yaml#/b") == ("a.yaml", "#/b")
    assert split_reference("a.yaml") == ("a.yaml", "")
    assert split_reference("#/b") == ("", "#/b")


def test_hosts_are_read_from_addresses() -> None:
    assert host_of("https://API.example.com:8443/x") == "api.example.com"
    assert host_of("https://[::1") == ""
    assert is_remote("HTTPS://example.com")
    assert not is_remote("ftp://example.com")
