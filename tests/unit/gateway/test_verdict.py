import pytest

from bascule.gateway.errors import ErrorCode
from bascule.gateway.verdict import Challenge, Need

URL = "https://gateway.example/oauth/consent/abc"


@pytest.mark.parametrize(
    ("need", "error", "member"),
    [
        (Need.ELEVATION, ErrorCode.FORBIDDEN, "elevation_url"),
        (Need.CONSENT, ErrorCode.CONSENT_REQUIRED, "consent_url"),
    ],
)
def test_a_challenge_can_be_told_as_a_refusal_that_holds_its_address(
    need: Need, error: ErrorCode, member: str
) -> None:
    refusal = Challenge("Ask first.", "needs approval", URL, need).as_refusal()
    assert refusal.error is error
    assert refusal.public == f"Ask first. The address is {URL}"
    assert refusal.private == "needs approval"
    assert refusal.details == {member: URL}
