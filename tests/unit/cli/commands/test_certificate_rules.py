"""`certificate-rules`: what certificates stand for is said from the shell."""

from pathlib import Path
from typing import Any

from unit.cli.shell import Ended, run

PATTERN = "URI:spiffe://example.org/agents/*"


def rules(data: Path, *arguments: str, **options: Any) -> Ended:
    return run("certificate-rules", *arguments, "--data", data, "-o", "json", **options)


def test_a_rule_is_made_replaced_listed_and_removed(data: Path) -> None:
    made = rules(data, "set", "agents", PATTERN, "user", "viewer", "--issuer", "CN=Ours").value
    assert (made["pattern"], made["roles"]) == (PATTERN, ["user", "viewer"])
    assert made["issuer"] == "CN=Ours"
    assert rules(data, "list").value == {"certificate_rules": [made], "total": 1}
    table = run("certificate-rules", "list", "--data", data).out.splitlines()
    assert table[0].split()[:3] == ["name", "pattern", "roles"]
    again = rules(data, "set", "agents", PATTERN, "user").value
    assert (again["roles"], again["issuer"]) == (["user"], "")
    assert rules(data, "remove", "agents").value == {"removed": "agents"}
    missing = rules(data, "remove", "agents")
    assert (missing.code, missing.error["code"]) == (2, "E2011")


def test_a_rule_has_a_pattern_that_says_something_and_roles_that_exist(live: Path) -> None:
    assert rules(live, "set", "agents", PATTERN).code == 2
    for pattern, role in (("*", "user"), ("URI:*", "user"), (PATTERN, "boss")):
        refused = rules(live, "set", "agents", pattern, role)
        assert (refused.code, refused.error["code"]) == (2, "E2004")


def test_a_user_says_nothing_of_certificates(live: Path, user_key: str) -> None:
    refused = rules(live, "list", "--key", user_key)
    assert (refused.code, refused.error["details"]) == (6, {"permission": "system_admin"})
