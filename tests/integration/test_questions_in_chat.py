"""A server of MCP in a process of its own reports progress and asks, in the middle of an answer."""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from fakes.talks import ADMIN, Event, Hall, says, talking, wants

SERVER = Path(__file__).with_name("curious_server.py")
CAR = {"car": "the van"}


@asynccontextmanager
async def garage(folder: Path, era: str) -> AsyncGenerator[Hall]:
    """A hall whose users may have cars painted by the server."""
    async with talking(folder, wants(("paint", CAR)), says("As you wish.")) as hall:
        command = [sys.executable, str(SERVER), era]
        server = {"name": "curious", "command": command}
        made = await hall.ask("POST", "/api/admin/servers", ADMIN, json=server)
        assert made.status_code == 201, made.text
        rule = {"name": "garage", "effect": "allow", "roles": ["user"], "bundles": ["curious"]}
        allowed = await hall.ask("PUT", "/api/admin/policies/garage", ADMIN, json=rule)
        assert allowed.is_success, allowed.text
        yield hall


def call_of(message: dict[str, Any]) -> dict[str, Any]:
    (found,) = [one for one in message["parts"] if one["type"] == "call"]
    return found


async def asked(hall: Hall, talk: str) -> tuple[str, list[Event]]:
    """Have it painted, up to the question; the path of its call, and what was told."""
    told = await hall.say(talk, "Paint the van.")
    message = await hall.answer(talk)
    call = call_of(message)
    path = f"{talk}/messages/{message['id']}"
    if call["state"] == "needs_approval":
        yes = {"decision": "once"}
        decided = await hall.ask("POST", f"{path}/calls/{call['id']}/decision", json=yes)
        assert decided.is_success, decided.text
        told += await hall.told("GET", f"{path}/stream", params={"since": str(told[-1].number)})
    assert told[-1].data["status"] == "waiting"
    return f"{path}/calls/{call['id']}", told


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_progress_is_told_and_a_form_is_answered(era: str, tmp_path: Path) -> None:
    async with garage(tmp_path, era) as hall:
        talk = await hall.begin()
        path, told = await asked(hall, talk)
        call = call_of(await hall.answer(talk))
        assert (call["state"], call["server"]) == ("needs_input", "curious")
        (question,) = call["inputs"]
        assert question["message"] == "Which colour?"
        assert set(question["schema"]["properties"]) == {"colour", "doors"}

        def answer(**content: object) -> dict[str, Any]:
            return {"answers": {question["id"]: {"action": "accept", "content": content}}}

        wrong = await hall.ask("POST", f"{path}/answer", json=answer(colour="red", doors=9))
        assert wrong.status_code == 400
        right = await hall.ask("POST", f"{path}/answer", json=answer(colour="red", doors=3))
        assert right.is_success, right.text
        stream = path.rpartition("/calls/")[0] + "/stream"
        rest = await hall.told("GET", stream, params={"since": str(told[-1].number)})
        assert rest[-1].data["status"] == "complete"
        call = call_of(await hall.answer(talk))
        assert call["state"] == "done", call
        assert (call["progress"], call["progress_total"]) == (1.0, 2.0)
        assert call["progress_message"] == "Sanding"
        assert call["content"][0]["text"] == "the van is red with 3 doors"
        assert "the van is red" in str(hall.script.seen[-1].body)


@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_a_form_that_is_not_filled_in_is_told_to_the_server(
    action: str, tmp_path: Path
) -> None:
    async with garage(tmp_path, "legacy") as hall:
        talk = await hall.begin()
        path, _ = await asked(hall, talk)
        (question,) = call_of(await hall.answer(talk))["inputs"]
        given = {"answers": {question["id"]: {"action": action}}}
        answered = await hall.ask("POST", f"{path}/answer", json=given)
        assert answered.is_success, answered.text
        rest = await hall.told("GET", path.rpartition("/calls/")[0] + "/stream")
        assert rest[-1].data["status"] == "complete"
        call = call_of(await hall.answer(talk))
        assert call["content"][0]["text"] == f"It was left at {action}"
