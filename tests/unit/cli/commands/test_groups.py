"""`groups`: roles are given to groups from the shell."""

from pathlib import Path
from typing import Any

from unit.cli.shell import Ended, run


def groups(data: Path, *arguments: str, **options: Any) -> Ended:
    return run("groups", *arguments, "--data", data, "-o", "json", **options)


def test_a_group_brings_roles_until_it_does_not(data: Path) -> None:
    made = groups(data, "set", "/staff/desk", "user", "viewer").value
    assert (made["name"], made["roles"]) == ("/staff/desk", ["user", "viewer"])
    assert groups(data, "show", "/staff/desk").value == made
    assert groups(data, "list").value == {"groups": [made], "total": 1}
    assert groups(data, "set", "/staff/desk", "user").value["roles"] == ["user"]
    assert groups(data, "remove", "/staff/desk").value == {"removed": "/staff/desk"}
    missing = groups(data, "show", "/staff/desk")
    assert (missing.code, missing.error["code"]) == (2, "E2011")


def test_a_group_needs_roles_that_exist(live: Path) -> None:
    assert groups(live, "set", "staff").code == 2
    refused = groups(live, "set", "staff", "boss")
    assert (refused.code, refused.error["code"]) == (2, "E2004")
