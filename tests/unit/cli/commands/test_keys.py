from pathlib import Path
from uuid import uuid4

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


def test_the_id_of_a_key_can_be_copied_from_a_narrow_terminal(live: Path) -> None:
    ann = run("keys", "list", "--data", live, "-o", "json").value["keys"][0]
    shown = run("keys", "list", "--data", live, terminal=True, environ={"COLUMNS": "80"}).out
    assert ann["key_id"] in shown


@pytest.mark.parametrize("key_id", [str(uuid4()), "nope", "../policies/users call", "a/b?c"])
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
