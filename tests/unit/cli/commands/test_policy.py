import json
from pathlib import Path

from bascule.cli.policy_words import COLUMNS
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
    assert tuple(shown[0].split()) == COLUMNS
    assert shown[1].split(maxsplit=2)[2].startswith("allow   role user  everything")


def test_a_user_may_not_even_read_the_rules(live: Path, user_key: str) -> None:
    refused = run("policy", "list", "--data", live, "--key", user_key)
    assert (refused.code, refused.error["details"]) == (6, {"permission": "policies:read"})


def test_what_is_shown_and_exported_can_be_applied(data: Path) -> None:
    listed = ("deny list", {"type": "deny_list", "tools": ["rows"], "when": {"networks": ["::1"]}})
    Path("p.json").write_text(json.dumps({"name": listed[0], **listed[1]}))
    assert run("policy", "apply", "p.json", "--data", data).code == 0
    shown = run("policy", "show", "deny list", "--data", data)
    assert "::1/128" in shown.out
    Path("shown.yaml").write_text(shown.out)
    exported = run("policy", "export", "--data", data)
    Path("all.yaml").write_text(exported.out)
    for name in ("shown.yaml", "all.yaml"):
        again = run("policy", "apply", name, "--data", data)
        assert (again.code, again.out) == (0, ""), again.err
        assert "nothing changed" in again.err
    found = run("policy", "list", "--type", "deny_list", "--data", data, "-o", "json").value
    assert [one["name"] for one in found["policies"]] == ["deny list"]


def test_a_reason_is_kept_in_any_script(data: Path) -> None:
    reason = ("--reason", "夜勤", "--data", data)
    assert run("policy", "allow", "a", "--role", "user", *reason).code == 0
    assert run("policy", "remove", "a", *reason).code == 0
    found = run("policy", "versions", "--limit", "2", "--data", data, "-o", "json").value
    assert [one["reason"] for one in found["versions"]] == ["夜勤", "夜勤"]


def test_rego_is_applied_from_a_folder_and_exported_to_one(data: Path) -> None:
    folder = Path("authz")
    folder.mkdir()
    module = "package bascule.authz\nimport rego.v1\nallow if input.tool.name in data.open\n"
    (folder / "authz.rego").write_text(module)
    (folder / "data.json").write_text('{"open": ["text"]}')
    applied = run("policy", "apply", folder, "--data", data)
    assert applied.code == 0, applied.err
    written = run("policy", "export", "--rego", "out", "--data", data, "-o", "json").value
    assert [one["file"] for one in written] == ["out/authz/authz.rego", "out/authz/data.json"]
    assert Path("out/authz/authz.rego").read_text() == module
    (folder / "authz.rego").write_text("package bascule.authz\nallow if {\n")
    refused = run("policy", "apply", folder, "--data", data)
    assert (refused.code, refused.error["code"]) == (2, "E2004")
    assert "authz: rego: authz.rego:" in refused.error["message"]
