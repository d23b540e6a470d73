"""Conversations over a whole gateway: its REST API, its pipeline, a model, and a service."""

import ast
import asyncio
from pathlib import Path
from typing import Any

import pytest

import bascule
from bascule.api.chat_store import ConversationStore
from bascule.app.chatting import purge
from bascule.chat.parts import calls_of
from bascule.chat.toolbox import Refused, ToolCall
from bascule.gateway.errors import GatewayError
from bascule.storage.repositories.tenants import Tenants
from fakes.talks import ADMIN, ANN, BOB, EVE, KEYS, Event, says, talking, wants

NOTHING = "00000000-0000-4000-8000-000000000000"


def kinds(events: list[Event]) -> list[str]:
    return [one.kind for one in events]


def numbers(events: list[Event]) -> list[int]:
    return [one.number for one in events if one.number is not None]


def call_of(message: dict[str, Any]) -> dict[str, Any]:
    (found,) = [one for one in message["parts"] if one["type"] == "call"]
    return found


async def until(queue: "asyncio.Queue[Event | None]", kind: str) -> Event:
    async with asyncio.timeout(5):
        while True:
            told = await queue.get()
            assert told is not None, f"the stream ended before {kind}"
            if told.kind == kind:
                return told


async def test_an_answer_is_streamed_and_kept(tmp_path: Path) -> None:
    async with talking(tmp_path, says("It is ", "31 °C.")) as hall:
        talk = await hall.begin()
        told = await hall.say(talk, "How warm is it?")
        assert kinds(told)[0] == "accepted"
        assert kinds(told)[-1] == "end"
        assert "".join(one.data["text"] for one in told if one.kind == "text_delta") == (
            "It is 31 °C."
        )
        assert numbers(told) == sorted(set(numbers(told)))
        assert told[-1].data == {
            "type": "end",
            "status": "complete",
            "tokens_in": 21,
            "tokens_out": 9,
        }
        answer = await hall.answer(talk)
        assert answer["parts"] == [{"type": "text", "text": "It is 31 °C."}]
        assert (answer["model"], answer["status"]) == ("scripted", "complete")
        listed = (await hall.ask("GET", "")).json()
        assert [one["title"] for one in listed["conversations"]] == ["How warm is it?"]
        found = (await hall.ask("GET", "", params={"search": "31 °c WARM"})).json()
        assert found["conversations"][0]["snippet"] == "It is 31 °C."
        assert (await hall.ask("GET", "", params={"search": "cold"})).json()["total"] == 0


async def test_what_is_read_is_read_at_once_and_on_record_as_the_persons_own(
    tmp_path: Path,
) -> None:
    replies = wants(("look", {"city": "Pune"})), says("Found it.")
    async with talking(tmp_path, *replies) as hall:
        talk = await hall.begin()
        told = await hall.say(talk, "Look around.")
        assert "call" in kinds(told)
        call = call_of(await hall.answer(talk))
        assert (call["state"], call["server"], call["risk"]) == ("done", "shop", "read")
        assert call["structured"] == {"found": "Pune"}
        assert call["rule"] == "shoppers"
        assert "secret_state" not in call
        logs = await hall.ask("GET", "/api/admin/audit-logs", ADMIN)
        (record,) = [one for one in logs.json()["logs"] if one["action"] == "tools/call"]
        assert (record["user"], record["agent"]) == ("ann", "bascule-chat")
        assert (record["correlation_id"], record["status"]) == (call["correlation_id"], "success")
        sent = hall.script.seen[1].body["messages"][-1]["content"]
        assert "Pune" in sent


async def test_what_writes_waits_for_a_yes_and_is_done_once(tmp_path: Path) -> None:
    replies = wants(("book", {})), says("Booked.")
    async with talking(tmp_path, *replies) as hall:
        talk = await hall.begin()
        told = await hall.say(talk, "Book it.")
        assert told[-1].data["status"] == "waiting"
        assert hall.shop.booked == []
        answer = await hall.answer(talk)
        call = call_of(answer)
        assert call["state"] == "needs_approval"
        path = f"{talk}/messages/{answer['id']}"
        decided = await hall.ask(
            "POST", f"{path}/calls/{call['id']}/decision", json={"decision": "once"}
        )
        assert decided.status_code == 200, decided.text
        last = {"last-event-id": str(told[-1].number)}
        rest = await hall.told("GET", f"{path}/stream", headers=last)
        assert rest[-1].data["status"] == "complete"
        assert numbers(rest)[0] > numbers(told)[-1]
        assert len(hall.shop.booked) == 1
        again = await hall.ask(
            "POST", f"{path}/calls/{call['id']}/decision", json={"decision": "once"}
        )
        assert again.status_code == 409
        assert call_of(await hall.answer(talk))["decided"] == "once"


async def test_what_is_denied_is_not_done_and_the_model_is_told_why(tmp_path: Path) -> None:
    async with talking(tmp_path, wants(("book", {})), says("As you wish.")) as hall:
        talk = await hall.begin()
        await hall.say(talk, "Book it.")
        answer = await hall.answer(talk)
        path = f"{talk}/messages/{answer['id']}"
        decision = {"decision": "deny", "reason": "Too late in the day."}
        await hall.ask("POST", f"{path}/calls/{call_of(answer)['id']}/decision", json=decision)
        assert (await hall.told("GET", f"{path}/stream"))[-1].data["status"] == "complete"
        assert hall.shop.booked == []
        assert "Too late in the day." in str(hall.script.seen[1].body)


async def test_what_is_allowed_for_a_conversation_is_not_asked_again_unless_privileged(
    tmp_path: Path,
) -> None:
    replies = wants(("book", {})), wants(("book", {"city": "Goa"}), ("wipe", {}))
    async with talking(tmp_path, *replies) as hall:
        talk = await hall.begin()
        await hall.say(talk, "Book twice.")
        answer = await hall.answer(talk)
        path = f"{talk}/messages/{answer['id']}"
        decision = {"decision": "conversation"}
        await hall.ask("POST", f"{path}/calls/{call_of(answer)['id']}/decision", json=decision)
        assert (await hall.told("GET", f"{path}/stream"))[-1].data["status"] == "waiting"
        calls = [one for one in (await hall.answer(talk))["parts"] if one["type"] == "call"]
        assert [(one["tool"], one["state"]) for one in calls] == [
            ("book", "done"),
            ("book", "done"),
            ("wipe", "needs_approval"),
        ]
        shown = (await hall.ask("GET", talk)).json()["conversation"]
        assert shown["allowed"] == ["book"]


async def test_an_answer_can_be_stopped_and_made_anew(tmp_path: Path) -> None:
    async with talking(tmp_path, says("Well, ", waits=True), says("Yes.")) as hall:
        talk = await hall.begin()
        sending = {"json": {"text": "Is it?"}}
        async with hall.listening("POST", f"{talk}/messages", **sending) as queue:
            answer = (await until(queue, "accepted")).data["answer"]
            await until(queue, "text_delta")
            path = f"{talk}/messages/{answer['id']}"
            stopped = await hall.ask("POST", f"{path}/stop")
            assert stopped.json()["status"] == "stopped"
            assert (await until(queue, "end")).data["status"] == "stopped"
            assert await asyncio.wait_for(queue.get(), 5) is None
        told = await hall.told("POST", f"{path}/retry")
        assert kinds(told)[0] == "snapshot"
        assert told[-1].data["status"] == "complete"
        assert (await hall.answer(talk))["parts"][0]["text"] == "Yes."
        whole = (await hall.ask("GET", talk)).json()
        assert len(whole["messages"]) == 3
        back = await hall.ask("PATCH", talk, json={"head_id": answer["id"]})
        assert back.json()["head_id"] == answer["id"]
        assert (await hall.answer(talk))["status"] == "stopped"


async def test_a_message_is_edited_beside_what_it_replaces(tmp_path: Path) -> None:
    async with talking(tmp_path, says("One."), says("Two.")) as hall:
        talk = await hall.begin()
        await hall.say(talk, "First")
        await hall.say(talk, "", json={"text": "Better", "after": ""})
        shown = (await hall.ask("GET", f"{talk}/messages")).json()["messages"]
        assert [one["parts"][0]["text"] for one in shown] == ["Better", "Two."]
        assert len((await hall.ask("GET", talk)).json()["messages"]) == 4


async def test_who_was_away_gets_a_snapshot_and_goes_on(tmp_path: Path) -> None:
    async with talking(tmp_path, says("Well, ", waits=True)) as hall:
        talk = await hall.begin()
        sending = {"json": {"text": "Is it?"}}
        async with hall.listening("POST", f"{talk}/messages", **sending) as queue:
            answer = (await until(queue, "accepted")).data["answer"]
            seen = await until(queue, "text_delta")
        path = f"{talk}/messages/{answer['id']}"
        async with hall.listening("GET", f"{path}/stream") as queue:
            snapshot = await until(queue, "snapshot")
            assert snapshot.data["message"]["parts"][0]["text"] == "Well, "
        assert seen.number is not None
        async with hall.listening(
            "GET", f"{path}/stream", params={"since": str(seen.number - 1)}
        ) as queue:
            assert await asyncio.wait_for(queue.get(), 5) == seen
            await hall.ask("POST", f"{path}/stop")
            assert (await until(queue, "end")).data["status"] == "stopped"


async def test_a_message_sent_twice_with_one_key_is_one_message(tmp_path: Path) -> None:
    async with talking(tmp_path, says("Hello.")) as hall:
        talk = await hall.begin()
        key = {"idempotency-key": "k-1"}
        both = await asyncio.gather(
            hall.say(talk, "Hi", headers=key), hall.say(talk, "Hi", headers=key)
        )
        third = await hall.say(talk, "Hi", headers=key)
        answers = {told[0].data["answer"]["id"] for told in (*both, third)}
        assert len(answers) == 1
        assert all(told[-1].data["status"] == "complete" for told in (*both, third))
        assert len(hall.script.seen) == 1
        other = await hall.ask("POST", f"{talk}/messages", json={"text": "Ho"}, headers=key)
        assert (other.status_code, other.json()["error"]["code"]) == (409, "E2012")
        assert len((await hall.ask("GET", talk)).json()["messages"]) == 2


async def test_a_conversation_can_be_taken_along(tmp_path: Path) -> None:
    async with talking(tmp_path, wants(("look", {"city": "```"})), says("Done.")) as hall:
        talk = await hall.begin()
        await hall.say(talk, "Look for <b>fences</b>.")
        whole = await hall.ask("GET", f"{talk}/export")
        assert whole.headers["content-disposition"].startswith("attachment; ")
        assert whole.headers["content-type"] == "application/json"
        assert len(whole.json()["messages"]) == 2
        assert "secret_state" not in whole.text
        text = await hall.ask("GET", f"{talk}/export", params={"format": "markdown"})
        assert text.headers["content-type"].startswith("text/markdown")
        assert "UTC\n\n> Look for &lt;b>fences&lt;/b>.\n\n## Assistant, " in text.text
        assert "````json\n" in text.text
        assert text.text.endswith("> Done.\n")


async def test_what_was_deleted_can_be_restored_until_it_is_purged(tmp_path: Path) -> None:
    async with talking(tmp_path, says("Well, ", waits=True)) as hall:
        talk = await hall.begin()
        sending = {"json": {"text": "Is it?"}}
        async with hall.listening("POST", f"{talk}/messages", **sending) as queue:
            await until(queue, "text_delta")
            assert (await hall.ask("DELETE", talk)).status_code == 204
            assert (await until(queue, "end")).data["status"] == "stopped"
        for method, path in (("GET", talk), ("DELETE", talk), ("GET", f"{talk}/messages")):
            assert (await hall.ask(method, path)).status_code == 404
        assert (await hall.ask("GET", "")).json()["total"] == 0
        assert (await hall.ask("POST", f"{talk}/restore")).status_code == 200
        assert (await hall.answer(talk))["status"] == "stopped"
        await hall.ask("DELETE", talk)
        database = hall.site.instance.database
        assert await purge(database, lambda: ["default", "gone"], 1) == 0
        assert await purge(database, lambda: ["default"], 0) == 1
        assert (await hall.ask("POST", f"{talk}/restore")).status_code == 404


async def test_nobody_sees_or_changes_what_is_another_owners(tmp_path: Path) -> None:
    async with talking(tmp_path, wants(("book", {}))) as hall:
        talk = await hall.begin()
        await hall.say(talk, "Book my secret.")
        answer = await hall.answer(talk)
        message = f"{talk}/messages/{answer['id']}"
        call = f"{message}/calls/{call_of(answer)['id']}"
        attempts: list[tuple[str, str, dict[str, Any]]] = [
            ("GET", talk, {}),
            ("PATCH", talk, {"json": {"title": "x"}}),
            ("DELETE", talk, {}),
            ("POST", f"{talk}/restore", {}),
            ("GET", f"{talk}/export", {}),
            ("GET", f"{talk}/messages", {}),
            ("POST", f"{talk}/messages", {"json": {"text": "x"}}),
            ("POST", f"{message}/retry", {}),
            ("GET", f"{message}/stream", {}),
            ("POST", f"{message}/stop", {}),
            ("POST", f"{call}/decision", {"json": {"decision": "once"}}),
            ("POST", f"{call}/answer", {"json": {"answers": {}}}),
            ("POST", f"{call}/proceed", {}),
        ]
        for key in (BOB, EVE):
            own = await hall.begin(key)
            for method, path, options in attempts:
                for tried in (path, path.replace(talk, own)):
                    if tried.count("/") < 3 and tried != path:
                        continue  # it is their own
                    found = await hall.ask(method, tried, key, **options)
                    assert found.status_code == 404, (method, tried, found.text)
                    assert "secret" not in found.text
            listed = await hall.ask("GET", "", key, params={"search": "secret"})
            assert listed.json()["total"] == 0
        assert await hall.answer(talk) == answer
        assert hall.shop.booked == []


async def test_ids_that_are_none_are_the_ids_of_nothing(tmp_path: Path) -> None:
    async with talking(tmp_path) as hall:
        talk = await hall.begin()
        for path in (f"/{NOTHING}", f"{talk}/messages/%00/stream", f"{talk}/messages/x/stream"):
            assert (await hall.ask("GET", path)).status_code == 404, path
        assert (await hall.ask("GET", "/x")).status_code == 400
        zone = {"x-time-zone": "../etc/passwd"}
        assert (await hall.ask("GET", "", headers=zone)).status_code == 400
        half = b'{"decision":"once","arguments":{"a":"\\ud800"}}'
        sent = {"content": half, "headers": {"content-type": "application/json"}}
        first = await hall.ask("POST", f"{talk}/messages/x/calls/y/decision", **sent)
        assert first.status_code in {400, 404}


async def test_messages_and_turns_are_bounded(tmp_path: Path) -> None:
    bounds = {"chat__max_text_characters": "100", "chat__turns_per_person": "1"}
    async with talking(tmp_path, says("Well, ", waits=True), settings=bounds) as hall:
        shown = (await hall.ask("GET", "/api/chat/config")).json()
        assert shown["limits"] == {"text_characters": 100, "approval_seconds": 900.0}
        talk, other = await hall.begin(), await hall.begin()
        for text in ("", "x" * 101):
            long = await hall.ask("POST", f"{talk}/messages", json={"text": text})
            assert (long.status_code, long.json()["error"]["code"]) == (400, "E2004")
        async with hall.listening("POST", f"{talk}/messages", json={"text": "Is it?"}) as queue:
            await until(queue, "text_delta")
            busy = await hall.ask("POST", f"{talk}/messages", json={"text": "And?"})
            assert busy.status_code == 409
            full = await hall.ask("POST", f"{other}/messages", json={"text": "And?"})
            assert (full.status_code, full.json()["error"]["code"]) == (429, "E2016")
        assert (await hall.ask("GET", f"{other}/messages")).json() == {"messages": []}


async def test_only_who_may_use_tools_talks_and_only_at_home(tmp_path: Path) -> None:
    async with talking(tmp_path) as hall:
        there = {"x-bascule-tenant": "acme"}
        away = await hall.ask("GET", "", ADMIN, headers=there)
        assert away.status_code == 403
        assert (await hall.ask("GET", "", "bsc_nobody")).status_code == 401
        tools = (await hall.ask("GET", "/api/chat/tools")).json()
        assert [(one["name"], one["risk"]) for one in tools["tools"]] == [
            ("book", "write"),
            ("look", "read"),
            ("wipe", "privileged"),
        ]
        assert tools["withheld"] == []
        assert (await hall.ask("GET", "/api/chat/tools", EVE)).json()["tools"] == []


async def test_what_needs_an_elevation_is_withheld_and_leads_to_the_request(
    tmp_path: Path,
) -> None:
    bounds = {"elevation__privileged": "require"}
    async with talking(tmp_path, wants(("wipe", {})), settings=bounds) as hall:
        tools = (await hall.ask("GET", "/api/chat/tools")).json()
        assert tools["withheld"] == [{"name": "wipe", "title": "Wipes.", "why": "elevation"}]
        talk = await hall.begin()
        await hall.say(talk, "Wipe it.")
        answer = await hall.answer(talk)
        path = f"{talk}/messages/{answer['id']}"
        decided = f"{path}/calls/{call_of(answer)['id']}/decision"
        await hall.ask("POST", decided, json={"decision": "once"})
        assert (await hall.told("GET", f"{path}/stream"))[-1].data["status"] == "waiting"
        call = call_of(await hall.answer(talk))
        assert call["state"] == "needs_elevation"
        assert "/elevate/" in call["url"]


async def test_a_key_that_is_revoked_ends_what_is_done_in_its_name(tmp_path: Path) -> None:
    async with talking(tmp_path) as hall:
        assistant = hall.site.instance.chatting.assistant
        ann = KEYS[ANN].principal
        assert len(await assistant.toolbox.offered(ann)) == 3
        hall.site.api.state.control.revocations.revoke("ann")
        with pytest.raises(GatewayError, match="not known here"):
            await assistant.toolbox.offered(ann)
        wanted = ToolCall("look", {}, "k", 5.0, lambda _: None)
        refused = await assistant.toolbox.call(ann, wanted)
        assert isinstance(refused, Refused)
        assert (refused.code, refused.is_denial) == ("E1002", True)
        assert hall.shop.looked == 0


async def test_streams_end_when_the_process_is_about_to_and_the_turn_is_taken_up_again(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "data"
    async with talking(folder, says("Well, ", waits=True)) as hall:
        talk = await hall.begin()
        async with hall.listening("POST", f"{talk}/messages", json={"text": "Is it?"}) as queue:
            answer = (await until(queue, "accepted")).data["answer"]
            await until(queue, "text_delta")
            hall.site.instance.front.drain()
            assert await asyncio.wait_for(queue.get(), 5) is None
    async with talking(folder, says("Yes.")) as hall:
        told = await hall.told("GET", f"{talk}/messages/{answer['id']}/stream")
        assert told[-1].data["status"] == "complete"
        assert (await hall.answer(talk))["parts"][-1]["text"] == "Yes."


async def test_conversations_go_with_their_tenant(tmp_path: Path) -> None:
    async with talking(tmp_path) as hall:
        await hall.begin(EVE)
        gone = await hall.ask("DELETE", "/api/admin/tenants/acme", ADMIN)
        assert gone.is_success, gone.text
        async with hall.site.instance.database.read() as session:
            assert await Tenants(session).find("acme") is None


def test_only_the_assistant_vouches_for_somebody() -> None:
    package = Path(bascule.__file__).parent
    found: set[str] = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            is_call = isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Call")
            named = is_call and any(one.arg == "vouched" for one in node.keywords)  # type: ignore[attr-defined]
            stored = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
            if named or (stored and node.attr == "vouched"):  # type: ignore[attr-defined]
                found.add(path.relative_to(package).as_posix())
    assert found == {"app/toolbox.py"}


async def test_an_approval_that_is_over_is_shown_so_and_the_turn_goes_on_when_listened_to(
    tmp_path: Path,
) -> None:
    replies = wants(("book", {})), says("Then not.")
    async with talking(tmp_path, *replies) as hall:
        talk = await hall.begin()
        await hall.say(talk, "Book it.")
        store = ConversationStore(hall.site.instance.database, "default", "key|ann")
        kept = await store.message((await hall.answer(talk))["id"])
        next(iter(calls_of(kept))).expires_at = 1.0  # long ago
        await store.save(kept)
        answer = await hall.answer(talk)
        assert (call_of(answer)["decided"], answer["status"]) == ("expired", "running")
        whole = (await hall.ask("GET", talk)).json()["messages"][-1]
        exported = (await hall.ask("GET", f"{talk}/export")).json()["messages"][-1]
        assert call_of(whole)["state"] == call_of(exported)["state"] == "denied"
        told = await hall.told("GET", f"{talk}/messages/{answer['id']}/stream")
        assert told[-1].data["status"] == "complete"
        assert hall.shop.booked == []
        assert "did not answer in time" in str(hall.script.seen[1].body)
