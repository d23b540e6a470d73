from bascule.gateway.errors import ErrorCode
from bascule.identity.rejections import Reason, Rejection, shown


def test_every_class_has_a_sentence_that_says_what_to_do() -> None:
    for reason in Reason:
        refuse = Rejection(reason, "the cause").refuse()
        assert refuse.private == "the cause"
        assert "cause" not in refuse.public
        assert refuse.public.endswith(".")


def test_who_should_get_a_new_token_and_who_should_wait_are_told_apart() -> None:
    codes = {reason: Rejection(reason, "").refuse().error for reason in Reason}
    assert codes.pop(Reason.EXPIRED) is ErrorCode.TOKEN_EXPIRED
    assert codes.pop(Reason.UNAVAILABLE) is ErrorCode.UNAVAILABLE
    assert set(codes.values()) == {ErrorCode.INVALID_TOKEN}


def test_what_a_stranger_wrote_is_shown_short_and_harmless() -> None:
    assert shown("a\nb\x1b[31mé") == "'a\\nb\\x1b[31m\\xe9'"
    assert len(shown("x" * 10_000)) == 123
    assert shown(None) == "None"
