"""Digests prove what passed, and a keyed one cannot be found by trying."""

import hashlib

from bascule.gateway.digests import keyed_digest, sha256_digest


def test_a_plain_digest_is_sha256() -> None:
    assert sha256_digest(b"pune") == hashlib.sha256(b"pune").hexdigest()


def test_a_keyed_digest_is_blake2b_and_depends_on_the_key() -> None:
    digest = keyed_digest(b"k" * 32)
    assert digest(b"pune") == hashlib.blake2b(b"pune", key=b"k" * 32, digest_size=32).hexdigest()
    assert digest(b"pune") != keyed_digest(b"other")(b"pune")
    assert digest(b"pune") != sha256_digest(b"pune")
