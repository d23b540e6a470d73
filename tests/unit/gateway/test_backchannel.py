import pytest

from bascule.gateway.backchannel import CallerGone, CallerRefused, CallerSilent, NoAnswer


def test_a_refusal_keeps_what_the_caller_said() -> None:
    refused = CallerRefused(-1, "No.", b"[1]")
    assert (refused.code, refused.message, refused.data, str(refused)) == (-1, "No.", b"[1]", "No.")
    assert CallerRefused(-1, "No.").data == b""


@pytest.mark.parametrize(
    "failure", [CallerRefused(1, "no"), CallerGone("gone"), CallerSilent("silent")]
)
def test_every_way_to_get_no_answer_is_one(failure: Exception) -> None:
    assert isinstance(failure, NoAnswer)
