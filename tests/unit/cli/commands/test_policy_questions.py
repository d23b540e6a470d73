"""`policy explain`, `who-can`, `simulate`, `replay`: run on an instance of the test's own."""

import json
from pathlib import Path
from typing import Any

from unit.cli.shell import Ended, run


def asked(data: Path, *arguments: str) -> Any:
    """What a question printed as JSON, whatever it ended with."""
    ended = run("policy", *arguments, "--data", data, "-o", "json")
    assert ended.code in {0, 6}, ended
    return json.loads(ended.out)


def test_an_allowed_use_is_explained_in_words(data: Path) -> None:
    ended = run("policy", "explain", "text", "--role", "user", "--data", data)
    assert ended.code == 0
    assert (
        "A caller with the role user may call text: the policy 'users call' allows it" in ended.out
    )
    assert "users call" in ended.out.splitlines()[3]


def test_a_denial_ends_with_6_and_says_what_would_be_needed(data: Path) -> None:
    denied = run("policy", "explain", "text", "--role", "viewer", "--data", data)
    assert denied.code == 6
    assert "What would be needed:" in denied.out
    assert denied.err == ""
    assert asked(data, "explain", "text", "--role", "viewer")["effect"] == "deny"


def test_who_may_not_read_policies_is_told_about_themselves_alone(
    data: Path, user_key: str
) -> None:
    own = ("policy", "explain", "text", "--data", data, "--key", user_key)
    told = run(*own)
    assert (told.code, told.out) == (0, "You may call text.\n")
    assert asked(data, "explain", "text", "--key", user_key)["depends_on"] == []
    for more in (("--role", "user"), ("--action", "discover"), ("a=1",), ("--kind", "prompt")):
        refused = run(*own, *more)
        assert (refused.code, refused.error["code"]) == (6, "E1004"), more
        assert "give the name of the tool alone" in refused.error["message"]


def test_what_a_use_depends_on_is_said_to_who_asks_about_themselves(
    data: Path, user_key: str
) -> None:
    limit = {"name": "limit", "type": "condition", "effect": "deny", "tools": ["text"]}
    when = {"arguments": [{"path": "amount", "op": "above", "value": 5}]}
    Path("p.json").write_text(json.dumps({**limit, "when": when}))
    assert run("policy", "apply", "p.json", "--data", data).code == 0
    told = run("policy", "explain", "text", "--data", data, "--key", user_key)
    assert "It depends on what a call brings: arguments." in told.out


def test_a_prompt_that_there_is_not_is_called_a_prompt(live: Path) -> None:
    refused = run("policy", "explain", "hello", "--kind", "prompt", "--data", live)
    assert refused.code == 2
    assert "There is no prompt named hello." in refused.error["message"]


def test_an_address_that_is_none_is_refused_in_one_sentence(live: Path) -> None:
    refused = run("policy", "explain", "text", "--ip", "1.2.3", "--data", live)
    assert "ip: An address is written as in 10.1.2.3 or 2001:db8::1." in refused.error["message"]
    assert "[" not in refused.error["message"]


def test_a_kind_of_caller_that_there_is_not_names_those_there_are(live: Path) -> None:
    refused = run("policy", "who-can", "--kind", "rol", "--data", live)
    assert "'role', 'group', 'user' or 'key'" in refused.error["message"]


def test_that_nobody_can_is_said_of_this_moment(data: Path) -> None:
    nobody = ("policy", "who-can", "text", "--only", "elevate", "--data", data)
    assert "That is so at this moment: --at asks about another." in run(*nobody).err
    assert "--at" not in run(*nobody, "--at", "2026-11-22").err


def test_arguments_are_typed_as_the_tool_wants_them(data: Path) -> None:
    found = asked(data, "explain", "text", "amount:=7", "--json", '{"b": [1]}')
    assert found["effect"] == "allow"


def test_a_mistyped_tool_is_named(live: Path) -> None:
    refused = run("policy", "explain", "txt", "--data", live)
    assert (refused.code, refused.error["code"]) == (2, "E2004")
    assert "Did you mean text?" in refused.error["message"]


def test_the_matrix_names_who_can(data: Path) -> None:
    found = asked(data, "who-can", "text", "--kind", "role", "--only", "invoke")
    assert {cell["name"] for cell in found["cells"]} >= {"user", "admin"}
    table = run("policy", "who-can", "text", "--kind", "role", "--data", data)
    assert table.out.splitlines()[0].split()[:3] == ["tool", "caller", "discover"]
    assert any(line.split()[1:3] == ["role", "user"] for line in table.out.splitlines())


def test_a_caller_is_told_what_it_can_use(data: Path) -> None:
    found = asked(data, "who-can", "--role", "user")
    assert {cell["kind"] for cell in found["cells"]} == {"caller"}
    assert "text" in {cell["tool"] for cell in found["cells"]}


def test_fewer_rows_than_there_are_is_said(data: Path) -> None:
    ended = run("policy", "who-can", "-n", "1", "--data", data)
    assert "There may be more" in ended.err


def test_a_draft_is_simulated_and_its_difference_said(data: Path) -> None:
    draft = ("policy", "draft", "put", "strict", "--remove", "users call", "--data", data)
    made = run(*draft)
    assert made.code == 0, made.err
    tried = ("policy", "simulate", "text", "--draft", "strict", "--data", data)
    ended = run(*tried, "--role", "user")
    assert ended.code == 6
    assert "no policy allows it" in ended.out
    assert "Without the draft strict: A caller with the role user may call text" in ended.out
    alike = run(*tried, "--role", "admin")
    assert (alike.code, "makes no difference" in alike.out) == (0, True)


def recorded(data: Path, user_key: str) -> Ended:
    """The end of a call that is in the journal."""
    return run("call", "text", "--data", data, "--key", user_key)


def test_recorded_calls_are_decided_again(data: Path, user_key: str) -> None:
    assert recorded(data, user_key).code == 0
    found = asked(data, "replay", "--since", "1h")
    assert found["looked_at"] >= 1
    assert found["comparisons"][0]["changed"] == 0
    deny = ("policy", "deny", "no text", "--role", "user", "--tool", "text", "--data", data)
    assert run(*deny).code == 0
    table = run("policy", "replay", "--data", data)
    assert table.code == 0
    assert "what was recorded -> the policies in force" in table.out
    assert "allowed to denied" in table.out
    assert "no text" in table.out


def test_a_span_that_is_none_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    refused = run("policy", "replay", "--since", "lately", "--data", tmp_path / "nowhere")
    assert refused.code == 2
    assert "is no time" in refused.error["message"]
