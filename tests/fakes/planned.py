"""A conversation with the offline model, whose calls are really made."""

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from bascule.catalogue.openapi import ToolDraft, convert
from bascule.chat.models import (
    Answered,
    Entry,
    Finished,
    ModelRequest,
    ModelTool,
    Returned,
    Said,
    Text,
    Wanted,
)
from bascule.chat.offline import OfflineModel
from bascule.chat.parts import CallState
from bascule.gateway.call import Call, Method
from bascule.gateway.tool import Tool, Upstream, UpstreamKind
from bascule.upstreams.http1 import HttpRequest, HttpResponse
from bascule.upstreams.rest import RestUpstream
from booking.app import create_app
from booking.service import open_service

ROOT = Path(__file__).parents[2]
BOOKING = ROOT / "examples" / "booking"
DOCUMENTS = ROOT / "tests" / "documents" / "planned"
MOST_STEPS = 10
STATIONS = [
    {"id": f"3fa85f64-5717-4562-b3fc-2c963f66af0{at}", "name": name, "altitude": 100 * at}
    for at, name in enumerate(["Harbour", "Old Mill", "Airport"])
]
EVENTS = [
    {
        "eventId": f"3be6453c-03eb-4357-ae5a-984a0e574a5{at}",
        "name": name,
        "location": "Computer Room",
        "eventDescription": "For children.",
        "dates": ["2026-11-28"],
        "price": 25,
    }
    for at, name in enumerate(["Pirate Coding Workshop", "Mermaid Treasure Analysis"])
]
TUESDAY = datetime(2026, 11, 24, 10, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))

Answer = tuple[dict[str, Any] | None, str, bool]
"""Structured content, text, and whether it is an error."""

Execute = Callable[[str, Mapping[str, Any]], Awaitable[Answer]]


def tools_of(document: bytes) -> tuple[ToolDraft, ...]:
    """The tools that the project makes of a description."""
    return convert(document, base_url="http://upstream.test").tools


def model_tools(drafts: tuple[ToolDraft, ...]) -> list[ModelTool]:
    """The same, as a model is told of them."""
    return [
        ModelTool(
            one.name,
            one.description,
            dict(one.input_schema),
            one.title or "",
            dict(one.output_schema) if one.output_schema else None,
            one.risk.value,
        )
        for one in drafts
    ]


@dataclass
class Talk:
    """A conversation. `calls` are all that were made, with what came of them."""

    tools: list[ModelTool]
    execute: Execute
    now: str = TUESDAY.isoformat()
    entries: list[Entry] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any], Answer]] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    ends: dict[str, list[tuple[CallState, str, str]]] = field(default_factory=dict)
    """Of a tool how its next calls end without it: state, text for the model, what was decided."""

    def request(self) -> ModelRequest:
        return ModelRequest("", tuple(self.entries), self.tools, 4096, 0.0, "u", self.now)

    async def say(self, text: str) -> str:
        """Send a message, make the calls that it leads to, and give all that was answered."""
        self.entries.append(Said(text))
        told: list[str] = []
        for _ in range(MOST_STEPS):
            answered = await ask(self.request())
            self.entries.append(answered)
            told.append(answered.text)
            if not answered.wanted:
                self.answers.append("\n\n".join(one for one in told if one))
                return self.answers[-1]
            for wanted in answered.wanted:
                await self._run(wanted)
        raise AssertionError(f"no end after {MOST_STEPS} steps: {told}")

    async def _run(self, wanted: Wanted) -> None:
        ends = self.ends.get(wanted.name)
        if ends:
            state, text, decided = ends.pop(0)
            self.calls.append((wanted.name, dict(wanted.arguments), (None, text, True)))
            ended = Returned(wanted.id, wanted.name, text, True, None, state, decided)
            self.entries.append(ended)
            return
        answer = await self.execute(wanted.name, wanted.arguments)
        self.calls.append((wanted.name, dict(wanted.arguments), answer))
        structured, text, is_error = answer
        self.entries.append(Returned(wanted.id, wanted.name, text, is_error, structured))

    @property
    def names(self) -> list[str]:
        """The tools that were called."""
        return [name for name, _, _ in self.calls]


async def ask(request: ModelRequest) -> Answered:
    """One whole answer; its events are in order and end with one `Finished`."""
    events = [one async for one in OfflineModel().answer(request)]
    assert isinstance(events[-1], Finished)
    wanted = [one for one in events[:-1] if isinstance(one, Wanted)]
    texts = [one.text for one in events[: len(events) - 1 - len(wanted)] if isinstance(one, Text)]
    assert len(texts) + len(wanted) == len(events) - 1
    return Answered("".join(texts), wanted)


class _InProcess:
    """Sends requests to an application in this process."""

    def __init__(self, app: Any) -> None:
        self._transport = httpx2.ASGITransport(app, raise_app_exceptions=False)

    async def request(self, request: HttpRequest, deadline: float) -> HttpResponse:
        del deadline
        async with httpx2.AsyncClient(
            transport=self._transport, base_url="http://upstream.test"
        ) as client:
            answer = await client.request(
                request.method,
                request.target,
                headers=[*request.headers, ("content-type", "application/json")],
                content=request.body,
            )
        return HttpResponse(answer.status_code, list(answer.headers.multi_items()), answer.content)


class Booking:
    """The real booking service over its own database, called as the gateway calls it."""

    def __init__(self, folder: Path, now: datetime = TUESDAY) -> None:
        self.drafts = tools_of((BOOKING / "openapi.yaml").read_bytes())
        self.tools = model_tools(self.drafts)
        upstream = Upstream("u", UpstreamKind.REST, "http://upstream.test")
        service = open_service(folder / "booking.db", lambda: now)
        self._rest = RestUpstream(upstream, _InProcess(create_app(service)))
        self._now = now

    async def execute(self, name: str, arguments: Mapping[str, Any]) -> Answer:
        draft = next(one for one in self.drafts if one.name == name)
        source = replace(draft.source, upstream="u")
        tool = Tool(name, "", "b", source, dict(draft.input_schema), risk=draft.risk)
        deadline = time.monotonic() + 30
        call = Call(Method.TOOLS_CALL, "c", tool=tool, arguments=dict(arguments), deadline=deadline)
        result = await self._rest.execute(call)
        text = "\n".join(str(one.get("text", "")) for one in result.body["content"])
        structured = result.body.get("structuredContent")
        if structured is not None:
            structured = json.loads(msgspec.json.encode(structured))
        return structured, text, result.is_error

    def talk(self) -> Talk:
        return Talk(self.tools, self.execute, self._now.isoformat())


class Tasks:
    """An invented to-do service, in memory."""

    def __init__(self) -> None:
        self.tools = model_tools(tools_of((DOCUMENTS / "tasks.yaml").read_bytes()))
        self.tasks: list[dict[str, Any]] = [
            {"id": 11, "title": "Water the plants", "state": "open", "priority": "low"},
            {"id": 12, "title": "Pay the rent", "state": "open", "priority": "high"},
            {"id": 13, "title": "Call the plumber", "state": "done"},
        ]

    async def execute(self, name: str, arguments: Mapping[str, Any]) -> Answer:
        if name == "listTasks":
            kept = [one for one in self.tasks if all(one.get(k) == v for k, v in arguments.items())]
            return {"result": kept}, "", False
        if name == "createTask":
            self.tasks.append({"id": 14, "state": "open", **arguments})
            return self.tasks[-1], "", False
        found = [one for one in self.tasks if one["id"] == arguments["taskId"]]
        if not found:
            return None, "The upstream answered HTTP 404 (Not Found): No such task.", True
        if name == "deleteTask":
            self.tasks.remove(found[0])
            return None, "Done (HTTP 204, no content).", False
        if name == "completeTask":
            found[0]["state"] = "done"
        return found[0], "", False

    def talk(self) -> Talk:
        return Talk(self.tools, self.execute)


class Weather:
    """An invented weather service."""

    def __init__(self) -> None:
        self.tools = model_tools(tools_of((DOCUMENTS / "weather.yaml").read_bytes()))

    async def execute(self, name: str, arguments: Mapping[str, Any]) -> Answer:
        if name == "get_forecast":
            days = [
                {"date": f"2026-11-{25 + at}", "summary": "Rain", "high": 20 + at, "low": 10}
                for at in range(arguments.get("days", 2))
            ]
            return {"city": arguments["city"], "days": days}, "", False
        if name == "list_stations":
            return {"stations": STATIONS}, "", False
        return {"subscriptionId": "s1", **arguments}, "", False

    def talk(self) -> Talk:
        return Talk(self.tools, self.execute)


class Museum:
    """A museum, by the document that Redocly publishes for it."""

    def __init__(self) -> None:
        self.tools = model_tools(tools_of((DOCUMENTS / "museum.yaml").read_bytes()))

    async def execute(self, name: str, arguments: Mapping[str, Any]) -> Answer:
        if name == "listSpecialEvents":
            return {"result": EVENTS}, "", False
        if name == "getMuseumHours":
            day = arguments.get("startDate", "2026-11-24")
            return {"result": [{"date": day, "timeOpen": "09:00", "timeClose": "18:00"}]}, "", False
        found = [one for one in EVENTS if one["eventId"] == arguments.get("eventId")]
        return {**(found[0] if found else {}), **arguments}, "", False

    def talk(self) -> Talk:
        return Talk(self.tools, self.execute)
