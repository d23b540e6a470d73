"""`/api/chat` over a scripted assistant; whole conversations are in tests/integration."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace as evolve

from bascule.api.assistant import Look, QuickAction, Readers
from bascule.api.caller import Caller
from bascule.api.resources.conversations.exporting import as_markdown
from bascule.api.resources.conversations.service import Seat, _snippet, must_be_the_person
from bascule.chat.parts import CallPart, CallState, NoticePart, Role, TextPart
from bascule.chat.store import Conversation
from bascule.gateway.errors import Forbidden
from bascule.gateway.principal import Principal
from fakes.chatting import ScriptedModel, says
from fakes.talks import events_of
from unit.api.conversing import an_assistant, begin, message, store_of, talk_for
from unit.api.equipment import equipped
from unit.api.site import Site, altered, error_of

TALK = "/api/chat/conversations"


async def test_a_page_is_told_what_it_needs(site: Site) -> None:
    look = Look(
        "Bo", "Hello!", [QuickAction("a", "Book", "Book it.")], "blue", {"primary": "#003D79"}
    )
    assistant = replace(an_assistant(), look=look)
    async with altered(site, assistant=assistant) as one:
        told = (await one.get("/api/chat/config", "user")).json()
    assert told == {
        "name": "Bo",
        "model": {
            "id": "scripted-1",
            "provider": "scripted",
            "label": "Scripted",
            "is_language_model": True,
            "note": "",
            "limits": {},
        },
        "greeting": "Hello!",
        "quick_actions": [{"id": "a", "label": "Book", "prompt": "Book it."}],
        "theme": {"name": "blue", "colors": {"primary": "#003D79"}},
        "person": {"name": "user"},
        "limits": {"text_characters": 16_000, "approval_seconds": 900.0},
    }


async def test_without_an_assistant_nobody_talks(site: Site) -> None:
    refused = await site.get("/api/chat/config", "user")
    assert (refused.status_code, error_of(refused)["code"]) == (503, "E5004")


async def test_conversations_are_begun_renamed_pinned_and_found(site: Site) -> None:
    async with equipped(site) as one:
        for title in ("Tyres", "  Oil  "):
            made = await one.post(TALK, "user", json={"title": title})
            assert made.json()["title"] == title.strip()
        talk = f"{TALK}/{made.json()['id']}"
        changed = await one.ask("PATCH", talk, "user", json={"title": "Oil change"})
        assert changed.json()["title"] == "Oil change"
        first = (await one.get(TALK, "user", params={"search": "tyres"})).json()
        assert (first["total"], first["conversations"][0]["snippet"]) == (1, None)
        pin = {"is_pinned": True}
        await one.ask("PATCH", f"{TALK}/{first['conversations'][0]['id']}", "user", json=pin)
        listed = (await one.get(TALK, "user", params={"limit": 1})).json()
        assert (listed["total"], listed["conversations"][0]["title"]) == (2, "Tyres")


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("PATCH", {"title": "x" * 201}),
        ("PATCH", {"name": "x"}),
        ("POST", {"text": "x", "before": "y"}),
        ("POST", {}),
    ],
    ids=["long", "unknown", "odd", "none"],
)
async def test_what_makes_no_sense_is_refused(site: Site, method: str, body: Any) -> None:
    async with equipped(site) as one:
        talk = f"{TALK}/{(await begin(one))['conversation_id']}"
        path = talk if method == "PATCH" else f"{talk}/messages"
        refused = await one.ask(method, path, "user", json=body)
        assert refused.status_code == 400
        assert error_of(refused)["code"] in {"E2003", "E2004"}


async def test_a_message_without_an_answer_is_answered_when_it_is_sent_again(site: Site) -> None:
    assistant = an_assistant(ScriptedModel(says("Here I am.")))
    async with altered(site, assistant=assistant) as one:
        talk = (await begin(one))["conversation_id"]
        store = store_of(one, "key|user")
        store._key = "k"
        await store.add(message(talk, Role.USER, TextPart("Hello?")))
        sent = {"json": {"text": "Hello?"}, "headers": {"idempotency-key": "k"}}
        told = events_of((await one.post(f"{TALK}/{talk}/messages", "user", **sent)).text)
        assert [told[0].kind, told[-1].kind] == ["accepted", "end"]
        whole = (await one.get(f"{TALK}/{talk}", "user")).json()
        assert [text_in(item) for item in whole["messages"]] == ["Hello?", "Here I am."]
        await assistant.desk.aclose()


def text_in(item: dict[str, Any]) -> str:
    return "".join(part.get("text", "") for part in item["parts"])


async def test_questions_are_answered_and_visits_are_gone_on_with(site: Site) -> None:
    async with equipped(site) as one:
        for deed, body in (
            ("answer", {"answers": {"q": {"action": "accept", "content": {}}}}),
            ("proceed", None),
        ):
            names = await talk_for(one, f"/{deed}", "user")
            path = f"{TALK}/{names['conversation_id']}/messages/{names['message_id']}"
            done = await one.post(f"{path}/calls/{names['call_id']}/{deed}", "user", json=body)
            assert done.status_code == 200, done.text
            assert done.json()["parts"][1]["state"] in {"queued", "running", "done"}
            lost = await one.post(f"{path}/calls/none/{deed}", "user", json=body)
            assert lost.status_code == 404


@pytest.mark.parametrize(
    "arguments",
    ['{"a":NaN}', '{"a":[1e999]}', '{"a":"\\ud800"}', '{"a":' * 101 + "{}" + "}" * 101],
    ids=["no number", "infinite", "half a character", "deep"],
)
async def test_arguments_that_would_be_others_elsewhere_are_refused(
    site: Site, arguments: str
) -> None:
    async with equipped(site) as one:
        names = await talk_for(one, "/decision", "user")
        path = f"{TALK}/{names['conversation_id']}/messages/{names['message_id']}"
        refused = await one.post(
            f"{path}/calls/{names['call_id']}/decision",
            "user",
            content=f'{{"decision":"once","arguments":{arguments}}}',
            headers={"content-type": "application/json"},
        )
        assert refused.status_code == 400, refused.text
        assert error_of(refused)["code"] == "E2004"


async def test_a_conversation_with_something_too_deep_in_it_can_be_read(site: Site) -> None:
    async with equipped(site) as one:
        talk = (await begin(one))["conversation_id"]
        deep: dict[str, object] = {}
        for _ in range(300):
            deep = {"a": deep}
        call = CallPart("c", "look", deep, CallState.DONE, structured=deep)
        await store_of(one, "key|user").add(message(talk, Role.ASSISTANT, call))
        for path in ("", "/messages", "/export"):
            found = await one.get(f"{TALK}/{talk}{path}", "user")
            assert found.status_code == 200, found.text
            assert "nested too deep" in found.text


def test_software_does_not_agree_to_its_own_calls(site: Site) -> None:
    assistant, ann = an_assistant(), Principal("default", "ann", frozenset(), user_id="1")
    must_be_the_person(Seat(site.control, assistant, Caller(ann, "c-1")))
    robot = replace(ann, agent="robot")
    with pytest.raises(Forbidden, match="robot acts for you"):
        must_be_the_person(Seat(site.control, assistant, Caller(robot, "c-1")))


async def test_a_key_is_good_for_one_message_in_one_place(site: Site) -> None:
    async with altered(site, assistant=an_assistant()) as one:
        talk = f"{TALK}/{(await begin(one))['conversation_id']}/messages"
        sent: dict[str, Any] = {"headers": {"idempotency-key": "k"}}
        assert (await one.post(talk, "user", json={"text": "Hi"}, **sent)).status_code == 200
        for after, status in (("", 200), ("elsewhere", 409)):
            body = {"text": "Hi", "after": after}
            assert (await one.post(talk, "user", json=body, **sent)).status_code == status


async def test_nobody_reads_too_many_answers_at_once(site: Site) -> None:
    assistant = replace(an_assistant(), readers=Readers(1))
    async with altered(site, assistant=assistant) as one:
        talk = f"{TALK}/{(await begin(one))['conversation_id']}"
        held = assistant.readers.enter(Principal("default", "user", frozenset(), key_id="k"))
        refused = await one.post(f"{talk}/messages", "user", json={"text": "Hi"})
        assert error_of(refused)["code"] == "E2016"
        assert (await one.get(talk, "user")).json()["messages"] == []
        del held
        for _ in range(3):
            told = await one.post(f"{talk}/messages", "user", json={"text": "Hi"})
            assert told.status_code == 200, told.text


def test_a_conversation_reads_well_and_no_tool_breaks_out_of_its_block() -> None:
    told = Conversation("c", "A\nB", 0.0, 0.0)
    call = CallPart("c", "bo`o\n\nk", {"a": 1}, CallState.DONE)
    said = [
        message("c", Role.USER, TextPart("Hello")),
        message(
            "c",
            Role.ASSISTANT,
            TextPart(""),
            evolve(call, content=[{"type": "text", "text": "```\n# Title"}]),
            evolve(call, structured={"n": 7}),
            evolve(call, state=CallState.NEEDS_APPROVAL, error="No."),
            NoticePart("stopped", "Over."),
        ),
    ]
    for one in said:
        one.at = datetime(2026, 1, 31, 10, tzinfo=UTC).timestamp()
    text = as_markdown(told, said)
    assert text.startswith("# A B\n\n## You, 2026-01-31 10:00 UTC\n\n> Hello\n\n## Assistant, ")
    assert "````\n```\n# Title\n````" in text
    assert '```json\n{\n  "n": 7\n}\n```' in text
    assert "**Tool** `boo k`: needs approval" in text
    assert text.endswith("\n\n> Over.\n")


INERT = {
    "html": ("a <script>x</script> <!-- b", "> a &lt;script>x&lt;/script> &lt;!-- b"),
    "escaped html": ("\\<b>", "> \\&lt;b>"),
    "an image": ("![x](http://e/?q)", "> !&#91;x](http://e/?q)"),
    "a sum": ("1 < 2", "> 1 < 2"),
    "another message": ("x\r\n\r\n## You, now", "> x\n>\n> ## You, now"),
    "code": ("```html\n<b>\n\n```\n<b>", "> ```html\n> <b>\n>\n> ```\n> &lt;b>"),
    "a fence in another": ("~~~\n```\n~~~\n<b>", "> ~~~\n> ```\n> ~~~\n> &lt;b>"),
    "a fence in a list": ("- ```\n  ```\n```\n<b>", "> - ```\n>   ```\n> ```\n> &lt;b>"),
    "a fence that a tab closes": (
        "```\n\t```\n<b>\n```\n<b>",
        "> ```\n> \t```\n> &lt;b>\n> ```\n> &lt;b>",
    ),
    "a fence without end": ("````\n```\n<b>", "> ````\n> ```\n> <b>"),
}


@pytest.mark.parametrize("name", INERT)
def test_what_was_written_is_inert_in_a_file(name: str) -> None:
    written, kept = INERT[name]
    said = message("c", Role.ASSISTANT, TextPart(written))
    text = as_markdown(Conversation("c", "<i>", 0.0, 0.0), [said])
    assert text.startswith("# &lt;i>\n\n## Assistant, ")
    assert text.partition("UTC\n\n")[2] == f"{kept}\n"


def test_a_snippet_shows_the_first_word_that_was_looked_for() -> None:
    parts = '[{"type":"text","text":"' + "a " * 50 + "Needle" + " b" * 100 + '"}]'
    found = _snippet(parts, "none NEEDLE")
    assert found is not None
    assert "Needle" in found
    assert found[0] == found[-1] == "…"
    assert len(found) < 170
    assert _snippet(None, "x") is None
    assert _snippet('[{"type":"text","text":"short"}]', "x") == "short"
