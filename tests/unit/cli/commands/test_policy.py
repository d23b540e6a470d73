from pathlib import Path

from unit.cli.shell import run


def rules(data: Path) -> list[str]:
    found = run("policy", "list", "--data", data, "-o", "json").value["policies"]
    return [rule["name"] for rule in found]


def test_a_rule_is_made_with_everything_that_narrows_it(data: Path) -> None:
    rule = run(
        *("policy", "allow", "readers", "--role", "viewer", "--role", "operator"),
        *("--bundle", "service", "--tool", "r*", "--tool", "text", "--risk", "read"),
        *("--data", data, "-o", "json"),
    ).value
    assert (rule["effect"], rule["roles"]) == ("allow", ["operator", "viewer"])
    assert (rule["bundles"], rule["tools"], rule["risks"]) == (
        ["service"],
        ["r*", "text"],
        ["read"],
    )
    assert rules(data) == ["readers", "users call"]


def test_what_is_denied_can_neither_be_seen_nor_called(data: Path, user_key: str) -> None:
    assert run("call", "text", "--data", data, "--key", user_key).code == 0
    assert (
        run("policy", "deny", "no text", "--role", "user", "--tool", "text", "--data", data).code
        == 0
    )
    refused = run("call", "text", "--data", data, "--key", user_key)
    assert (refused.code, refused.error["code"]) == (5, "E3001")
    assert run("call", "rows", "--data", data, "--key", user_key).code == 0


def test_the_rule_that_is_named_is_removed_and_no_other(data: Path) -> None:
    names = ["a", "a/b?c", "50% #1"]
    for name in names:
        assert run("policy", "allow", name, "--role", "user", "--data", data).code == 0
    for name in sorted(names, reverse=True):
        left = rules(data)
        removed = run("policy", "remove", name, "--data", data, "-o", "json").value
        assert removed == {"removed": name}
        assert [one for one in left if one != name] == rules(data)
    assert rules(data) == ["users call"]


def test_a_rule_that_is_not_there_is_named(live: Path) -> None:
    refused = run("policy", "remove", "no such rule", "--data", live)
    assert (refused.code, refused.error["code"]) == (2, "E2011")
    assert "no such rule" in refused.error["message"]


def test_a_mistyped_role_is_not_a_rule_that_never_applies(live: Path) -> None:
    refused = run("policy", "deny", "x", "--role", "usr", "--data", live)
    assert (refused.code, refused.error["code"]) == (2, "E2004")
    assert "Unknown roles: usr." in refused.error["message"]
    assert rules(live) == ["users call"]


def test_a_list_is_a_table_for_people(live: Path) -> None:
    shown = run("policy", "list", "--data", live).out.splitlines()
    assert shown[0].split() == [
        *("name", "effect", "roles", "actions", "bundles", "tools", "prompts", "resources"),
        *("risks", "priority"),
    ]
    assert shown[1].startswith("users call  allow   user   discover, invoke")


def test_a_user_may_not_even_read_the_rules(live: Path, user_key: str) -> None:
    refused = run("policy", "list", "--data", live, "--key", user_key)
    assert (refused.code, refused.error["details"]) == (6, {"permission": "policies:read"})
