"""Questions to a model, and what became of them."""

from typing import Any

from bascule.chat.models import (
    Answered,
    Finished,
    Model,
    ModelRequest,
    ModelTool,
    Returned,
    Said,
    Text,
    Wanted,
)

WEATHER = ModelTool(
    "get_weather",
    "Weather of a city.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
HISTORY = (
    Said("What is the weather in Pune and Goa?"),
    Answered("I look.", (Wanted("c1", "get_weather", {"city": "Pune"}),)),
    Returned("c1", "get_weather", "31 degrees"),
    Answered("", (Wanted("c2", "get_weather", {"city": "Goa"}),)),
    Returned("c2", "get_weather", "no such city", is_error=True),
    Said("And now?"),
)


def question(*entries: Any, tools: Any = (WEATHER,)) -> ModelRequest:
    """`entries` asked of a model, or a history with everything in it."""
    return ModelRequest(
        instructions="Be brief.",
        entries=entries or HISTORY,
        tools=tools,
        max_tokens=500,
        temperature=0.7,
        user="p-1",
        now="2026-11-22T10:00:00+05:30",
    )


async def asked(
    model: Model, request: ModelRequest | None = None
) -> tuple[str, list[Any], Finished]:
    """The text, the calls and the end of an answer."""
    told = [event async for event in model.answer(request or question())]
    text = "".join(event.text for event in told if isinstance(event, Text))
    calls = [event for event in told if isinstance(event, Wanted)]
    assert isinstance(told[-1], Finished)
    assert not any(isinstance(event, Finished) for event in told[:-1])
    return text, calls, told[-1]
