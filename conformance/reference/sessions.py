"""Requests of the stateless era one by one, and sessions of the other with their streams."""

import asyncio
import json
import secrets

from conformance.reference.context import Ctx
from conformance.reference.wire import INFO, LEGACY, MODERN, P, RpcError


class Stream:
    """A legacy SSE stream: an event log that outlives its HTTP connection (resumability)."""

    def __init__(self, sid):
        self.sid, self.events, self.closed, self.dropped, self.cond = (
            sid,
            [],
            False,
            0,
            asyncio.Condition(),
        )

    async def put(self, msg, last=False):
        async with self.cond:
            self.events.append(msg)
            self.closed = self.closed or last
            self.cond.notify_all()

    def drop(self):  # close the connection, keep the stream
        self.dropped += 1
        asyncio.get_running_loop().create_task(self._wake())

    async def _wake(self):
        async with self.cond:
            self.cond.notify_all()

    async def read(self, start=0, epoch=None):
        i, epoch = start, self.dropped if epoch is None else epoch
        while True:
            async with self.cond:
                while i >= len(self.events) and not self.closed and self.dropped == epoch:
                    await self.cond.wait()
                batch, end = self.events[i:], self.closed
                cut = self.dropped != epoch
            for m in batch:
                i += 1
                yield f"id: {self.sid}_{i}\nevent: message\ndata: {json.dumps(m)}\n\n"
            if end or cut:
                return


class Session:
    def __init__(self, srv):
        self.srv, self.id, self.version, self.caps, self.log_level = (
            srv,
            secrets.token_hex(16),
            LEGACY[0],
            {},
            "debug",
        )
        self.subs, self.pending, self.streams, self.jobs, self.n = set(), {}, {}, {}, 0
        self.standalone = None

    def stream(self):
        s = Stream(f"s{len(self.streams)}")
        self.streams[s.sid] = s
        return s

    async def push(self, msg):
        if self.standalone:
            await self.standalone.put(msg)

    async def request(self, method, params, emit):
        self.n += 1
        rid = f"srv-{self.n}"
        fut = self.pending[rid] = asyncio.get_running_loop().create_future()
        await emit(
            {
                "jsonrpc": "2.0",
                "id": rid,
                "method": method,
                **({"params": params} if params else {}),
            }
        )
        msg = await asyncio.wait_for(fut, 30)
        if "error" in msg:
            raise RpcError(
                msg["error"].get("code", -32603), f"client error: {msg['error'].get('message')}"
            )
        return msg["result"]

    def reply(self, msg):
        fut = self.pending.pop(msg.get("id"), None)
        if fut and not fut.done():
            fut.set_result(msg)

    def initialize(self, params):
        v = params.get("protocolVersion")
        self.version = v if v in LEGACY else LEGACY[0]
        self.caps = params.get("capabilities") or {}
        return {
            "protocolVersion": self.version,
            "capabilities": self.srv.caps("legacy"),
            "serverInfo": INFO,
            "instructions": "Conformance fixture.",
        }

    async def run(self, msg, emit):
        """Handle one legacy request; emit its response."""
        rid = msg.get("id")
        try:
            if msg["method"] == "initialize":
                r = self.initialize(msg.get("params") or {})
            else:
                r = await self.srv.call(
                    Ctx(
                        self.srv,
                        "legacy",
                        self.version,
                        msg["method"],
                        msg.get("params") or {},
                        rid,
                        self.caps,
                        emit,
                        self,
                    )
                )
            out = {"jsonrpc": "2.0", "id": rid, "result": r}
        except RpcError as e:
            out = {"jsonrpc": "2.0", "id": rid, "error": e.body()}
        except asyncio.CancelledError:
            out = {
                "jsonrpc": "2.0",
                "id": rid,
                "error": {"code": 0, "message": "Request cancelled"},
            }
        except Exception as e:  # the edge: whatever a tool does, its caller gets an answer
            out = {"jsonrpc": "2.0", "id": rid, "error": {"code": -32603, "message": repr(e)}}
        await emit(out, last=True)

    def notification(self, msg):
        if msg.get("method") == "notifications/cancelled":
            job = self.jobs.pop((msg.get("params") or {}).get("requestId"), None)
            if job:
                job.cancel()


async def modern_run(srv, msg, emit):
    """One modern request -> its final message (never raises)."""
    params = msg.get("params") or {}
    meta = params.get("_meta") or {}
    rid, status = msg.get("id"), 200
    try:
        c = Ctx(
            srv,
            "modern",
            MODERN,
            msg["method"],
            params,
            rid,
            meta.get(P + "clientCapabilities"),
            emit,
        )
        out = {"jsonrpc": "2.0", "id": rid, "result": await srv.call(c)}
    except RpcError as e:
        out, status = {"jsonrpc": "2.0", "id": rid, "error": e.body()}, e.http
    except Exception as e:  # the edge, as above
        out = {"jsonrpc": "2.0", "id": rid, "error": {"code": -32603, "message": repr(e)}}
    return out, status


def check_meta(srv, msg):
    meta = (msg.get("params") or {}).get("_meta") or {}
    v = meta.get(P + "protocolVersion")
    if not isinstance(v, str):
        raise RpcError(-32602, f"missing _meta {P}protocolVersion", http=400)
    if v != MODERN:
        raise RpcError(
            -32022,
            "Unsupported protocol version",
            {"supported": srv.supported(), "requested": v},
            http=400,
        )
    if not isinstance(meta.get(P + "clientCapabilities"), dict):
        raise RpcError(-32602, f"missing _meta {P}clientCapabilities", http=400)
    return meta
