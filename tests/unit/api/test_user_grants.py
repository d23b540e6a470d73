import pytest
from pydantic import ValidationError

from bascule.api.caller import Caller
from bascule.api.user_grants import UserGrants, check_https, check_user_grants
from bascule.gateway import connector
from bascule.gateway.errors import Forbidden, InvalidValue
from bascule.gateway.principal import Principal

MANAGER = Caller(Principal("default", "ann", frozenset()), "c-1")
ISSUER = "https://id.example"


def test_nothing_need_be_said_where_the_server_publishes_it_all() -> None:
    assert UserGrants().as_value() == connector.UserGrants()
    check_user_grants(MANAGER, connector.UserGrants())


def test_a_client_registered_by_hand_is_passed_on_whole() -> None:
    wanted = UserGrants(
        client_id="x", client_secret="${secret:x}", issuer=ISSUER, scopes=["read", "write"]
    )
    value = wanted.as_value()
    assert value == connector.UserGrants("x", "${secret:x}", ISSUER, ("read", "write"))
    check_user_grants(MANAGER, value)


@pytest.mark.parametrize(
    "members",
    [
        {"client_id": "x"},
        {"issuer": ISSUER},
        {"client_secret": "${secret:x}"},
        {"scopes": ["two words"]},
        {"scopes": ['a"b']},
        {"more": 1},
    ],
)
def test_what_does_not_go_together_is_refused(members: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        UserGrants.model_validate(members)


def test_a_secret_is_a_reference_and_the_issuer_is_reached_over_https() -> None:
    with pytest.raises(InvalidValue, match="written out"):
        check_user_grants(MANAGER, connector.UserGrants("x", "open", ISSUER))
    with pytest.raises(InvalidValue, match="https"):
        check_user_grants(MANAGER, connector.UserGrants("x", "", "http://id.example"))
    with pytest.raises(Forbidden):
        check_user_grants(MANAGER, connector.UserGrants("x", "${HOME}", ISSUER))


@pytest.mark.parametrize("url", ["https://id.example", "http://127.0.0.1:1/t", "http://localhost"])
def test_what_stays_on_this_machine_need_not_be_encrypted(url: str) -> None:
    check_https("field", url)


@pytest.mark.parametrize("url", ["http://10.0.0.1", "ftp://x", "", "javascript:alert(1)"])
def test_everything_else_must(url: str) -> None:
    with pytest.raises(InvalidValue, match="field"):
        check_https("field", url)
