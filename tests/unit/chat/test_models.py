"""How asking a model fails."""

from bascule.chat.models import FailureKind, ModelFailure


def test_a_failure_has_one_sentence_for_the_person_and_one_for_the_log() -> None:
    failure = ModelFailure(FailureKind.OVERLOADED, "Busy.", "529", retry_after_seconds=2)
    assert (failure.public, str(failure), failure.retry_after_seconds) == ("Busy.", "529", 2)
