import pytest

from bascule.gateway.principal import Principal
from bascule.gateway.session import Session, SessionOwner
from fakes.catalogue import make_principal


def test_a_session_is_its_openers_alone() -> None:
    session = Session("s-1", SessionOwner.of(make_principal()), "2025-11-25")
    assert session.owner == SessionOwner.of(make_principal(roles=("admin",))), "roles may change"


@pytest.mark.parametrize(
    "other",
    [
        make_principal("bob"),
        make_principal(tenant="other"),
        Principal("acme", "ann", frozenset(), key_id="another"),
    ],
)
def test_anybody_else_is_another_owner(other: Principal) -> None:
    assert SessionOwner.of(make_principal()) != SessionOwner.of(other)
