"""The server on standard input and output."""

import asyncio
import json
import sys

from conformance.reference.server import Server
from conformance.reference.sessions import Session, check_meta, modern_run
from conformance.reference.wire import MODERN, P, RpcError


async def stdio(srv: Server):
    """Serve until the input ends."""
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader(limit=2**26)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    channel = Channel(srv)
    while line := await reader.readline():
        try:
            msg = json.loads(line)
        except ValueError:
            error = {"code": -32700, "message": "Parse error"}
            await channel.emit({"jsonrpc": "2.0", "error": error})
            continue
        await channel.take(msg)


class Channel:
    """One pair of pipes, and the session on it where the client began one."""

    def __init__(self, srv):
        self.srv, self.session, self.jobs = srv, None, {}

    async def emit(self, m, last=False):
        sys.stdout.write(json.dumps(m) + "\n")
        sys.stdout.flush()

    async def take(self, msg):
        params = msg.get("params") if isinstance(msg.get("params"), dict) else {}
        if "method" not in msg:
            if self.session:
                self.session.reply(msg)
        elif "id" not in msg:
            job = self.jobs.pop(params.get("requestId"), None)
            if job and msg["method"] == "notifications/cancelled":
                job.cancel()
        elif self.srv.era != "legacy" and P + "protocolVersion" in (params.get("_meta") or {}):
            self.jobs[msg["id"]] = asyncio.create_task(self.modern(msg))
        elif self.srv.era == "modern":
            data = {"supported": [MODERN], "requested": params.get("protocolVersion", "")}
            await self.refuse(msg, RpcError(-32022, "Unsupported protocol version", data))
        else:
            await self.legacy(msg)

    async def modern(self, msg):
        try:
            check_meta(self.srv, msg)
            await self.emit((await modern_run(self.srv, msg, self.emit))[0])
        except RpcError as e:
            await self.refuse(msg, e)

    async def legacy(self, msg):
        if msg["method"] == "initialize":
            self.session = Session(self.srv)
            self.session.push = self.emit
            self.srv.sessions = {self.session.id: self.session}
            await self.session.run(msg, self.emit)
        elif self.session is None:
            await self.refuse(msg, RpcError(-32601, "Method not found (not initialized)"))
        else:
            self.jobs[msg["id"]] = asyncio.create_task(self.session.run(msg, self.emit))

    async def refuse(self, msg, error):
        await self.emit({"jsonrpc": "2.0", "id": msg["id"], "error": error.body()})
