"""`users`: people are added, let in and kept out from the shell."""

from pathlib import Path
from typing import Any

import pytest

from unit.cli.shell import Ended, run

GIVEN = b"four horses and a wagon\n"


def users(data: Path, *arguments: str, **options: Any) -> Ended:
    return run("users", *arguments, "--data", data, "-o", "json", **options)


def test_a_person_is_added_shown_changed_and_removed(data: Path) -> None:
    made = users(
        data, "add", "asha", "--role", "user", "--role", "viewer", "--email", "a@example.org"
    ).value
    assert (made["roles"], made["email"]) == (["user", "viewer"], "a@example.org")
    assert users(data, "show", "asha").value == made
    changed = users(data, "set", "asha", "--display-name", "Asha Rao").value
    assert (changed["display_name"], changed["email"]) == ("Asha Rao", "a@example.org")
    assert users(data, "set-roles", "asha", "developer").value["roles"] == ["developer"]
    assert users(data, "set-roles", "asha").value["roles"] == []
    assert users(data, "remove", "asha").value == {"removed": "asha"}
    missing = users(data, "show", "asha")
    assert (missing.code, missing.error["code"]) == (2, "E2011")


def test_a_person_is_kept_out_and_let_in(data: Path) -> None:
    users(data, "add", "asha")
    assert not users(data, "deactivate", "asha").value["is_active"]
    assert users(data, "activate", "asha").value["is_active"]
    assert users(data, "sign-out", "asha").value["signed_out_at"] is not None


def test_people_are_listed_by_what_is_asked(data: Path) -> None:
    for name in ("asha", "bo", "cleo"):
        users(data, "add", name)
    users(data, "deactivate", "bo")
    assert users(data, "list").value["total"] == 3
    for options, names in (
        (("--search", "SH"), ["asha"]),
        (("--active",), ["asha", "cleo"]),
        (("--inactive",), ["bo"]),
        (("--limit", "2", "--page", "2"), ["cleo"]),
    ):
        found = users(data, "list", *options).value["users"]
        assert [one["name"] for one in found] == names
    table = run("users", "list", "--data", data).out
    assert table.splitlines()[0].split()[:3] == ["name", "roles", "is_active"]


def test_a_password_is_read_and_not_printed(data: Path) -> None:
    users(data, "add", "asha")
    ended = users(data, "set-password", "asha", stdin=GIVEN)
    assert ended.value == {"name": "asha"}
    assert users(data, "show", "asha").value["has_password"]


def test_a_password_is_made_up_and_shown_once(data: Path) -> None:
    users(data, "add", "asha")
    shown = [users(data, "set-password", "asha", "--generate").value["password"] for _ in "12"]
    assert len(set(shown)) == 2
    assert "password" not in users(data, "show", "asha").value


@pytest.mark.parametrize("stdin", [b"", b"short\n", b"password1234\n"])
def test_a_password_that_will_not_do_is_refused(data: Path, stdin: bytes) -> None:
    users(data, "add", "asha")
    refused = users(data, "set-password", "asha", stdin=stdin)
    assert refused.code == 2
    assert not users(data, "show", "asha").value["has_password"]


IDENTITY = ("--issuer", "https://id.example", "--subject", "s-1")


def test_an_identity_is_linked_moved_listed_and_unlinked(data: Path) -> None:
    run("issuers", "add", "id", "--issuer", "https://id.example", "--data", data, "-o", "json")
    for name in ("asha", "bo"):
        users(data, "add", name)
    made = users(data, "link", "bo", *IDENTITY).value
    assert (made["issuer_name"], made["subject"]) == ("id", "s-1")
    taken = users(data, "link", "asha", *IDENTITY)
    assert taken.error["code"] == "E2012"
    moved = users(data, "link", "asha", *IDENTITY, "--from", "bo").value
    assert users(data, "identities", "asha").value["identities"] == [moved]
    table = run("users", "identities", "asha", "--data", data).out.splitlines()
    assert table[0].split() == ["issuer", "subject", "issuer_name", "linked_at"]
    gone = {"user": "asha", "issuer": "https://id.example", "subject": "s-1"}
    assert users(data, "unlink", "asha", *IDENTITY).value == gone
    assert users(data, "identities", "asha").value["total"] == 0


def test_an_identity_needs_both_of_its_parts(live: Path) -> None:
    for command in ("link", "unlink"):
        assert users(live, command, "asha", "--subject", "s-1").code == 2


def test_what_says_nothing_is_refused_before_anybody_is_asked(live: Path) -> None:
    refused = users(live, "set", "asha")
    assert refused.code == 2
    assert "--display-name" in refused.error["message"]


def test_a_user_manages_nobody(live: Path, user_key: str) -> None:
    refused = users(live, "list", "--key", user_key)
    assert (refused.code, refused.error["details"]) == (6, {"permission": "users:manage"})
