import pytest

from bascule.gateway.errors import ErrorCode
from bascule.gateway.verdict import Challenge, Need

URL = "https://gateway.example/oauth/consent/abc"


@pytest.mark.parametrize(
    ("need", "error", "details"),
    [
        (
            Need.ELEVATION,
            ErrorCode.ELEVATION_REQUIRED,
            {"requires_elevation": True, "elevation_url": URL},
        ),
        (Need.CONSENT, ErrorCode.CONSENT_REQUIRED, {"consent_url": URL}),
    ],
)
def test_a_challenge_can_be_told_as_a_refusal_that_holds_its_address(
    need: Need, error: ErrorCode, details: dict[str, object]
) -> None:
    refusal = Challenge("Ask first.", "needs approval", URL, need).as_refusal()
    assert refusal.error is error
    assert refusal.public == f"Ask first. The address is {URL}"
    assert refusal.private == "needs approval"
    assert refusal.details == details
