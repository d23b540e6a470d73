"""The options for signing in fit together, or say how they would."""

import pytest

from bascule.cli.failures import CommandFailed
from bascule.cli.signing_in import SignIn
from bascule.gateway.connector import DIRECT, Connector, UserGrants
from bascule.upstreams.oauth.desk import DeskConsent
from bascule.upstreams.oauth.headless import HeadlessConsent

MINE = UserGrants("mine", "", "https://a.example")


def test_who_does_not_sign_in_reaches_the_server_as_ever() -> None:
    assert SignIn().connector is DIRECT


@pytest.mark.parametrize("who", [SignIn(person=True), SignIn(headless=True)])
def test_who_signs_in_has_a_grant_of_their_own(who: SignIn) -> None:
    assert who.connector == Connector(user_grants=UserGrants())


def test_a_secret_is_referred_to_and_never_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BASCULE_OAUTH_CLIENT_SECRET", raising=False)
    public = SignIn(person=True, wanted=MINE).connector.user_grants
    assert public == MINE

    monkeypatch.setenv("BASCULE_OAUTH_CLIENT_SECRET", "hush")
    wanted = SignIn(person=True, wanted=MINE).connector.user_grants
    assert wanted is not None
    assert wanted.client_secret == "${BASCULE_OAUTH_CLIENT_SECRET}"


@pytest.mark.parametrize(
    "who",
    [
        SignIn(person=True, headless=True),
        SignIn(wanted=MINE),
        SignIn(document_url="https://me.example/client.json"),
        SignIn(person=True, wanted=UserGrants("mine")),
        SignIn(person=True, wanted=UserGrants(issuer="https://a.example")),
        SignIn(person=True, document_url="http://me.example/client.json"),
    ],
)
def test_options_that_do_not_fit_are_refused(who: SignIn) -> None:
    with pytest.raises(CommandFailed, match="--oauth"):
        who.connector  # noqa: B018 - it is looked at


async def test_what_is_opened_is_how_the_person_signs_in() -> None:
    async with SignIn().open() as nothing:
        assert nothing is None
    async with SignIn(headless=True, document_url="https://d").open() as alone:
        assert alone is not None
        assert isinstance(alone.consent, HeadlessConsent)
        assert alone.document_url == "https://d"
    async with SignIn(person=True).open() as at_desk:
        assert at_desk is not None
        assert isinstance(at_desk.consent, DeskConsent)
        assert at_desk.one_person
