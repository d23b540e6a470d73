"""A call from the shell takes the way of every other call."""

import json
import sys
from pathlib import Path

import pytest

from fakes.instances import Instance
from unit.cli.shell import run


def test_pairs_arrive_in_the_types_of_the_schema(live: Path) -> None:
    echoed = run(
        *("call", "echo", "text=5", "count=5", "ratio=0.5", "flag=true", 'list=["a", "b"]'),
        *("either=7", "maybe=null", "level=2", "--data", live, "-o", "json"),
    ).value
    assert echoed == {
        "text": "5",
        "count": 5,
        "ratio": 0.5,
        "flag": True,
        "list": ["a", "b"],
        "either": "7",
        "maybe": None,
        "level": 2,
    }


def test_json_gives_arguments_and_pairs_win(live: Path) -> None:
    given = ("call", "echo", "--json", '{"text": "a", "count": 1}', "text=b", "list:=[]")
    echoed = run(*given, "--data", live, "-o", "json").value
    assert echoed == {"text": "b", "count": 1, "list": []}


def test_a_result_is_shown_member_by_member_to_people(live: Path) -> None:
    ended = run("call", "echo", "text=a b", "flag=false", 'list=["x"]', "--data", live)
    assert sorted(ended.out.splitlines()) == ["flag  no", "list  x", "text  a b"]


def test_rows_are_a_table(live: Path) -> None:
    shown = run("call", "rows", "--data", live).out.splitlines()
    assert shown == [
        "result:", "id  name  tags  place", "1   a", '2         x, y  {"lat": 1}',
    ]  # fmt: skip


def test_a_text_is_printed_as_it_came_but_commands_no_terminal(live: Path) -> None:
    assert run("call", "text", "--data", live).out == "first line\nsecond line\x1b[2J\n"
    shown = run("call", "text", "--data", live, terminal=True)
    assert shown.out == "first line\nsecond line\\x1b[2J\n"
    as_json = run("call", "text", "--data", live, "-o", "json")
    assert as_json.value == "first line\nsecond line\x1b[2J"


@pytest.mark.parametrize("options", [[], ["-o", "json"], ["-o", "yaml"]])
def test_an_answer_without_content_is_an_answer(live: Path, options: list[str]) -> None:
    ended = run("call", "nothing", "--data", live, *options)
    assert (ended.code, ended.err) == (0, "")
    assert "204" in ended.out


def test_a_tool_that_fails_is_exit_code_5(live: Path) -> None:
    failed = run("call", "broken", "--data", live)
    assert (failed.code, failed.error["code"]) == (5, "E3003")
    assert "HTTP 500" in failed.error["message"]
    assert "out of order" in failed.error["message"]


def test_a_service_that_is_gone_is_exit_code_5_and_names_its_code(data: Path) -> None:
    source = '{"openapi": "3.1.0", "info": {"title": "Gone", "version": "1"}, "servers": [{"url": "http://127.0.0.1:9"}], "paths": {"/gone": {"get": {"operationId": "gone", "responses": {}}}}}'  # noqa: E501
    imported = run(
        *("import", "openapi", "-", "--bundle", "gone", "--publish", "--data", data),
        stdin=source.encode(),
    )
    assert imported.code == 0
    failed = run("call", "gone", "--data", data)
    assert (failed.code, failed.error["code"]) == (5, "E4001")
    assert failed.error["correlation_id"]


def test_arguments_that_do_not_fit_are_a_matter_of_usage(live: Path) -> None:
    refused = run("call", "echo", "count:=true", "odd=1", "--data", live)
    assert (refused.code, refused.error["code"]) == (2, "E2002")
    paths = {one["path"] for one in refused.error["details"]["violations"]}
    assert "/count" in paths
    assert "E2002" not in refused.error["message"]


def test_a_value_of_the_wrong_type_is_not_even_sent(data: Path) -> None:
    refused = run("call", "echo", "count=many", "--data", data)
    assert (refused.code, refused.error["code"]) == (2, "E2001")
    assert "integer" in refused.error["message"]
    logs = run("audit", "tail", "--user", "local", "--tool", "echo", "--data", data, "-o", "json")
    assert logs.value == []


def test_a_tool_nobody_knows_is_answered_with_the_one_that_was_meant(live: Path) -> None:
    refused = run("call", "ehco", "--data", live)
    assert (refused.code, refused.error["code"]) == (5, "E3001")
    assert "Did you mean echo?" in refused.error["message"]


def test_what_needs_leave_is_exit_code_6_and_says_how_to_ask(data: Path) -> None:
    changed = run("tools", "edit", "echo", "--risk", "privileged", "--data", data)
    assert changed.code == 0, changed.err
    refused = run("call", "echo", "text=a b", "--json", '{"count": 1}', "--data", data)
    assert (refused.code, refused.error["code"]) == (6, "E1012")
    assert refused.error["details"]["requires_elevation"] is True
    assert refused.error["details"]["elevation_url"] in refused.error["message"]
    command = "bascule elevation request echo 'text=a b' --json '{\"count\": 1}' --data "
    assert command in refused.error["message"]
    at_url = run("call", "echo", "--url", "http://127.0.0.1:9", "--data", data)
    assert at_url.code == 4


def test_who_may_not_call_is_refused_and_recorded(data: Path) -> None:
    made = run("keys", "create", "--name", "v", "--role", "viewer", "--data", data, "-o", "json")
    rule = ("policy", "allow", "v", "--role", "viewer", "--data", data)
    assert run(*rule).code == 0
    refused = run("call", "echo", "--data", data, "--key", made.value["key"])
    assert refused.code in {5, 6}
    assert refused.error["code"] in {"E3001", "E1004"}
    (log,) = run(
        "audit", "tail", "--user", "v", "--tool", "echo", "--data", data, "-o", "json"
    ).value
    assert log["status"] == "denied"


def test_every_call_is_in_the_audit_journal_under_the_id_of_its_error(live: Path) -> None:
    failed = run("call", "echo", "odd=1", "--data", live)
    correlation_id = failed.error["correlation_id"]
    (log,) = run(
        "audit", "tail", "--correlation-id", correlation_id, "--data", live, "-o", "json"
    ).value
    assert (log["tool_name"], log["error_code"]) == ("echo", "E2002")


def test_a_running_instance_answers_the_same(running: Instance, user_key: str) -> None:
    given = ("call", "echo", "count=5", "text=ü", "-o", "json")
    assert run(*given, "--data", running.data).value == {"count": 5, "text": "ü"}
    as_user = run(*given, "--url", running.url, "--key", user_key)
    assert as_user.value == {"count": 5, "text": "ü"}


def test_a_bad_pair_is_named_before_anything_is_called(live: Path) -> None:
    refused = run("call", "echo", "text", "--data", live)
    assert (refused.code, refused.error["code"]) == (2, "E2001")
    assert "'text' is not key=value" in refused.error["message"]


def test_an_argument_is_given_once(live: Path) -> None:
    for again in ("text=b", 'text:="b"'):
        refused = run("call", "echo", "text=a", again, "--data", live)
        assert (refused.code, refused.error["code"]) == (2, "E2001")
        assert refused.error["message"].startswith("text is given twice.")


def test_a_tool_that_asks_its_caller_needs_another_client(data: Path) -> None:
    server = Path(__file__).parents[3] / "e2e" / "sdk_server.py"
    added = run("servers", "add", "ask", "--data", data, "--", sys.executable, server, "ask")
    assert added.code == 0
    refused = run("call", "greet_me", "--data", data)
    assert (refused.code, refused.error["code"]) == (2, "E2014")
    assert refused.error["message"] == (
        "This tool asks its caller something; use a client that can be asked."
    )
    assert "elicitation" in refused.error["details"]["requiredCapabilities"]


def test_numbers_beyond_what_floats_hold_arrive_whole(live: Path) -> None:
    number = 2**60 + 1
    ended = run("call", "echo", f"count={number}", "--data", live, "-o", "json")
    assert ended.code == 0
    assert json.loads(ended.out)["count"] == number
