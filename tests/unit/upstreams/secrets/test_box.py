"""What is closed opens for its tenant, under its name and with a key that is there."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.upstreams.secrets.box import SecretBox
from bascule.upstreams.secrets.failures import SecretUnavailable

OLD, NEW = b"o" * 32, b"n" * 32
NAMES = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=9)


@given(NAMES, NAMES, st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_what_was_closed_opens(tenant: str, name: str, value: str) -> None:
    box = SecretBox([NEW])
    sealed = box.close(tenant, name, value)
    assert box.open(tenant, sealed) == value
    assert len(value.encode()) < 8 or value.encode() not in sealed.ciphertext


def test_each_closing_is_another_one() -> None:
    box = SecretBox([NEW])
    first, second = box.close("t", "n", "value"), box.close("t", "n", "value")
    assert first.nonce != second.nonce
    assert first.ciphertext != second.ciphertext


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"nonce": b"\0" * 12},
        {"nonce": b""},
        {"ciphertext": b"\0" * 32},
        {"ciphertext": b""},
    ],
)
def test_what_was_moved_or_changed_does_not_open(change) -> None:
    box = SecretBox([NEW])
    sealed = replace(box.close("t", "n", "value"), **change)
    with pytest.raises(SecretUnavailable) as caught:
        box.open("t", sealed)
    assert "does not open" in caught.value.private


def test_another_tenants_secret_does_not_open() -> None:
    box = SecretBox([NEW])
    sealed = box.close("t", "n", "value")
    with pytest.raises(SecretUnavailable):
        box.open("other", sealed)
    with pytest.raises(SecretUnavailable):
        box.open("t\0n", replace(sealed, name=""))


def test_the_first_key_closes_and_all_open() -> None:
    old = SecretBox([OLD]).close("t", "n", "value")
    rotated = SecretBox([NEW, OLD])
    assert rotated.open("t", old) == "value"
    assert rotated.close("t", "n", "value").key_id == SecretBox([NEW]).key_id != old.key_id


def test_a_missing_key_is_named() -> None:
    old = SecretBox([OLD]).close("t", "crm", "value")
    with pytest.raises(SecretUnavailable) as caught:
        SecretBox([NEW]).open("t", old)
    assert f"The secret crm is closed with the key {old.key_id}" in caught.value.private
    assert "security.secret_keys" in caught.value.private


@pytest.mark.parametrize("keys", [[], [b"short"], [NEW, b"x" * 31]])
def test_keys_have_32_bytes(keys) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SecretBox(keys)
