"""An MCP server over stdio that is hard to end: `deaf_server.py MANNER MARK`.

It starts a process that is deaf to everything but SIGKILL. `polite` ends with its input; `deaf`
does not, nor by SIGTERM; `frail` dies in its first call. MARK is in the arguments of both, so that
whoever looks for them finds them.
"""

import json
import os
import signal
import subprocess
import sys
from typing import Any

MANNER, MARK = sys.argv[1:3]
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"
INTRODUCTION = {
    "protocolVersion": "2025-06-18",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "deaf", "version": "1"},
}
SAY = {"name": "say", "inputSchema": {"type": "object"}}
RESULTS: dict[str, dict[str, Any]] = {
    "initialize": INTRODUCTION,
    "tools/list": {"tools": [SAY]},
    "tools/call": {"content": [{"type": "text", "text": "said"}]},
}


def answer(line: str) -> None:
    message = json.loads(line)
    if "id" not in message:
        return
    if MANNER == "frail" and message["method"] == "tools/call":
        os._exit(3)
    result = RESULTS.get(message["method"])
    unknown = {"error": {"code": -32601, "message": "Method not found"}}
    outcome = unknown if result is None else {"result": result}
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], **outcome}), flush=True)


def main() -> None:
    subprocess.Popen([sys.executable, "-S", "-c", DEAF, MARK], stdin=subprocess.DEVNULL)
    if MANNER == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for line in sys.stdin:
        answer(line)
    while MANNER == "deaf":
        signal.pause()


if __name__ == "__main__":
    main()
