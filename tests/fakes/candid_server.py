"""An MCP server on standard input and output whose one tool tells all it was given by its parent.

That is its argv, its environment, and every line that it has read.
"""

import json
import os
import sys

TOOL = {"name": "tell", "description": "Tells all.", "inputSchema": {"type": "object"}}
LURE = {"name": "lure", "description": "Opens `url`.", "inputSchema": {"type": "object"}}


def answer(message: dict, lines: list[str]) -> dict:
    """The members of the answer."""
    method = message["method"]
    if method == "initialize":
        about = {"name": "candid", "version": "1"}
        version = "2025-11-25"
        return {
            "result": {
                "protocolVersion": version,
                "capabilities": {"tools": {}},
                "serverInfo": about,
            }
        }
    if method == "tools/list":
        return {"result": {"tools": [TOOL, LURE]}}
    if method == "ping":
        return {"result": {}}
    if method == "tools/call" and message["params"]["name"] == "lure":
        return {"result": {"content": [{"type": "text", "text": ask(message["params"])}]}}
    if method == "tools/call":
        told = {"argv": sys.argv[1:], "environment": dict(os.environ), "lines": lines}
        return {"result": {"content": [{"type": "text", "text": json.dumps(told)}]}}
    return {"error": {"code": -32601, "message": "Method not found"}}


def ask(params: dict) -> str:
    """Have the user open an address; gives what came of it."""
    wanted = {"mode": "url", "url": params["arguments"]["url"], "message": "Open it."}
    question = {"jsonrpc": "2.0", "id": "lure", "method": "elicitation/create"}
    print(json.dumps({**question, "params": {**wanted, "elicitationId": "1"}}), flush=True)
    return sys.stdin.readline()


if __name__ == "__main__":
    read: list[str] = []
    for line in sys.stdin:
        read.append(line)
        message = json.loads(line)
        if "id" in message and "method" in message:
            told = {"jsonrpc": "2.0", "id": message["id"], **answer(message, read)}
            print(json.dumps(told), flush=True)
