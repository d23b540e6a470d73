"""The permissions there are, and the roles made of them."""

from bascule.gateway.permissions import APPROVE, PERMISSIONS, SYSTEM_ADMIN, USERS_MANAGE
from bascule.storage.seed import BUILTIN_ROLES

_NAMES = {
    *("tools:list", "tools:execute", "tools:write", "policies:read", "policies:write"),
    *("elevations:approve", "audit:read", "metrics:read", "users:manage"),
    *("mcp:view_servers", "mcp:manage_servers", "mcp:view_events"),
    *("mcp:manage_config", "mcp:view_logs", "mcp:bulk_operations", "system_admin"),
}


def test_there_are_these_permissions_each_with_a_sentence() -> None:
    assert PERMISSIONS.keys() == _NAMES
    assert {APPROVE, SYSTEM_ADMIN, USERS_MANAGE} <= _NAMES
    for sentence in PERMISSIONS.values():
        assert sentence[0].isupper()
        assert sentence.endswith(".")


def test_every_permission_is_in_a_built_in_role_and_no_other_is() -> None:
    held = frozenset[str]().union(*(permissions for _, permissions in BUILTIN_ROLES.values()))
    assert held == _NAMES


def test_the_roles_are_those_of_the_handbook() -> None:
    held = {name: permissions for name, (_, permissions) in BUILTIN_ROLES.items()}
    user = {"tools:list", "tools:execute"}
    looks = {"metrics:read", "mcp:view_servers", "mcp:view_events", "mcp:view_logs"}
    assert held["user"] == user
    assert held["developer"] == user | {"tools:write", "policies:read"}
    assert held["viewer"] == looks | {"tools:list"}
    assert held["operator"] == user | looks | {
        *("policies:read", "audit:read", "mcp:manage_servers", "mcp:bulk_operations"),
    }
    assert held["admin"] == _NAMES - {SYSTEM_ADMIN}
    assert held["system_admin"] == _NAMES
