import pytest

from bascule.chat.connectors.wording import failure, seconds_of
from bascule.chat.models import FailureKind


@pytest.mark.parametrize("kind", list(FailureKind))
def test_every_kind_has_a_sentence_that_keeps_the_cause_to_itself(kind):
    failed = failure(kind, "cause-1")

    assert failed.public.endswith(".")
    assert "cause-1" not in failed.public
    assert failed.private == "cause-1"


def test_a_long_cause_is_one_short_line():
    assert len(failure(FailureKind.REJECTED, "a\nb " * 1000).private) <= 500
    assert "\n" not in failure(FailureKind.REJECTED, "a\nb").private


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0.5", 0.5), (None, None), ("soon", None), ("-1", None), ("inf", None),
     ("nan", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)],
)  # fmt: skip
def test_how_long_to_wait(header, seconds):
    assert seconds_of(header) == seconds
