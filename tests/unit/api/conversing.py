"""An assistant for the API whose model and tools follow a script, and conversations with it."""

import time
from typing import Any, Final
from uuid import uuid4

from bascule.api.assistant import Assistant
from bascule.api.chat_store import ConversationStore
from bascule.chat.limits import ChatLimits
from bascule.chat.parts import (
    CallPart,
    CallState,
    InputRequest,
    Message,
    MessageStatus,
    Role,
    TextPart,
)
from bascule.chat.service import ChatDesk
from bascule.state.memory import MemoryState
from fakes.chatting import ScriptedModel, ScriptedToolbox, tool
from unit.api.site import Site

CALL: Final = "call-1"


def an_assistant(model: ScriptedModel | None = None, **limits: Any) -> Assistant:
    """One that says `Done.`, unless `model` says something else, and has a tool to look with."""
    model = model or ScriptedModel()
    toolbox, bounds = ScriptedToolbox([tool("look")]), ChatLimits(**limits)
    desk = ChatDesk(
        model,
        toolbox,
        bounds,
        "Be brief.",
        state=MemoryState(),
        pseudonym=lambda one: one.subject,
    )
    return Assistant(desk, toolbox, model.card)


def store_of(site: Site, owner: str) -> ConversationStore:
    """The conversations of `owner` in the tenant of `site`."""
    return ConversationStore(site.control.database, getattr(site, "tenant", "default"), owner)


async def talk_for(site: Site, path: str, role: str) -> dict[str, str]:
    """A conversation of the key of `role`, whose answer is as `path` needs it."""
    talk = await begin(site, role)
    store, conversation = store_of(site, f"key|{role}"), talk["conversation_id"]
    if talk.get("refused"):
        return {"conversation_id": conversation, "message_id": CALL, "call_id": CALL}
    states = {
        "decision": CallState.NEEDS_APPROVAL,
        "answer": CallState.NEEDS_INPUT,
        "proceed": CallState.NEEDS_ELEVATION,
        "stop": CallState.NEEDS_APPROVAL,
    }
    waits = states.get(path.rpartition("/")[2])
    question = message(conversation, Role.USER, TextPart("Hello"))
    await store.add(question)
    parts: list[Any] = [TextPart("One moment.")]
    if waits is not None:
        call = CallPart(CALL, "look", {}, waits, key="k")
        call.expires_at = time.time() + 900
        if waits is CallState.NEEDS_INPUT:
            call.inputs = [InputRequest("q", "How many?", {"type": "object", "properties": {}})]
        parts.append(call)
    answer = message(conversation, Role.ASSISTANT, *parts, parent=question.id)
    answer.status = MessageStatus.COMPLETE if waits is None else MessageStatus.WAITING
    await store.add(answer)
    if path.endswith("/restore"):
        await site.ask("DELETE", f"/api/chat/conversations/{conversation}", role)
    return {**talk, "message_id": answer.id, "call_id": CALL}


async def begin(site: Site, role: str = "user") -> dict[str, str]:
    """A conversation of the key of `role`; gives its id by name."""
    made = await site.post("/api/chat/conversations", role, json={"title": ""})
    if made.status_code == 403:  # who may not talk has none
        return {"conversation_id": str(uuid4()), "refused": "yes"}
    assert made.status_code == 201, made.text
    return {"conversation_id": made.json()["id"]}


def message(conversation_id: str, role: Role, *parts: Any, parent: str | None = None) -> Message:
    """A message as the desk would keep it, complete."""
    return Message(
        str(uuid4()),
        conversation_id,
        role,
        list(parts),
        MessageStatus.COMPLETE,
        time.time(),
        parent,
    )
