"""`roles`: roles of one's own are made and changed from the shell."""

from pathlib import Path
from typing import Any

from unit.cli.shell import Ended, run


def roles(data: Path, *arguments: str, **options: Any) -> Ended:
    return run("roles", *arguments, "--data", data, "-o", "json", **options)


def test_a_role_is_made_changed_and_removed(data: Path) -> None:
    made = roles(
        data, "add", "auditor", "--permission", "audit:read", "--description", "Reads."
    ).value
    assert (made["permissions"], made["description"]) == (["audit:read"], "Reads.")
    assert roles(data, "show", "auditor").value == {**made, "used_by": []}
    changed = roles(data, "set", "auditor", "--permission", "tools:list").value
    assert (changed["permissions"], changed["description"]) == (["tools:list"], "Reads.")
    changed = roles(data, "set", "auditor", "--no-permissions", "--description", "").value
    assert (changed["permissions"], changed["description"]) == ([], "")
    assert roles(data, "remove", "auditor").value == {"removed": "auditor"}


def test_roles_and_permissions_are_listed(live: Path) -> None:
    found = roles(live, "list").value
    assert {one["name"] for one in found["roles"]} >= {"user", "admin", "system_admin"}
    assert roles(live, "permissions").value["total"] == 16
    table = run("roles", "permissions", "--data", live).out
    assert table.splitlines()[1].startswith("tools:list ")


def test_a_built_in_role_stays(live: Path) -> None:
    refused = roles(live, "set", "admin", "--permission", "tools:list")
    assert (refused.code, refused.error["code"]) == (2, "E2012")


def test_a_permission_that_is_not_there_is_guessed(live: Path) -> None:
    refused = roles(live, "add", "x", "--permission", "tool:list")
    assert refused.code == 2
    assert "did you mean tools:list" in refused.error["message"]


def test_what_says_nothing_or_too_much_is_refused(live: Path) -> None:
    for options in ((), ("--permission", "tools:list", "--no-permissions")):
        refused = roles(live, "set", "x", *options)
        assert refused.code == 2
        assert "--permission" in refused.error["message"]
