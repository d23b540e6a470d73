from pathlib import Path

from unit.cli.commands.test_policy_versions import RULES, TEST, file, policies
from unit.cli.shell import run


def test_a_draft_is_written_shown_and_published(data: Path) -> None:
    path = file("rules.yaml", RULES)
    made = run(
        *("policy", "draft", "put", "night", path, "--remove", "users call"),
        *("--reason", "tidy", "--data", data, "-o", "json"),
    ).value
    assert made["policies"] == ["night", "readers", "users call"]
    assert policies(data) == ["users call"]
    listed = run("policy", "draft", "list", "--data", data, "-o", "json").value["drafts"]
    assert [(one["name"], one["conflicts"]) for one in listed] == [("night", [])]
    assert "tidy" in run("policy", "draft", "show", "night", "--data", data).out
    diff = run("policy", "draft", "diff", "night", "--data", data).out
    assert "users call (removed)" in diff
    published = run("policy", "publish", "night", "--data", data, "-o", "json").value
    assert len(published["changes"]) == 3
    assert policies(data) == ["night", "readers"]
    gone = run("policy", "draft", "show", "night", "--data", data)
    assert (gone.code, gone.error["code"]) == (2, "E2011")


def test_a_draft_is_changed_and_thrown_away(data: Path) -> None:
    path = file("rules.yaml", RULES)
    assert run("policy", "draft", "put", "d", path, "--data", data).code == 0
    patched = run(
        *("policy", "draft", "patch", "d", "--remove", "users call", "--drop", "night"),
        *("--data", data, "-o", "json"),
    ).value
    assert patched["policies"] == ["readers", "users call"]
    based = run("policy", "draft", "patch", "d", "--base", "0", "--data", data, "-o", "json").value
    assert (based["base"], based["conflicts"]) == (0, ["users call"])
    refused = run("policy", "draft", "publish", "d", "--data", data)
    assert (refused.code, refused.error["code"]) == (2, "E2012")
    removed = run("policy", "draft", "delete", "d", "--data", data, "-o", "json").value
    assert removed == {"removed": "d"}
    assert run("policy", "draft", "put", "d", "--data", data).code == 2


def test_a_draft_is_tested_before_it_is_published(data: Path) -> None:
    run("policy", "tests", "apply", file("t.yaml", TEST), "--data", data)
    run("policy", "draft", "put", "d", "--remove", "users call", "--data", data)
    for command in (("draft", "test", "d"), ("test", "--draft", "d")):
        tested = run("policy", *command, "--data", data)
        assert tested.code == 7
        assert "it is deny by builtin:default-deny, not allow" in tested.out
        assert "1 of 1 tests failed" in tested.err
    refused = run("policy", "draft", "publish", "d", "--data", data)
    assert (refused.code, refused.error["code"]) == (7, "E2012")
    assert policies(data) == ["users call"]


def test_a_draft_has_no_slash_in_its_name(tmp_path: Path) -> None:
    for command in ("show", "diff", "test", "publish", "delete"):
        refused = run("policy", "draft", command, "a/b", "--data", tmp_path / "nowhere")
        assert (refused.code, refused.error["code"]) == (2, "E2001"), command
        assert "has no slash" in refused.error["message"]
