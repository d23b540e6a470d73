"""Two gateways on one database and one Valkey: people talk to whichever answers."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from contract.state.stores import valkey_url
from fakes.fronts import fronted
from fakes.model_servers import Reply
from fakes.talks import KEYS, Event, Hall, says, talking, wants

__all__ = ["valkey_url"]


@asynccontextmanager
async def two(
    folder: Path, url: str, *replies: Reply, settings: dict[str, str] | None = None
) -> AsyncGenerator[tuple[Hall, Hall]]:
    """Two of them, with data directories of their own and a model in common."""
    common = {
        "database__url": f"sqlite+aiosqlite:///{folder}/shared.db",
        "redis__url": url,
        "app__environment": f"t-{secrets.token_hex(8)}",
        **(settings or {}),
    }
    for name in ("one", "two"):
        (folder / name).mkdir()
    async with talking(folder / "one", *replies, settings=common) as here:
        llm = {
            "llm__provider": "compatible",
            "llm__base_url": f"{here.script.url}/v1",
            "llm__model": "scripted",
            "elevation__privileged": "allow",
        }
        async with fronted(folder / "two", KEYS, **common, **llm) as site:
            yield here, Hall(site, here.script, here.shop)


def calls_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in message["parts"] if one["type"] == "call"]


async def until(queue: "asyncio.Queue[Event | None]", kind: str) -> Event:
    async with asyncio.timeout(20):
        while True:
            told = await queue.get()
            assert told is not None, f"the stream ended before {kind}"
            if told.kind == kind:
                return told


async def test_what_is_agreed_to_at_both_is_done_once_and_both_see_it(
    tmp_path: Path, valkey_url: str
) -> None:
    async with two(tmp_path, valkey_url, wants(("book", {})), says("Booked.")) as (here, there):
        talk = await here.begin()
        assert (await here.say(talk, "Book it."))[-1].data["status"] == "waiting"
        answer = await there.answer(talk)
        (call,) = calls_of(answer)
        path = f"{talk}/messages/{answer['id']}"
        yes = {"json": {"decision": "once"}}
        told = await asyncio.gather(
            *(
                one.ask("POST", f"{path}/calls/{call['id']}/decision", **yes)
                for one in (here, there)
            )
        )
        assert sorted(one.status_code for one in told) == [200, 409]
        streams = await asyncio.gather(
            *(one.told("GET", f"{path}/stream") for one in (here, there))
        )
        assert [events[-1].data["status"] for events in streams] == ["complete", "complete"]
        assert len(here.shop.booked) == 1
        assert [one["state"] for one in calls_of(await here.answer(talk))] == ["done"]
        assert len(here.script.seen) == 2


async def test_an_answer_is_listened_to_and_stopped_from_the_other(
    tmp_path: Path, valkey_url: str
) -> None:
    async with two(tmp_path, valkey_url, says("Well, ", waits=True)) as (here, there):
        talk = await here.begin()
        sending = {"json": {"text": "Is it?"}}
        async with here.listening("POST", f"{talk}/messages", **sending) as queue:
            answer = (await until(queue, "accepted")).data["answer"]
            await until(queue, "text_delta")
            path = f"{talk}/messages/{answer['id']}"
            async with there.listening("GET", f"{path}/stream") as other:
                parts = (await until(other, "snapshot")).data["message"]["parts"]
                assert parts in ([], [{"type": "text", "text": "Well, "}])
                stopped = await there.ask("POST", f"{path}/stop")
                assert stopped.json()["status"] == "stopped"
                assert (await until(other, "end")).data["status"] == "stopped"
            async with asyncio.timeout(20):  # it finds out when it renews its lease
                await here.script.left.wait()
        assert (await here.answer(talk))["status"] == "stopped"
        assert len(here.script.seen) == 1


async def test_one_that_ends_leaves_its_answers_to_the_other(
    tmp_path: Path, valkey_url: str
) -> None:
    replies = says("Well, ", waits=True), says("Here.")
    async with two(tmp_path, valkey_url, *replies) as (here, there):
        talk = await here.begin()
        sending = {"json": {"text": "Is it?"}}
        async with here.listening("POST", f"{talk}/messages", **sending) as queue:
            answer = (await until(queue, "accepted")).data["answer"]
            await until(queue, "text_delta")
            await here.site.instance.chatting.aclose()
        told = await there.told("GET", f"{talk}/messages/{answer['id']}/stream")
        assert told[-1].data["status"] == "complete"
        assert (await there.answer(talk))["parts"] == [{"type": "text", "text": "Here."}]


async def test_tokens_are_counted_kept_and_bounded_wherever_they_are_used(
    tmp_path: Path, valkey_url: str
) -> None:
    settings = {"chat__tokens_per_day": "30"}
    async with two(tmp_path, valkey_url, says("Hello."), settings=settings) as (here, there):
        talk = await here.begin()
        assert (await here.say(talk, "Hi"))[-1].data["tokens_in"] == 21
        metrics = await here.site.ask("GET", "/metrics")
        for direction, tokens in (("in", 21), ("out", 9)):
            labels = f'direction="{direction}",model="scripted",tenant="default"'
            assert f"bascule_chat_tokens_total{{{labels}}} {tokens}.0" in metrics.text
        spent = await there.say(talk, "And now?")
        assert spent[-1].data["status"] == "failed"
        assert [one.data["notice"]["code"] for one in spent if one.kind == "notice"] == [
            "budget_spent"
        ]
        exported = (await there.ask("GET", f"{talk}/export")).json()["messages"]
        assert (exported[1]["tokens_in"], exported[1]["tokens_out"]) == (21, 9)
        assert "version" not in exported[1]
