from pathlib import Path

import pytest
import yaml

from unit.cli.shell import document, run

NAMES = ["broken", "echo", "nothing", "rows", "text"]


def listed(data: Path, *options: str) -> list[str]:
    found = run("tools", "list", *options, "--data", data, "-o", "json").value
    assert found["total"] == len(found["tools"])
    return [tool["name"] for tool in found["tools"]]


def import_drafts(data: Path, bundle: str = "drafts") -> None:
    source = document("http://127.0.0.1:9").replace(b'"operationId": "', b'"operationId": "new_')
    ended = run("import", "openapi", "-", "--bundle", bundle, "--data", data, stdin=source)
    assert ended.code == 0


def test_tools_are_listed_with_drafts_and_can_be_narrowed(data: Path) -> None:
    import_drafts(data)
    assert listed(data) == sorted([*NAMES, *(f"new_{name}" for name in NAMES)])
    assert listed(data, "--bundle", "service") == NAMES
    assert listed(data, "--status", "draft") == [f"new_{name}" for name in NAMES]
    assert listed(data, "--search", "ECHO") == ["echo", "new_echo"]
    assert listed(data, "--search", "%") == []


def test_a_list_of_more_than_one_page_is_whole(data: Path, tmp_path: Path) -> None:
    paths = ",".join(
        f'"/t{n}": {{"get": {{"operationId": "t{n:03}", "responses": {{}}}}}}' for n in range(230)
    )
    source = (
        '{"openapi": "3.1.0", "info": {"title": "Many", "version": "1"},'
        f'"servers": [{{"url": "http://127.0.0.1:9"}}], "paths": {{{paths}}}}}'
    )
    file = tmp_path / "many.json"
    file.write_text(source)
    assert run("import", "openapi", file, "--bundle", "many", "--data", data).code == 0
    assert listed(data, "--bundle", "many") == [f"t{n:03}" for n in range(230)]


def test_a_list_is_a_table_for_people(live: Path) -> None:
    shown = run("tools", "list", "--data", live).out.splitlines()
    assert shown[0].split() == ["name", "bundle", "risk_level", "version", "status", "title"]
    assert shown[2].split() == ["echo", "service", "write", "1.0.0", "active", "Does", "echo"]


@pytest.mark.parametrize("options", [[], ["-o", "table"], ["-o", "yaml"], ["-o", "json"]])
def test_a_tool_is_shown_whole(live: Path, options: list[str]) -> None:
    shown = yaml.safe_load(run("tools", "show", "echo", *options, "--data", live).out)
    assert (shown["name"], shown["method"], shown["path"]) == ("echo", "POST", "/echo")
    assert shown["input_schema"]["properties"]["count"]["type"] == "integer"


def test_a_draft_is_published(data: Path, user_key: str) -> None:
    import_drafts(data)
    before = run("call", "new_text", "--data", data, "--key", user_key)
    assert (before.code, before.error["code"]) == (5, "E3001")
    (published,) = run("tools", "publish", "new_text", "--data", data, "-o", "json").value
    assert published["status"] == "active"
    after = run("call", "new_text", "--data", data, "--key", user_key)
    assert (after.code, after.error["code"]) == (5, "E4001")


@pytest.mark.parametrize("command", ["show", "publish"])
@pytest.mark.parametrize("name", ["none", "a/b", "../policies", "echo?", "%65cho"])
def test_a_tool_that_is_not_there_is_an_error(live: Path, command: str, name: str) -> None:
    refused = run("tools", command, name, "--data", live)
    assert refused.code == 2
    assert refused.error["code"] in {"E2011", "E2001"}


def test_what_is_said_of_a_tool_is_edited(data: Path) -> None:
    said = ("--owner", "crm", "--tag", "a", "--tag", "b", "--timeout", "3", "--no-idempotent")
    changed = run("tools", "edit", "echo", *said, "--data", data, "-o", "json").value[0]
    assert (changed["owner"], changed["tags"], changed["timeout_seconds"]) == (
        "crm", ["a", "b"], 3,
    )  # fmt: skip
    emptied = run("tools", "edit", "echo", "--owner", "", "--data", data, "-o", "json").value[0]
    assert emptied["owner"] is None
    assert listed(data, "--tag", "a") == ["echo"]
    assert listed(data, "--owner", "crm") == []
    assert listed(data, "--risk", "write") == ["echo"]


def test_an_edit_says_what_it_edits(data: Path) -> None:
    ended = run("tools", "edit", "echo", "--data", data)
    assert (ended.code, "Say what to change" in ended.error["message"]) == (2, True)
    for example in ("[1]", "{"):
        ended = run("tools", "edit", "echo", "--example", example, "--data", data)
        assert (ended.code, "--example" in ended.error["message"]) == (2, True)
    lower = run("tools", "edit", "echo", "--risk", "read", "--data", data)
    assert "Give a reason" in lower.error["message"]


def test_a_tool_is_switched_and_deleted(data: Path) -> None:
    off = run("tools", "status", "echo", "inactive", "--data", data, "-o", "json").value[0]
    assert off["status"] == "inactive"
    wrong = run("tools", "status", "echo", "gone", "--data", data)
    assert "'active', 'inactive' or 'deprecated'" in wrong.error["message"]
    for options in ((), ("--all", "--version", "1.0.0")):
        ended = run("tools", "delete", "echo", *options, "--data", data)
        assert ended.error["message"] == "Say which: --version 1.0.0, or --all."
    gone = run("tools", "delete", "echo", "--all", "--data", data, "-o", "json").value
    assert gone == {"deleted": 1}
    assert "echo" not in listed(data)


def test_a_tool_is_made_from_a_file(data: Path, tmp_path: Path) -> None:
    upstream = run("tools", "show", "echo", "--data", data, "-o", "json").value["upstream"]
    file = tmp_path / "tool.yaml"
    file.write_text(
        f"name: twice\nbundle: service\nupstream: {upstream}\nmethod: GET\npath: /twice/{{id}}\n"
        "accept_warnings: true\n"
    )
    ended = run("tools", "create", file, "--data", data)
    assert (ended.code, "warning: operation" in ended.err) == (0, True)
    assert "twice" in ended.out
    for text, says in (("[", "neither JSON nor YAML"), ("- a", "holds no object")):
        file.write_text(text)
        assert says in run("tools", "create", file, "--data", data).error["message"]
    missing = run("tools", "create", tmp_path / "none.yaml", "--data", data)
    assert (missing.code, "cannot be read" in missing.error["message"]) == (2, True)


@pytest.mark.parametrize("pin", ["1", "1.0", "1.0.0"])
def test_a_pinned_version_is_shown(live: Path, pin: str) -> None:
    shown = run("tools", "show", f"echo@{pin}", "--data", live, "-o", "json").value
    assert (shown["name"], shown["version"]) == ("echo", "1.0.0")


def test_a_pin_of_no_version_names_those_there_are(live: Path) -> None:
    missing = run("tools", "show", "echo@2", "--data", live)
    assert (missing.code, "there are 1.0.0" in missing.error["message"]) == (2, True)
    twice = run("tools", "show", "echo@1", "--version", "1.0.0", "--data", live)
    assert (twice.code, "Say which once" in twice.error["message"]) == (2, True)


def test_where_no_tool_is_found_people_are_told(live: Path) -> None:
    ended = run("tools", "list", "--search", "%", "--data", live)
    assert (ended.code, ended.err) == (0, "nothing found\n")


def test_a_version_is_shown_and_published_by_itself(data: Path) -> None:
    missing = run("tools", "show", "echo", "--version", "9.9.9", "--data", data)
    assert "there are 1.0.0" in missing.error["message"]
    done = run("tools", "publish", "echo", "--version", "1.0.0", "--data", data, "-o", "json")
    assert done.value[0]["version"] == "1.0.0"
