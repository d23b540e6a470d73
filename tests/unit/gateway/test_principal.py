import pytest

from bascule.gateway.principal import Principal


@pytest.mark.parametrize(
    ("permissions", "may"),
    [
        ({"tools:execute"}, True),
        ({"system_admin"}, True),
        ({"tools:list"}, False),
        ({"tools"}, False),
        ({"TOOLS:EXECUTE"}, False),
        (set(), False),
    ],
)
def test_a_permission_is_held_by_name_or_as_system_administrator(
    permissions: set[str], may: bool
) -> None:
    principal = Principal("acme", "ann", frozenset(), frozenset(permissions))
    assert principal.may("tools:execute") is may


def test_a_role_is_no_permission() -> None:
    principal = Principal("acme", "ann", frozenset({"system_admin", "tools:execute"}))
    assert not principal.may("tools:execute")
