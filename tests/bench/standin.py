"""The gateway's contract with the harness, in small: `python standin.py --data DIR …`.

Set-up over REST, default deny, modern tools/call relayed to the upstream. `--makes-up-answers`
never asks the upstream; `--breaks` dies on the first call.
"""

import asyncio
import json
import os
import re
import signal
import sys
from pathlib import Path
from urllib.parse import urlencode, urlsplit

ADMIN, USER = "admin-key", "user-key"


class StandIn:
    def __init__(self):
        self.upstream, self.tools, self.bundle = "", {}, ""
        self.allowed: list[str] = []
        self.issuers: list[str] = []

    async def answer(self, method, path, headers, body):
        bearer = headers.get("authorization", "")
        if path == "/mcp":
            known = bearer == f"Bearer {USER}" or (self.issuers and bearer.startswith("Bearer ey"))
            return await self.call(headers, body) if known else (401, {})
        if bearer != f"Bearer {ADMIN}":
            return 401, {"error": {"code": "E1002"}}
        if (method, path) == ("POST", "/api/admin/openapi"):
            return self.imported(body)
        if (method, path) == ("POST", "/api/admin/policies"):
            policy = json.loads(body)
            self.allowed += policy["bundles"] if policy.get("effect") == "allow" else []
            return 201, policy
        if (method, path) == ("POST", "/api/admin/issuers"):
            self.issuers.append(json.loads(body)["issuer"])
        made = path in {"/api/admin/issuers", "/api/admin/keys"}
        return (201, {**json.loads(body), "key": USER}) if made else (404, {})

    def imported(self, body):
        parts = dict(re.findall(rb'name="(\w+)".*?\r\n\r\n(.*?)\r\n--', body, re.DOTALL))
        document = json.loads(parts[b"file"])
        self.bundle = parts[b"bundle_id"].decode()
        self.upstream = document["servers"][0]["url"]
        self.tools = {
            operation["operationId"]: (method.upper(), path)
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
        }
        return 201, {"tools": [{"name": name} for name in self.tools]}

    async def call(self, headers, body):
        message = json.loads(body)
        name, arguments = message["params"]["name"], message["params"]["arguments"]
        assert headers["mcp-method"] == message["method"] == "tools/call"
        assert headers["mcp-name"] == name
        if "--breaks" in sys.argv:
            sys.stderr.write("the stand-in breaks, as told\n")
            os.kill(os.getpid(), signal.SIGKILL)
        if self.bundle not in self.allowed or name not in self.tools:
            return 200, {"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32602}}
        content = await self.ask(*self.tools[name], arguments)
        result = {"content": [], "structuredContent": content, "isError": False}
        return 200, {"jsonrpc": "2.0", "id": message["id"], "result": result}

    async def ask(self, method, path, arguments):
        if "--makes-up-answers" in sys.argv:
            return {"id": f"CUS-{arguments['mobile'][-5:]}"}
        url = urlsplit(self.upstream)
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        target, body = (path, json.dumps(arguments).encode())
        if method == "GET":
            target, body = f"{path}?{urlencode(arguments)}", b""
        head = f"{method} {target} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        _, answer = await read_message(reader)
        writer.close()
        return json.loads(answer)


async def read_message(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {
        key.lower(): value.strip() for key, _, value in (one.partition(":") for one in lines)
    }
    return (first, headers), await reader.readexactly(int(headers.get("content-length", 0)))


async def main():
    gateway = StandIn()

    async def serve(reader, writer):
        try:
            while True:
                (first, headers), body = await read_message(reader)
                method, path, _ = first.split(" ")
                status, answer = await gateway.answer(method, path, headers, body)
                raw = json.dumps(answer).encode()
                head = f"HTTP/1.1 {status} Status\r\ncontent-length: {len(raw)}\r\n\r\n"
                writer.write(head.encode() + raw)
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    root = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    data = Path(sys.argv[sys.argv.index("--data") + 1])
    (data / "admin.key").write_text(f"{ADMIN}\n")
    ready = {"mcp_url": f"{root}/mcp", "api_url": f"{root}/api", "admin_key_file": "admin.key"}
    (data / "ready.json").write_text(json.dumps({**ready, "pid": os.getpid()}))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
