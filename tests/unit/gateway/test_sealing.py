from hypothesis import given
from hypothesis.strategies import text, tuples

from bascule.gateway.sealing import Purpose, SealBroken, owner_of


@given(tuples(text(), text()), tuples(text(), text()))
def test_two_callers_never_share_an_owner(one: tuple[str, str], other: tuple[str, str]):
    assert (owner_of(*one) == owner_of(*other)) == (one == other)


def test_a_tenant_cannot_be_stretched_into_the_subject():
    assert owner_of("a", "bc") != owner_of("ab", "c")
    assert owner_of("1", ":x") != owner_of("1:", "x")


def test_an_owner_is_never_nobody():
    assert owner_of("", "")


def test_a_broken_seal_says_nothing_of_why():
    assert str(SealBroken()) == "the seal does not hold"


def test_the_names_of_purposes_stay_what_tokens_were_made_with():
    assert set(Purpose) == {
        "session", "endpoint", "cursor", "request-state", "parked", "task", "elevation",
    }  # fmt: skip
