"""A server written with the official Python SDK: `sdk_server.py NAME [PORT]`, stdio without a port.

It does everything a server may: notes on the way, questions back, changes. With a port it serves
Streamable HTTP on loopback and says so.
"""

import logging
import os
import sys
from typing import Annotated, Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.resolve import Elicit, Resolve, Sample
from mcp_types import (
    Completion,
    CompletionArgument,
    CreateMessageResult,
    SamplingMessage,
    TextContent,
)
from pydantic import BaseModel

NAME = sys.argv[1]
CITIES = ("Pune", "Puno", "Paris")
server = MCPServer(NAME, instructions=f"This is {NAME}.")


class Person(BaseModel):
    """What the user is asked for."""

    name: str


def ask_the_user() -> Elicit[Person]:
    return Elicit("Who are you?", Person)


def ask_the_model() -> Sample:
    content = TextContent(type="text", text="Say a word.")
    return Sample([SamplingMessage(role="user", content=content)], max_tokens=10)


@server.tool()
def echo(message: str) -> str:
    """Say `message` again, and who says it: a name that other servers have, too."""
    return f"{NAME}: {message}"


@server.tool()
async def count(to: int, ctx: Context[Any, Any]) -> int:
    """Count, with progress and a log message at each number."""
    for number in range(1, to + 1):
        await ctx.report_progress(number, to, f"at {number}")
        await ctx.info(f"counted {number}")  # pyright: ignore[reportDeprecated]
    return to


@server.tool()
def greet_me(person: Annotated[Person, Resolve(ask_the_user)]) -> str:
    """Ask who is there, then greet."""
    return f"Hello {person.name}"


@server.tool()
def quote_model(said: Annotated[CreateMessageResult, Resolve(ask_the_model)]) -> str:
    """Ask the client's model for a word."""
    return f"It said {getattr(said.content, 'text', said.content)}"


@server.tool()
async def grow(ctx: Context[Any, Any]) -> str:
    """Offer one more tool from now on."""
    server.add_tool(lambda: "grown", name=f"{NAME}_grown")
    await ctx.notify_tools_changed()
    return "grown"


@server.tool()
def die() -> str:
    """End the process in the middle of a call."""
    os._exit(3)


@server.resource(f"{NAME}://notes/today")
def today() -> str:
    return f"nothing happened at {NAME}"


@server.resource(f"{NAME}://cities/{{city}}")
def city(city: str) -> str:
    return f"{city}, says {NAME}"


@server.prompt()
def summarise(topic: str) -> str:
    """A prompt that other servers have, too."""
    return f"{NAME}: summarise {topic}"


@server.completion()
async def complete(_: object, argument: CompletionArgument, __: object) -> Completion:
    return Completion(values=[one for one in CITIES if one.startswith(argument.value)])


def main() -> None:
    logging.disable()
    if len(sys.argv) > 2:
        server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[2]))
    else:
        server.run()


if __name__ == "__main__":
    main()
