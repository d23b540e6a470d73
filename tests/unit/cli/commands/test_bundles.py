import re
from pathlib import Path
from typing import Any

import pytest

from unit.cli.shell import Ended, run


def bundles(data: Path, *arguments: str, **options: Any) -> Ended:
    return run("bundles", *arguments, "--data", data, **options)


def seen(data: Path, name: str) -> dict[str, Any]:
    return bundles(data, "show", name, "-o", "json").value


def make_desk(data: Path) -> None:
    assert bundles(data, "create", "desk", "--owner", "crm").code == 0
    added = bundles(data, "add", "desk", "echo", "count=3", "--as", "thrice")
    assert (added.code, added.err) == (0, "")


def test_a_bundle_is_put_together(data: Path) -> None:
    make_desk(data)
    desk = seen(data, "desk")
    assert (desk["name"], desk["owner"], desk["serves"]) == ("desk", "crm", "")
    member = desk["members"][0]
    assert (member["name"], member["tool"]) == ("thrice", "echo")
    assert member["defaults"] == {"count": 3}, "a number, as the tool's schema has it"
    gone = bundles(data, "remove", "desk", "thrice", "-o", "json").value
    assert gone["members"] == []


def test_people_read_tables(data: Path) -> None:
    make_desk(data)
    listed = bundles(data, "list").out.splitlines()
    assert listed[0].split() == [
        "name", "version", "serves", "status", "owner", "borrows", "description",
    ]  # fmt: skip
    assert listed[1].split()[:6] == ["desk", "1.0.0", "live", "active", "crm", "thrice"]
    shown = bundles(data, "show", "desk").out
    assert "serves       its tools as they are now" in shown
    assert "thrice  echo  in force  count=3" in shown


def test_lines_stay_within_a_narrow_terminal(data: Path) -> None:
    make_desk(data)
    for command in (("list",), ("show", "desk")):
        shown = bundles(data, *command, terminal=True, environ={"COLUMNS": "80"})
        plain = re.sub(r"\x1b\[[0-9;]*m", "", shown.out)
        assert max(map(len, plain.splitlines())) <= 80


def test_a_release_is_made_served_and_left(data: Path) -> None:
    make_desk(data)
    made = bundles(data, "release", "desk", "1.0.0", "-o", "json").value
    assert (made["version"], made["is_served"]) == ("1.0.0", True)
    assert bundles(data, "add", "desk", "text").code == 0
    aside = bundles(data, "release", "desk", "1.1.0", "--no-serve", "-o", "json").value
    assert aside["is_served"] is False
    assert bundles(data, "rollback", "desk", "1.1.0", "-o", "json").value["serves"] == "1.1.0"
    assert bundles(data, "rollback", "desk", "--live", "-o", "json").value["serves"] == ""
    table = bundles(data, "show", "desk").out
    assert "1.1.0    no         text 1.0.0, thrice 1.0.0" in table
    assert bundles(data, "delete", "desk@1.0.0", "-o", "json").value == {"deleted": "desk@1.0.0"}
    assert bundles(data, "delete", "desk", "-o", "json").value == {"deleted": "desk"}


@pytest.mark.parametrize("arguments", [("desk",), ("desk", "1.0.0", "--live")])
def test_going_back_needs_to_be_told_where(data: Path, arguments: tuple[str, ...]) -> None:
    ended = bundles(data, "rollback", *arguments)
    assert (ended.code, ended.error["message"]) == (2, "Say which: a version, or --live.")


def test_a_version_may_stand_behind_the_tool(data: Path) -> None:
    make_desk(data)
    added = bundles(data, "add", "desk", "text@1.0", "-o", "json").value
    assert {one["name"]: one["version"] for one in added["members"]}["text"] == "1.0"
    missing = bundles(data, "add", "desk", "rows@7")
    assert (missing.code, "there are 1.0.0" in missing.error["message"]) == (2, True)


def test_slips_are_told_with_what_may_be_meant(data: Path) -> None:
    make_desk(data)
    unknown = bundles(data, "show", "dessk")
    assert "Did you mean desk?" in unknown.error["message"]
    wrong = bundles(data, "add", "desk", "echoo")
    assert "Did you mean echo?" in wrong.error["message"]
    fixed = bundles(data, "add", "desk", "echo", "counter=3")
    assert "takes no argument counter" in fixed.error["message"]
