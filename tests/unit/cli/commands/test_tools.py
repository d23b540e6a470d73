from pathlib import Path

import pytest
import yaml

from unit.cli.shell import document, run

NAMES = ["broken", "echo", "nothing", "rows", "text"]


def listed(data: Path, *options: str) -> list[str]:
    found = run("tools", "list", *options, "--data", data, "-o", "json").value
    return [tool["name"] for tool in found]


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
