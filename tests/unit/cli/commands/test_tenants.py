"""`tenants`: tenants are added, closed and removed from the shell."""

from pathlib import Path
from typing import Any

from unit.cli.shell import Ended, run


def tenants(data: Path, *arguments: str, **options: Any) -> Ended:
    return run("tenants", *arguments, "--data", data, "-o", "json", **options)


def test_a_tenant_is_added_changed_closed_and_removed(data: Path) -> None:
    made = tenants(data, "add", "acme", "--description", "Anvils.", "--host", "acme.example").value
    assert (made["hosts"], made["is_active"]) == (["acme.example"], True)
    assert tenants(data, "show", "acme").value == {**made, "holds": {}}
    changed = tenants(data, "set", "acme", "--description", "Else.").value
    assert (changed["description"], changed["hosts"]) == ("Else.", ["acme.example"])
    assert tenants(data, "set", "acme", "--no-hosts").value["hosts"] == []
    assert not tenants(data, "deactivate", "acme").value["is_active"]
    assert tenants(data, "activate", "acme").value["is_active"]
    names = [one["name"] for one in tenants(data, "list").value["tenants"]]
    assert names == ["acme", "default"]
    assert tenants(data, "remove", "acme").value == {"removed": "acme"}


def test_a_tenant_that_has_something_stays(data: Path) -> None:
    tenants(data, "add", "acme")
    run("users", "add", "asha", "--tenant", "acme", "--data", data)
    refused = tenants(data, "remove", "acme")
    assert (refused.code, refused.error["details"]) == (2, {"left": {"users": 1}})


def test_what_says_nothing_or_too_much_is_refused(live: Path) -> None:
    for options in ((), ("--host", "a.example", "--no-hosts")):
        refused = tenants(live, "set", "default", *options)
        assert refused.code == 2
        assert "--host" in refused.error["message"]


def test_only_a_system_administrator_sees_tenants(live: Path, user_key: str) -> None:
    refused = tenants(live, "list", "--key", user_key)
    assert (refused.code, refused.error["details"]) == (6, {"permission": "system_admin"})
