import base64
from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis.strategies import binary, integers, sampled_from, text

from bascule.gateway.sealing import MOST_PAYLOAD_BYTES, Purpose, SealBroken, owner_of
from bascule.gateway.seals import Seals

OLD = bytes(range(32))
NEW = bytes(range(1, 33))
ALICE = owner_of("default", "alice")
SEALS = Seals([OLD])


@given(sampled_from(Purpose), text(), binary(max_size=300))
def test_what_was_sealed_opens_for_the_same_purpose_and_owner(
    purpose: Purpose, owner: str, payload: bytes
):
    assert SEALS.open(purpose, owner, SEALS.seal(purpose, owner, payload)) == payload


def test_an_owner_may_hold_what_is_no_text():
    token = SEALS.seal(Purpose.CURSOR, "\ud800", b"x")

    assert SEALS.open(Purpose.CURSOR, "\ud800", token) == b"x"
    assert is_broken(token, owner="\ud801")


def test_a_token_fits_a_header_a_query_and_json():
    token = SEALS.seal(Purpose.SESSION, "", bytes(1000))

    assert set(token) <= set(ascii_letters + digits + "-_")


def test_no_two_tokens_are_alike_and_none_shows_what_it_holds():
    tokens = {SEALS.seal(Purpose.CURSOR, ALICE, b"upstream=travel") for _ in range(1000)}

    assert len(tokens) == 1000
    assert not any(b"travel" in raw(token) or b"alice" in raw(token) for token in tokens)


def raw(token: str) -> bytes:
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


def is_broken(token: str, purpose: Purpose = Purpose.CURSOR, owner: str = ALICE) -> bool:
    try:
        SEALS.open(purpose, owner, token)
    except SealBroken:
        return True
    return False


def test_no_bit_of_a_token_can_be_changed():
    token = raw(SEALS.seal(Purpose.CURSOR, ALICE, b"page 2"))

    for bit in range(len(token) * 8):
        changed = bytearray(token)
        changed[bit // 8] ^= 1 << bit % 8
        assert is_broken(base64.urlsafe_b64encode(changed).rstrip(b"=").decode()), bit


def test_no_character_of_a_token_can_be_changed_left_out_or_added():
    token = SEALS.seal(Purpose.CURSOR, ALICE, b"page 2")
    alphabet = ascii_letters + digits + "-_"

    for place, there in enumerate(token):
        before, after = token[:place], token[place + 1 :]
        assert is_broken(before + after)
        for other in (alphabet + "+/=. \n\0é\ud800").replace(there, ""):
            assert is_broken(before + other + after), (place, other)
    for junk in ["-TAMPERED", "=", "==", " ", "\n", "A", "AAAA", "é", "\ud800", "+", "/", "!"]:
        assert is_broken(token + junk), junk
        assert is_broken(junk + token), junk


@given(text() | text(alphabet=ascii_letters + digits + "-_=", max_size=80))
def test_whatever_else_is_given_is_broken(token: str):
    assert is_broken(token)


@given(integers(min_value=0, max_value=60), integers(min_value=0, max_value=60))
def test_parts_of_two_tokens_do_not_make_a_third(first: int, second: int):
    one, other = (SEALS.seal(Purpose.CURSOR, ALICE, payload) for payload in (b"page 2", b"page 3"))

    joined = one[:first] + other[second:]

    assert is_broken(joined) == (joined not in {one, other})


@pytest.mark.parametrize(
    ("purpose", "token"),
    [
        (Purpose.SESSION, "MRB7-3Xutkw-6nB3XQ8gH0sM_DMHn5iriF5kHgEQ9CkYzFHi"),
        (Purpose.ENDPOINT, "MRDM0TLCjStot2F2xmi5BVXpqschVJe8IfP_DiJcETL9XGQB"),
        (Purpose.CURSOR, "MRBciGhAb19BaShIaBTKXOy34LlMXMTxGZG6icVSABOCoFYR"),
        (Purpose.REQUEST_STATE, "MRBR-DwHSECBtgAc60RiXU8gYtpIheRJxRjhS_YIOKzEsxzR"),
        (Purpose.PARKED, "MRClHKFtmhPPfi3l23ujbRqy82CuFXVo1PfAEIhiRnCMVCPX"),
        (Purpose.TASK, "MRCumTS7_dAH8Obn9UacLc5-cEhaPwvMQupe0YZWz0QhIjR9"),
    ],
)
def test_a_token_given_out_before_an_update_opens_after_it(purpose: Purpose, token: str):
    assert SEALS.open(purpose, ALICE, token) == b"page 2"


@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_of_one_purpose_is_worth_nothing_for_another(purpose: Purpose):
    token = SEALS.seal(purpose, ALICE, b"x")

    assert [one for one in Purpose if not is_broken(token, one)] == [purpose]


@pytest.mark.parametrize(
    "owner", ["", "alice", owner_of("default", "bob"), owner_of("other", "alice"), ALICE + "\0"]
)
def test_a_token_of_one_owner_is_worth_nothing_to_another(owner: str):
    assert is_broken(SEALS.seal(Purpose.CURSOR, ALICE, b"x"), owner=owner)
    assert is_broken(SEALS.seal(Purpose.CURSOR, owner, b"x"))


def test_another_installation_cannot_open_the_token():
    assert is_broken(Seals([NEW]).seal(Purpose.CURSOR, ALICE, b"x"))


def test_after_a_rotation_the_new_key_seals_and_the_old_tokens_still_open():
    rotated = Seals([NEW, OLD])
    before = SEALS.seal(Purpose.TASK, ALICE, b"task 7")
    after = rotated.seal(Purpose.TASK, ALICE, b"task 8")

    assert rotated.open(Purpose.TASK, ALICE, before) == b"task 7"
    assert Seals([NEW]).open(Purpose.TASK, ALICE, after) == b"task 8"
    assert is_broken(after, Purpose.TASK)
    with pytest.raises(SealBroken):
        Seals([NEW]).open(Purpose.TASK, ALICE, before)


def test_keys_that_share_a_hint_are_told_apart():
    # A hint is one byte: among 300 keys some share it.
    keys = [number.to_bytes(32) for number in range(300)]
    tokens = [Seals([key]).seal(Purpose.TASK, ALICE, key) for key in keys]
    assert len({raw(token)[:2] for token in tokens}) < len(keys)

    every = Seals(keys)

    assert [every.open(Purpose.TASK, ALICE, token) for token in tokens] == keys


def test_a_handle_holds_eight_kibibytes_and_no_more():
    most = bytes(MOST_PAYLOAD_BYTES)
    assert SEALS.open(Purpose.TASK, ALICE, SEALS.seal(Purpose.TASK, ALICE, most)) == most

    with pytest.raises(ValueError, match="8192"):
        SEALS.seal(Purpose.TASK, ALICE, most + b"x")


def test_a_huge_token_is_refused_before_it_is_decoded():
    assert is_broken("A" * 10_000_000)


@pytest.mark.parametrize("keys", [[], [b""], [bytes(16)], [bytes(33)], [OLD, bytes(31)]])
def test_keys_of_another_length_are_refused(keys: list[bytes]):
    with pytest.raises(ValueError, match="32 bytes"):
        Seals(keys)
