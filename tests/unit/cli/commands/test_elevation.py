"""`elevation`: what is asked for, listed, decided and ended, and what a newcomer is told."""

import json
from pathlib import Path
from typing import Any

import pytest

from unit.cli.shell import run

MISSING = "00000000-0000-0000-0000-000000000000"
REASON = ("--reason", "A customer paid twice.")


HELD_BACK = """policies:
  - {name: hold back, type: rbac, effect: elevate, roles: [user, admin], tools: [echo]}
"""


@pytest.fixture
def data(data: Path) -> Path:
    """A data directory of the test's own, where calls of `echo` need leave."""
    rules = data.parent / "rules.yaml"
    rules.write_text(HELD_BACK)
    applied = run("policy", "apply", rules, "--reason", "r", "--data", data)
    assert applied.code == 0, applied.err
    return data


def printed(*arguments: str | Path) -> Any:
    """What a command printed, whatever it said beside it."""
    ended = run(*arguments, "-o", "json")
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def test_one_asks_another_decides_and_it_is_ended(data: Path, user_key: str) -> None:
    at = ("--data", data)
    ann = (*at, "--key", user_key)
    asked = printed("elevation", "request", "echo", "count=5", *REASON, "--minutes", "9", *ann)
    assert (asked["status"], asked["scope"], asked["name"]) == ("pending", "call", "echo")
    assert asked["arguments"] == {"count": 5}
    own = printed("elevation", "list", "--own", *ann)
    assert [one["elevation_id"] for one in own["elevations"]] == [asked["elevation_id"]]
    waiting = printed("elevation", "list", "--status", "pending", "--user", "ann", *at)
    assert waiting["total"] == 1
    assert printed("elevation", "list", "--tool", "other", *at)["total"] == 0
    one = asked["elevation_id"]
    assert "history" in printed("elevation", "show", one, *at)
    assert "history" not in printed("elevation", "show", one, *ann)
    granted = printed("elevation", "approve", one, "--minutes", "3", "--comment", "Once.", *at)
    assert (granted["status"], granted["minutes"], granted["comment"]) == ("approved", 3, "Once.")
    again = run("elevation", "deny", one, *at, "-o", "json")
    assert again.error["code"] == "E2012"
    assert "already decided" in again.error["message"]
    assert printed("elevation", "revoke", one, *ann)["status"] == "revoked"


def test_a_request_is_denied_or_taken_back(data: Path, user_key: str) -> None:
    at = ("--data", data)
    ann = (*at, "--key", user_key)
    asked = printed("elevation", "request", "echo", *REASON, "--ticket", "INC-7", *ann)
    assert (asked["scope"], asked["ticket"], asked["minutes"]) == ("tool", "INC-7", 60)
    denied = printed("elevation", "deny", asked["elevation_id"], "--comment", "No.", *at)
    assert (denied["status"], denied["comment"]) == ("denied", "No.")
    asked = printed("elevation", "request", "service", "--scope", "bundle", *REASON, *ann)
    gone = printed("elevation", "cancel", asked["elevation_id"], *ann)
    assert (gone["status"], gone["name"]) == ("cancelled", "service")


def test_who_asks_is_told_what_comes_next(data: Path, user_key: str) -> None:
    ended = run("elevation", "request", "echo", *REASON, "--data", data, "--key", user_key)
    assert ended.code == 0
    assert "Somebody else decides" in ended.err
    assert "bascule elevation approve" in ended.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("echo",), "Say why"),
        (("ehco", *REASON), "no tool named ehco for you. Did you mean echo?"),
        (("servce", "--scope", "bundle", *REASON), "Did you mean service?"),
        (("broken", *REASON), "No call of broken needs elevation"),
        (("https://here/elevate/x", "count=5", *REASON), "leave the arguments out"),
        (("https://here/elevate/x", *REASON), "Make the call again"),
        (("echo", "count=5", "--scope", "tool", *REASON), "covers any arguments"),
        (("echo", "count=many", *REASON), "integer"),
        (("echo", "--minutes", "99999", *REASON), "480"),
    ],
)
def test_what_cannot_be_asked_is_said_with_what_to_do(
    data: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    ended = run("elevation", "request", *arguments, "--data", data, "-o", "json")
    assert ended.code != 0
    assert sentence in ended.error["message"]


@pytest.mark.parametrize("action", ["show", "approve", "deny", "revoke", "cancel"])
def test_an_id_that_is_none_is_a_matter_of_usage(live: Path, action: str) -> None:
    ended = run("elevation", action, "x", "--data", live, "-o", "json")
    assert ended.code == 2
    assert "`bascule elevation list`" in ended.error["message"]


@pytest.mark.parametrize("action", ["show", "approve", "deny", "revoke", "cancel"])
def test_what_is_not_there_is_not_found(live: Path, action: str) -> None:
    ended = run("elevation", action, MISSING, "--data", live, "-o", "json")
    assert ended.error["code"] == "E2011"


def test_who_may_not_approve_is_told_where_theirs_are(live: Path, user_key: str) -> None:
    ended = run("elevation", "list", "--data", live, "--key", user_key, "-o", "json")
    assert ended.code == 6
    assert "elevations:approve" in ended.error["message"]
    assert "bascule elevation list --own" in ended.error["message"]
    ended = run("elevation", "approve", MISSING, "--data", live, "--key", user_key, "-o", "json")
    assert ended.code == 6


def test_filters_are_for_all_lists_but_ones_own(live: Path) -> None:
    ended = run("elevation", "list", "--own", "--user", "ann", "--data", live, "-o", "json")
    assert ended.code == 2
    table = run("elevation", "list", "--data", live)
    assert table.code == 0
