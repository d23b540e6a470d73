"""The same commands against a running instance and against its data once it has stopped."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fakes.hostile import Hostile, document
from fakes.instances import Finished, bascule, bascule_here, serving, tool_call

CORRELATION_ID = "a-call-of-the-test"
MISTYPED = ("call", "fien")
IMPORT = (
    "import",
    "openapi",
    "{document}",
    "--bundle",
    "other",
    "--base-url",
    "http://127.0.0.1:9",
)
COMMANDS: Sequence[Sequence[str]] = [
    ("tools", "list"),
    ("tools", "show", "fine"),
    ("tools", "publish", "fine"),
    ("policy", "allow", "viewers read", "--role", "viewer", "--tool", "f*"),
    ("policy", "list"),
    ("policy", "remove", "viewers read"),
    ("keys", "list"),
    ("config", "show"),
    ("call", "fine"),
    MISTYPED,
    ("audit", "tail", "--correlation-id", CORRELATION_ID),
    (*IMPORT, "--dry-run"),
]
NEVER_THE_SAME = {
    *("created_at", "updated_at", "correlation_id", "created_by", "last_used_at"),
    "health",  # which an instance looks at every minute
}


@pytest.fixture(scope="module")
def answers(
    tmp_path_factory: pytest.TempPathFactory, hostile: Hostile
) -> dict[Sequence[str], tuple[Finished, Finished]]:
    """What each command gave: with the instance running, and after it had stopped."""
    data = tmp_path_factory.mktemp("commands") / "data"
    with serving(data) as instance:
        instance.publish(document(), "hostile", hostile.url)
        with instance.api() as client:
            call = tool_call("fine", {})
            call["headers"]["X-Correlation-ID"] = CORRELATION_ID
            client.post("/mcp", **call)
        running = [run(command, data) for command in COMMANDS]
        instance.stop()
        assert not (data / "ready.json").exists()
        stopped = [run(command, data) for command in COMMANDS]
    return dict(zip(COMMANDS, zip(running, stopped, strict=True), strict=True))


def run(command: Sequence[str], data: Path) -> Finished:
    other = data / "other.json"
    other.write_bytes(document().replace(b'"operationId": "', b'"operationId": "other_'))
    return bascule_here(
        *(part.format(document=other) for part in command), "--data", data, "-o", "json"
    )


def timeless(value: Any) -> Any:
    """`value` with what differs from one moment to the next replaced by its name."""
    if isinstance(value, list):
        return [timeless(item) for item in value]
    if not isinstance(value, dict):
        return value
    # The version of all policies counts what was changed about them, by other commands as well.
    changing = {"version"} if "policies" in value else set[str]()
    return {
        key: f"<{key}>" if key in NEVER_THE_SAME | changing else timeless(item)
        for key, item in value.items()
    }


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_gives_the_same_with_and_without_a_running_instance(
    answers: dict[Sequence[str], tuple[Finished, Finished]], command: Sequence[str]
) -> None:
    running, stopped = answers[command]

    assert running.code == stopped.code == (5 if command is MISTYPED else 0), stopped.err
    assert (running.err == "") == (running.code == 0)
    assert timeless(json.loads(running.out or running.err)) == timeless(
        json.loads(stopped.out or stopped.err)
    )


def test_the_answers_compared_above_have_something_in_them(
    answers: dict[Sequence[str], tuple[Finished, Finished]],
) -> None:
    values = {command[:2]: one.value for command, (one, _) in answers.items() if one.code == 0}

    assert "fine" in [tool["name"] for tool in values["tools", "list"]["tools"]]
    assert values["tools", "show"]["input_schema"]["type"] == "object"
    assert values["policy", "allow"]["tools"] == ["f*"]
    assert values["policy", "list"]["total"] == 2
    assert values["call", "fine"] == {"said": "fine"}
    assert [one["tool_name"] for one in values["audit", "tail"]] == ["fine"]
    assert values["import", "openapi"]["tools_generated"] > 10
    assert answers[MISTYPED][0].error["details"]["did_you_mean"] == "fine"


def test_a_command_on_an_empty_directory_prints_its_result_and_nothing_else(
    tmp_path: Path,
) -> None:
    listed = bascule("tools", "list", "--data", tmp_path, "-o", "json")

    assert listed.value == {"tools": [], "total": 0}
