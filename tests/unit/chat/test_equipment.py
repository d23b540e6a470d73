"""A provider is told of people by pseudonyms."""

import hashlib

from bascule.chat.equipment import pseudonyms, unmetered
from bascule.gateway.digests import keyed_digest
from fakes.chatting import ADA, BOB


def test_a_pseudonym_is_stable_and_of_one_person() -> None:
    pseudonym = pseudonyms(keyed_digest(b"1" * 32))
    assert pseudonym(ADA) == pseudonym(ADA) != pseudonym(BOB)
    assert len(pseudonym(ADA)) == 32
    assert "ada" not in pseudonym(ADA)


def test_nobody_without_the_key_finds_out_whose_a_pseudonym_is() -> None:
    found = {pseudonyms(keyed_digest(key * 32))(ADA) for key in (b"1", b"2")}
    found.add(hashlib.sha256(f"{ADA.tenant}\0{ADA.owner}".encode()).hexdigest()[:32])
    assert len(found) == 3


def test_what_is_not_metered_is_nobodys_business() -> None:
    unmetered(ADA, "m", 1, 2)
