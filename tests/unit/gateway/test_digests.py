"""Digests prove what passed, and a keyed one cannot be found by trying."""

import hashlib

import pytest

from bascule.gateway.digests import keyed_digest, request_digest, sha256_digest


def test_a_plain_digest_is_sha256() -> None:
    assert sha256_digest(b"pune") == hashlib.sha256(b"pune").hexdigest()


def test_a_keyed_digest_is_blake2b_and_depends_on_the_key() -> None:
    digest = keyed_digest(b"k" * 32)
    assert digest(b"pune") == hashlib.blake2b(b"pune", key=b"k" * 32, digest_size=32).hexdigest()
    assert digest(b"pune") != keyed_digest(b"other")(b"pune")
    assert digest(b"pune") != sha256_digest(b"pune")


def test_a_request_is_the_same_whatever_the_order_of_its_members() -> None:
    one = request_digest("tools/call", "book", {"city": "Pune", "guests": {"a": 1, "b": 2}})
    assert one == request_digest("tools/call", "book", {"guests": {"b": 2, "a": 1}, "city": "Pune"})


@pytest.mark.parametrize(
    "other",
    [
        ("prompts/get", "book", {"city": "Pune"}),
        ("tools/call", "cancel", {"city": "Pune"}),
        ("tools/call", "book", {"city": "Goa"}),
        ("tools/call", "book", {"city": ["Pune"]}),
        ("tools/call", "book", {}),
    ],
)
def test_a_request_is_another_with_any_salient_part_changed(
    other: tuple[str, str, dict[str, object]],
) -> None:
    assert request_digest(*other) != request_digest("tools/call", "book", {"city": "Pune"})
