"""An MCP server on standard input and output whose tools are what a file says at the moment."""

import json
import sys
from pathlib import Path


def answer(message: dict, tools: Path) -> str | None:
    """The answer as a line. The listing is passed on as it is in the file."""
    method = message.get("method")
    if "id" not in message:
        return None
    if method == "initialize":
        result = {
            "protocolVersion": "2025-11-25",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "drifting", "version": "1"},
        }
    elif method == "tools/list":
        head = json.dumps({"jsonrpc": "2.0", "id": message["id"]})[:-1]
        return f'{head}, "result": {{"tools": {tools.read_text()}}}}}'
    elif method == "tools/call":
        result = {"content": [{"type": "text", "text": f"ran {message['params']['name']}"}]}
    elif method == "ping":
        result = {}
    else:
        error = {"code": -32601, "message": "Method not found"}
        return json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": error})
    return json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result})


if __name__ == "__main__":
    for line in sys.stdin:
        answered = answer(json.loads(line), Path(sys.argv[1]))
        if answered is not None:
            print(answered, flush=True)
