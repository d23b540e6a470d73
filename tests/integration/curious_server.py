"""An MCP server on standard input and output that reports progress and asks, of an ERA.

`modern` is by the official SDK, which asks in its results. `legacy` asks while the call waits, as
servers of 2025-11-25 do.
"""

import json
import sys
from typing import Annotated, Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.resolve import Elicit, Resolve
from pydantic import BaseModel, Field

QUESTION = "Which colour?"
STARTED = {
    "protocolVersion": "2025-11-25",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "curious", "version": "1"},
}
INPUT = {"type": "object", "properties": {"car": {"type": "string"}}, "required": ["car"]}


class Colour(BaseModel):
    """What the user is asked for."""

    colour: str
    doors: int = Field(ge=2, le=5)


def which_colour() -> Elicit[Colour]:
    return Elicit(QUESTION, Colour)


def painted(car: str, colour: str, doors: int) -> str:
    return f"{car} is {colour} with {doors} doors"


async def paint(
    car: str, wanted: Annotated[Colour, Resolve(which_colour)], ctx: Context[Any, Any]
) -> str:
    """Paint a car, in steps, in a colour that its owner is asked for."""
    await ctx.report_progress(1, 2, "Sanding")
    return painted(car, wanted.colour, wanted.doors)


def say(**message: object) -> None:
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def paint_in_between(params: dict[str, Any]) -> dict[str, Any]:
    """The result of a call, after the answer of the user has come."""
    token = params["_meta"]["progressToken"]
    progress = {"progressToken": token, "progress": 1, "total": 2, "message": "Sanding"}
    say(method="notifications/progress", params=progress)
    schema = {key: Colour.model_json_schema()[key] for key in ("type", "properties", "required")}
    asked = {"mode": "form", "message": QUESTION, "requestedSchema": schema}
    say(id="q", method="elicitation/create", params=asked)
    answer = json.loads(sys.stdin.readline())["result"]
    if answer["action"] != "accept":
        text = f"It was left at {answer['action']}"
    else:
        text = painted(params["arguments"]["car"], **answer["content"])
    return {"content": [{"type": "text", "text": text}]}


def serve_legacy() -> None:
    """Answer until the input ends."""
    tool = {"name": "paint", "description": "Paint a car.", "inputSchema": INPUT}
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message:
            continue
        number = message["id"]
        match message["method"]:
            case "initialize":
                say(id=number, result=STARTED)
            case "tools/list":
                say(id=number, result={"tools": [tool]})
            case "tools/call":
                say(id=number, result=paint_in_between(message["params"]))
            case "ping":
                say(id=number, result={})
            case _:
                say(id=number, error={"code": -32601, "message": "Method not found"})


if __name__ == "__main__":
    if sys.argv[1] == "legacy":
        serve_legacy()
    else:
        server = MCPServer("curious")
        server.add_tool(paint, name="paint")
        server.run("stdio")
