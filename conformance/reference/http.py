"""The server over Streamable HTTP in both eras, and over HTTP with SSE."""

import asyncio
import base64
import contextlib
import json
import re

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from conformance.reference.server import Server
from conformance.reference.sessions import Session, check_meta, modern_run
from conformance.reference.tools import TOOLS
from conformance.reference.wire import LEGACY, SEEN, P, RpcError


def decode_header(v):
    if v.startswith("=?base64?") and v.endswith("?="):
        try:
            return base64.b64decode(v[9:-2], validate=True).decode("utf-8")
        except ValueError:
            raise RpcError(-32020, "Header mismatch: invalid base64 value", http=400) from None
    return v


def mirrored(schema, args, path=()):
    for k, s in (schema.get("properties") or {}).items():
        v = args.get(k) if isinstance(args, dict) else None
        if "x-mcp-header" in s:
            yield s["x-mcp-header"], v, s.get("type")
        elif s.get("type") == "object":
            yield from mirrored(s, v if isinstance(v, dict) else {}, path + (k,))


def check_headers(h, msg):
    params, method = msg.get("params") or {}, msg["method"]
    bad = lambda m: RpcError(-32020, "Header mismatch: " + m, http=400)
    meta_v = (params.get("_meta") or {}).get(P + "protocolVersion")
    hv = h.get("mcp-protocol-version")
    if hv is None:
        raise bad("MCP-Protocol-Version is missing")
    if meta_v is not None and meta_v != hv:
        raise bad("MCP-Protocol-Version differs from _meta")
    if h.get("mcp-method") != method:
        raise bad("Mcp-Method")
    want = {
        "tools/call": "name",
        "prompts/get": "name",
        "resources/read": "uri",
        "tasks/get": "taskId",
        "tasks/update": "taskId",
        "tasks/cancel": "taskId",
    }.get(method)
    if want:
        got = h.get("mcp-name")
        if got is None or decode_header(got.strip()) != params.get(want):
            raise bad("Mcp-Name")
    if method == "tools/call" and params.get("name") in TOOLS:
        for name, v, typ in mirrored(
            TOOLS[params["name"]][0]["inputSchema"], params.get("arguments") or {}
        ):
            got = h.get("mcp-param-" + name.lower())
            if v is None:
                continue
            exp = ("true" if v else "false") if isinstance(v, bool) else str(v)
            if got is None:
                raise bad(f"Mcp-Param-{name} is missing")
            got = decode_header(got.strip())
            same = got == exp
            if typ == "integer" and not same:
                with contextlib.suppress(ValueError):
                    same = float(got) == float(exp)
            if not same:
                raise bad(f"Mcp-Param-{name}")


SSE_HEADERS = {"X-Accel-Buffering": "no", "Cache-Control": "no-cache"}


def err(rid, e: RpcError, status=None):
    b = {"jsonrpc": "2.0", "error": e.body()}
    if rid is not None:
        b["id"] = rid
    return JSONResponse(b, status or e.http)


class Front:
    """The paths of one server; `bearer` is the token it asks for, if any."""

    def __init__(self, srv, bearer=None):
        self.srv = srv
        self.bearer = bearer

    def guard(self, req):
        ok = lambda u: re.fullmatch(r"(https?://)?(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", u or "")
        if not ok(req.headers.get("host")) or (
            "origin" in req.headers and not ok(req.headers["origin"])
        ):
            return err(None, RpcError(-32600, "Origin or Host not allowed"), 403)
        if self.bearer and req.headers.get("authorization") != f"Bearer {self.bearer}":
            return Response(
                status_code=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}
            )
        return None

    async def mcp(self, req):
        if r := self.guard(req):
            return r
        if req.method != "POST":
            return await self.legacy_stream(req)
        raw = await req.body()
        try:
            msg = json.loads(raw)
            assert isinstance(msg, dict)
        except (ValueError, AssertionError):
            return err(None, RpcError(-32700, "Parse error"), 400)
        SEEN.append({"headers": dict(req.headers), "body": msg})
        hv = req.headers.get("mcp-protocol-version")
        meta = ((msg.get("params") or {}) if isinstance(msg.get("params"), dict) else {}).get(
            "_meta"
        ) or {}
        modern = P + "protocolVersion" in meta or (hv is not None and hv not in LEGACY)
        if modern and self.srv.era != "legacy":
            return await self.modern_post(req, msg)
        if self.srv.era == "modern":
            e = RpcError(
                -32022,
                "Unsupported protocol version",
                {
                    "supported": self.srv.supported(),
                    "requested": (msg.get("params") or {}).get(
                        "protocolVersion", hv or "2025-03-26"
                    ),
                },
            )
            return err(msg.get("id"), e, 400)
        return await self.legacy_post(req, msg, hv)

    async def modern_post(self, req, msg):
        rid = msg.get("id")
        if "method" not in msg:
            return err(None, RpcError(-32600, "Responses are not accepted"), 400)
        if "id" not in msg:
            return Response(status_code=202)
        try:
            check_headers(req.headers, msg)
            check_meta(self.srv, msg)
        except RpcError as e:
            return err(rid, e)
        q: asyncio.Queue = asyncio.Queue()

        async def emit(m, last=False):
            await q.put((m, None))

        async def work():
            await q.put(await modern_run(self.srv, msg, emit))

        job = asyncio.create_task(work())

        async def watch():  # client closed the connection == cancel
            while not await req.is_disconnected():
                await asyncio.sleep(0.1)  # nothing tells of a client that left but asking
            job.cancel()
            await q.put((None, 499))

        w = asyncio.create_task(watch())
        try:
            first = await q.get()
        finally:
            w.cancel()
        if first[0] is None:
            return Response(status_code=499)
        if first[1] is not None:
            return JSONResponse(first[0], first[1])

        async def body():
            item = first
            try:
                while True:
                    yield f"event: message\ndata: {json.dumps(item[0])}\n\n"
                    if item[1] is not None:
                        return
                    while True:
                        try:
                            item = await asyncio.wait_for(q.get(), 15)
                            break
                        except TimeoutError:
                            yield ": keep-alive\n\n"
            finally:
                job.cancel()

        return StreamingResponse(body(), media_type="text/event-stream", headers=SSE_HEADERS)

    def session_of(self, req):
        sid = req.headers.get("mcp-session-id")
        if sid is None:
            return None, err(
                None, RpcError(-32000, "Bad Request: Mcp-Session-Id header is required"), 400
            )
        if sid not in self.srv.sessions:
            return None, err(None, RpcError(-32001, "Session not found"), 404)
        return self.srv.sessions[sid], None

    async def legacy_post(self, req, msg, hv):
        if msg.get("method") == "initialize" and "id" in msg:
            s = Session(self.srv)
            self.srv.sessions[s.id] = s
            r = s.initialize(msg.get("params") or {})
            return JSONResponse(
                {"jsonrpc": "2.0", "id": msg["id"], "result": r}, headers={"Mcp-Session-Id": s.id}
            )
        s, e = self.session_of(req)
        if e:
            return e
        if hv is not None and hv not in LEGACY:
            return err(
                msg.get("id"),
                RpcError(-32600, f"Bad Request: Unsupported protocol version: {hv}"),
                400,
            )
        if "method" not in msg:
            s.reply(msg)
            return Response(status_code=202)
        if "id" not in msg:
            s.notification(msg)
            return Response(status_code=202)
        st = s.stream()

        async def emit(m, last=False):
            await st.put(m, last)

        emit.stream = st
        job = asyncio.create_task(
            s.run(msg, emit)
        )  # a dropped connection is NOT a cancel on this wire
        s.jobs[msg["id"]] = job
        job.add_done_callback(lambda _: s.jobs.pop(msg["id"], None))

        async def body():
            yield f"id: {st.sid}_0\nretry: 100\ndata: \n\n"
            async for ev in st.read(epoch=0):
                yield ev

        return StreamingResponse(
            body(), media_type="text/event-stream", headers={**SSE_HEADERS, "Mcp-Session-Id": s.id}
        )

    async def legacy_stream(self, req):
        if self.srv.era == "modern":
            return Response(status_code=405, headers={"Allow": "POST"})
        s, e = self.session_of(req)
        if e:
            return e
        if req.method == "DELETE":
            del self.srv.sessions[s.id]
            return Response(status_code=204)
        last = req.headers.get("last-event-id")
        if last:
            sid, _, n = last.rpartition("_")
            if sid not in s.streams:
                return err(None, RpcError(-32600, "Unknown event id"), 400)
            st, start = s.streams[sid], int(n)
        else:
            if s.standalone:
                s.standalone.closed = True
                await s.standalone._wake()
            st, start = s.stream(), 0
            s.standalone = st

        async def body():
            if not last:
                yield f"id: {st.sid}_0\nretry: 100\ndata: \n\n"
            async for ev in st.read(start):
                yield ev

        return StreamingResponse(
            body(), media_type="text/event-stream", headers={**SSE_HEADERS, "Mcp-Session-Id": s.id}
        )

    # --- HTTP+SSE (2024-11-05)
    async def sse(self, req):
        if r := self.guard(req):
            return r
        s = Session(self.srv)
        self.srv.sessions[s.id] = s
        s.standalone = st = s.stream()

        async def body():
            yield f"event: endpoint\ndata: /messages?sid={s.id}\n\n"
            try:
                async for ev in st.read():
                    yield ev
            finally:
                self.srv.sessions.pop(s.id, None)

        return StreamingResponse(body(), media_type="text/event-stream", headers=SSE_HEADERS)

    async def messages(self, req):
        s = self.srv.sessions.get(req.query_params.get("sid", ""))
        if s is None:
            return Response(status_code=404)
        msg = await req.json()
        SEEN.append({"headers": dict(req.headers), "body": msg})
        if "method" not in msg:
            s.reply(msg)
        elif "id" not in msg:
            s.notification(msg)
        else:

            async def emit(m, last=False):
                await s.standalone.put(m)

            s.jobs[msg["id"]] = asyncio.create_task(s.run(msg, emit))
        return Response("Accepted", status_code=202)

    async def seen(self, req):
        out = list(SEEN)
        if req.query_params.get("clear"):
            SEEN.clear()
        return JSONResponse(out)


def build_app(srv: Server, bearer=None):
    """The server as an ASGI application."""
    front = Front(srv, bearer)
    routes = [
        Route("/mcp", front.mcp, methods=["GET", "POST", "DELETE"]),
        Route("/_seen", front.seen),
    ]
    if srv.era != "modern":
        routes += [
            Route("/sse", front.sse),
            Route("/messages", front.messages, methods=["POST"]),
        ]
    return Starlette(routes=routes)
