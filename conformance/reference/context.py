"""One request as a tool sees it: the two eras look the same from there."""

import asyncio
import json

from conformance.reference.wire import LOG_LEVELS, NeedInput, P, RpcError, unseal


class Ctx:
    """One request. `notify` and `ask` hide the era from the tool."""

    def __init__(self, srv, era, version, method, params, rid, caps, emit, session=None):
        self.srv, self.era, self.version, self.method, self.params, self.rid = (
            srv,
            era,
            version,
            method,
            params,
            rid,
        )
        self.caps, self.emit, self.session = caps or {}, emit, session
        self.meta = params.get("_meta") or {}
        self.bind = method + json.dumps(
            [params.get("name"), params.get("uri"), params.get("arguments")], sort_keys=True
        )
        self.responses = params.get("inputResponses")
        self.state = None
        if era == "modern" and params.get("requestState") is not None:
            self.state = unseal(params["requestState"], self.bind)

    async def notify(self, method, params):
        await self.emit({"jsonrpc": "2.0", "method": method, "params": params})

    async def log(self, level, data):
        want = (
            self.meta.get(P + "logLevel")
            if self.era == "modern"
            else (self.session.log_level if self.session else "debug")
        )
        if want in LOG_LEVELS and LOG_LEVELS.index(level) >= LOG_LEVELS.index(want):
            await self.notify(
                "notifications/message", {"level": level, "logger": "fixture", "data": data}
            )

    async def progress(self, p, total, msg):
        tok = self.meta.get("progressToken")
        if tok is not None:
            await self.notify(
                "notifications/progress",
                {"progressToken": tok, "progress": p, "total": total, "message": msg},
            )

    def has(self, cap):
        return cap in self.caps

    def allowed(self, req):
        return self.has(
            {
                "elicitation/create": "elicitation",
                "sampling/createMessage": "sampling",
                "roots/list": "roots",
            }[req["method"]]
        )

    async def ask(self, reqs, state=None):
        """What the client says: by input_required, or by requests to it, as its era has it."""
        for r in reqs.values():
            if not self.allowed(r):
                cap = {"e": "elicitation", "s": "sampling", "r": "roots"}[r["method"][0]]
                raise RpcError(
                    -32021 if self.era == "modern" else -32602,
                    f"client capability {cap!r} is required",
                    {"requiredCapabilities": {cap: {}}},
                    http=400,
                )
        if self.era == "modern":
            got = self.responses if isinstance(self.responses, dict) else {}
            bad = [k for k in reqs if k in got and not isinstance(got[k], dict)]
            if bad:
                raise RpcError(-32602, f"inputResponses.{bad[0]} is not an object")
            if all(k in got for k in reqs):
                return {k: got[k] for k in reqs}
            raise NeedInput(reqs, state)

        async def one(r):
            params = dict(r.get("params") or {})
            if self.version != "2025-11-25":
                params.pop("mode", None)
            return await self.session.request(r["method"], params, self.emit)

        return dict(
            zip(reqs, await asyncio.gather(*(one(r) for r in reqs.values())), strict=True)
        )  # all at once: a bridge can coalesce
