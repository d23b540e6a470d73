"""`secrets`: a value is read where nobody sees it, and never printed."""

from pathlib import Path

import pytest
import typer

from unit.cli.shell import run

VALUE = "hunter2-hunter2"


def put(data: Path, name: str = "crm", stdin: bytes = VALUE.encode()):
    return run("secrets", "set", name, "--data", data, "-o", "json", stdin=stdin)


def test_a_secret_is_set_listed_and_removed(data: Path) -> None:
    assert put(data, stdin=f"{VALUE}\n".encode()).value["version"] == 1
    assert put(data).value["version"] == 2
    listed = run("secrets", "list", "--data", data)
    assert listed.out.splitlines()[0].split() == [
        "name", "version", "updated_at", "updated_by", "used_by",
    ]  # fmt: skip
    assert listed.out.splitlines()[1].startswith("crm ")
    assert VALUE not in listed.out
    gone = run("secrets", "remove", "crm", "--data", data, "-o", "json")
    assert gone.value == {"removed": "crm"}
    missing = run("secrets", "remove", "crm", "--data", data, "-o", "json")
    assert "no secret named crm" in missing.error["message"]


def test_a_secret_in_use_is_removed_by_force(data: Path) -> None:
    put(data)
    header = "X-Api-Key: ${secret:crm}"
    given = ("upstreams", "set", "api", "--address", "https://api.example", "--header", header)
    assert run(*given, "--data", data).code == 0
    assert "is used by api" in run("secrets", "remove", "crm", "--data", data).err
    forced = run("secrets", "remove", "crm", "--force", "--data", data, "-o", "json")
    assert forced.value == {"removed": "crm"}


def test_on_a_terminal_it_is_asked_for(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, dict[str, object]]] = []

    def prompt(text: str, **options: object) -> str:
        asked.append((text, options))
        return VALUE

    monkeypatch.setattr(typer, "prompt", prompt)
    monkeypatch.setattr("bascule.cli.commands.secrets._is_asked", lambda: True)
    assert put(data, stdin=b"").value["name"] == "crm"
    assert asked == [("crm", {"hide_input": True, "confirmation_prompt": True, "err": True})]


@pytest.mark.parametrize("stdin", [b"", b"\n", b"x" * 65_537, b"\xff"])
def test_what_is_no_secret_is_refused(data: Path, stdin: bytes) -> None:
    ended = put(data, stdin=stdin)
    assert ended.code == 2
    assert "standard input" in ended.err or "UTF-8" in ended.err


def test_secrets_come_under_the_first_key(data: Path) -> None:
    old, new = "ab" * 32, "cd" * 32
    key = "BASCULE_SECURITY__SECRET_KEYS"
    given = ("secrets", "set", "crm", "--data", data, "-o", "json")
    first = run(*given, stdin=VALUE.encode(), environ={key: old}).value
    moved = run("secrets", "reseal", "--data", data, "-o", "json", environ={key: f"{new},{old}"})
    assert moved.value["resealed"] == 1
    assert moved.value["key_id"] != first["key_id"]
