from pathlib import Path

import pytest

from unit.cli.shell import run


def test_a_key_is_made_shown_once_and_works(data: Path) -> None:
    made = run(
        "keys", "create", "--name", "ci", "--role", "developer", "--data", data, "-o", "json"
    )
    key = made.value
    assert (key["name"], key["roles"], key["expires_at"]) == ("ci", ["developer"], None)
    listed = run("keys", "list", "--data", data, "-o", "json")
    assert key["key"] not in listed.out
    assert [one["name"] for one in listed.value["keys"]] == ["ann", "ci"]
    assert run("tools", "list", "--data", data, "--key", key["key"], "-o", "json").value["total"]


def test_a_key_may_have_several_roles_and_an_end(data: Path) -> None:
    made = run(
        *("keys", "create", "--name", "ci", "--role", "user", "--role", "operator"),
        *("--expires-in-days", "7", "--data", data, "-o", "json"),
    ).value
    assert made["roles"] == ["operator", "user"]
    assert made["expires_at"] is not None


def test_a_table_shows_the_secret_on_a_line_of_its_own(data: Path) -> None:
    ended = run("keys", "create", "--name", "ci", "--role", "user", "--data", data)
    (line,) = [one for one in ended.out.splitlines() if one.startswith("key ")]
    assert line.split()[1].startswith("bsc_")


def test_a_revoked_key_opens_nothing_any_more(data: Path, user_key: str) -> None:
    (ann,) = run("keys", "list", "--data", data, "-o", "json").value["keys"]
    revoked = run("keys", "revoke", ann["key_id"], "--data", data, "-o", "json").value
    assert revoked["revoked_at"] is not None
    refused = run("call", "echo", "--data", data, "--key", user_key)
    assert (refused.code, refused.error["code"]) == (3, "E1002")


def test_a_narrow_terminal_shows_what_a_key_is_called_and_that_it_is_revoked(data: Path) -> None:
    revoked = run("keys", "revoke", "ann", "--data", data, "-o", "json").value["revoked_at"]
    shown = run("keys", "list", "--data", data, terminal=True, environ={"COLUMNS": "80"}).out
    (line,) = [one for one in shown.splitlines() if one.startswith("ann ")]
    assert revoked[:19] in line


def test_a_key_is_found_by_its_name_while_it_is_in_force(data: Path) -> None:
    make = ("keys", "create", "--name", "ci", "--role", "user", "--data", data, "-o", "json")
    first = run(*make).value
    assert run("keys", "revoke", "ci", "--data", data, "-o", "json").value["revoked_at"]
    second = run(*make).value
    run("keys", "create", "--name", "laptop", "--role", "user", "--data", data)
    rotated = run("keys", "rotate", "ci", "--data", data, "-o", "json").value
    assert rotated["key_id"] == second["key_id"] != first["key_id"]
    missing = run("keys", "revoke", "laptopp", "--data", data)
    assert (missing.code, missing.error["code"]) == (2, "E2011")
    assert "Did you mean laptop?" in missing.error["message"]


@pytest.mark.parametrize(
    "key_id", ["1fbee858-d49c-48d5-a247-7fd754e5637b", "nope", "../policies/users call", "a/b?c"]
)
def test_a_key_that_is_not_there_cannot_be_revoked(live: Path, key_id: str) -> None:
    refused = run("keys", "revoke", key_id, "--data", live)
    assert refused.code == 2
    assert refused.error["code"] in {"E2004", "E2011"}
    assert run("policy", "list", "--data", live, "-o", "json").value["total"] == 1


def test_a_role_that_does_not_exist_is_named_with_those_that_do(live: Path) -> None:
    refused = run("keys", "create", "--name", "x", "--role", "usr", "--data", live)
    assert (refused.code, refused.error["code"]) == (2, "E2004")
    assert "usr" in refused.error["message"]
    assert "user" in refused.error["details"]["known"]


def test_a_name_that_is_taken_is_a_conflict(live: Path) -> None:
    refused = run("keys", "create", "--name", "ann", "--role", "user", "--data", live)
    assert (refused.code, refused.error["code"]) == (2, "E2012")


def test_a_user_makes_no_keys(live: Path, user_key: str) -> None:
    refused = run(
        "keys", "create", "--name", "x", "--role", "user", "--data", live, "--key", user_key
    )
    assert (refused.code, refused.error["code"]) == (6, "E1004")
    assert refused.error["details"] == {"permission": "users:manage"}


def test_a_key_may_be_limited_and_act_for_somebody(data: Path) -> None:
    run("users", "add", "asha", "--role", "user", "--data", data)
    made = run(
        *("keys", "create", "--name", "laptop", "--user", "asha", "--scope", "tools:list"),
        *("--data", data, "-o", "json"),
    ).value
    assert (made["user"], made["roles"], made["scopes"]) == ("asha", ["user"], ["tools:list"])
    shown = run("whoami", "--data", data, "--key", made["key"], "-o", "json").value
    assert (shown["name"], shown["permissions"]) == ("asha", ["tools:list"])


def test_a_key_needs_roles_or_a_person(live: Path) -> None:
    refused = run("keys", "create", "--name", "x", "--data", live)
    assert (refused.code, refused.error["code"]) == (2, "E2001")
    assert "--user" in refused.error["message"]


@pytest.mark.parametrize(("grace", "code"), [("60", 0), ("0", 3)])
def test_a_key_gets_another_secret(data: Path, user_key: str, grace: str, code: int) -> None:
    (ann,) = run("keys", "list", "--data", data, "-o", "json").value["keys"]
    rotated = run(
        *("keys", "rotate", ann["key_id"], "--grace-seconds", grace, "--data", data, "-o", "json")
    ).value
    assert (rotated["key_id"], rotated["name"]) == (ann["key_id"], "ann")
    assert rotated["key"] != user_key
    assert run("whoami", "--data", data, "--key", rotated["key"]).code == 0
    assert run("whoami", "--data", data, "--key", user_key).code == code
