"""`pins` on a data directory nobody serves: the database is asked through the same API."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest

from fakes.instances import bascule_here
from unit.cli.shell import Quiet, answering, run

URL = "http://127.0.0.1:9/mcp"


def test_without_servers_there_is_nothing(data: Path) -> None:
    assert run("pins", "list", "--data", data, "-o", "json").value == {"pins": [], "total": 0}


def test_what_was_never_seen_is_named(data: Path) -> None:
    shown = bascule_here("pins", "show", "words", "look_up", "--data", data)
    assert shown.code != 0
    assert "No tool named look_up" in shown.err


def test_where_nothing_waits_nothing_is_decided(data: Path) -> None:
    run("servers", "add", "words", URL, "--data", data)
    for verb in ("approve", "reject"):
        decided = run("pins", verb, "words", "--data", data)
        assert (decided.code, decided.error["code"]) == (2, "E2004")
        assert "Nothing of words waits" in decided.error["message"]
    named = run("pins", "approve", "words", "look_up", "--data", data, "-o", "json")
    assert (named.code, named.error["code"]) == (2, "E2004")
    assert "look_up of words: nothing waits" in named.error["message"]


PINS = [
    {"server": "words", "tool": "look_up", "status": "changed", "digest": "a" * 64},
    {"server": "words", "tool": "forget", "status": "waiting", "digest": "b" * 64},
    {"server": "words", "tool": "spell", "status": "rejected", "digest": "c" * 64},
    {"server": "words", "tool": "fine", "status": "approved", "digest": None},
]
CHANGES = [{"severity": one, "place": "x", "message": "m"} for one in ("safe", "risky", "risky")]


class Instance(Quiet):
    """An instance with two tools that wait, one of them new; it says what it was told to do."""

    decided: ClassVar[list[dict[str, Any]]] = []

    def do_GET(self) -> None:
        tool = urlsplit(self.path).path.rpartition("/")[2]
        if tool == "pins":
            body: dict[str, Any] = {"pins": PINS, "total": len(PINS)}
        else:
            (pin,) = [one for one in PINS if one["tool"] == tool]
            is_new = tool == "forget"
            approved = None if is_new else {"name": tool}
            body = {**pin, "approved": approved, "changes": [] if is_new else CHANGES}
        self.reply(json.dumps(body).encode(), x_correlation_id="c")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.decided.append({"path": self.path, **body})
        self.reply(json.dumps({"pins": body["pins"]}).encode(), x_correlation_id="c")


@pytest.fixture
def decided() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    Instance.decided.clear()
    with answering(Instance) as url:
        yield url, Instance.decided


SHOWN = "To approve, of words:\n  look_up: 2 risky, 1 safe changes\n  forget: new\n"


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_where_nobody_can_be_asked_all_is_said_outright(
    decided: tuple[str, list[dict[str, Any]]], verb: str
) -> None:
    url, told = decided
    refused = run("pins", verb, "words", "--url", url)
    assert (refused.code, refused.error["code"], told) == (2, "E2001", [])
    assert refused.error["message"] == (
        "Name the tools, or say --all. These wait: look_up, forget."
    )
    done = run("pins", verb, "words", "--all", "--url", url)
    assert (done.code, done.err) == (0, SHOWN.replace("approve", verb))
    assert [one["tool"] for one in told[0]["pins"]] == ["look_up", "forget"]
    both = run("pins", verb, "words", "spell", "--all", "--url", url)
    assert (both.code, len(told)) == (2, 1)


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1), ("", 1)])
def test_on_a_terminal_all_is_shown_and_asked_about(
    decided: tuple[str, list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    code: int,
) -> None:
    url, told = decided
    monkeypatch.setattr("bascule.cli.commands.pins._is_answered", lambda: True)
    ended = run("pins", "approve", "words", "--url", url, stdin=f"{answer}\n".encode())
    assert (ended.code, len(told)) == (code, 1 - code)
    assert ended.err.startswith(SHOWN)
    assert "Approve all of them?" in ended.err + ended.out
    assert ("Nothing was decided." in ended.err) is bool(code)


def test_who_names_tools_is_not_asked_and_a_program_gets_its_answer_alone(
    decided: tuple[str, list[dict[str, Any]]],
) -> None:
    url, told = decided
    done = run("pins", "approve", "words", "spell", "--url", url, "-o", "json").value
    assert done == {"pins": told[0]["pins"]}
    assert told[0] == {
        "path": "/api/admin/pins/approve",
        "pins": [{"server": "words", "tool": "spell", "digest": "c" * 64}],
    }
