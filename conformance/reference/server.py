"""What the server has, and how it answers each method in each era."""

import asyncio
import json
import re

from conformance.reference.context import Ctx
from conformance.reference.shapes import S, elicit, res_block, text
from conformance.reference.tools import TOOLS
from conformance.reference.wire import (
    INFO,
    LEGACY,
    LOG_LEVELS,
    MODERN,
    PNG,
    TASKS,
    NeedInput,
    P,
    RpcError,
    seal,
)

CACHEABLE = {
    "server/discover",
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "resources/read",
}
RESOURCES = [
    {
        "uri": "test://static-text",
        "name": "static-text",
        "description": "Static text",
        "mimeType": "text/plain",
    },
    {
        "uri": "test://static-binary",
        "name": "static-binary",
        "description": "Static image",
        "mimeType": "image/png",
    },
    {
        "uri": "test://watched-resource",
        "name": "watched-resource",
        "description": "Changes",
        "mimeType": "text/plain",
    },
    {
        "uri": "ui://fixture/app.html",
        "name": "app",
        "description": "MCP App",
        "mimeType": "text/html;profile=mcp-app",
        "_meta": {"ui": {"csp": {}}},
    },
]
TEMPLATES = [
    {
        "uriTemplate": "test://template/{id}/data",
        "name": "template",
        "description": "By id",
        "mimeType": "application/json",
    }
]


def arg(name):
    return {"name": name, "description": name, "required": True}


PROMPTS = [
    {"name": "test_simple_prompt", "description": "Simple"},
    {
        "name": "test_prompt_with_arguments",
        "description": "With arguments",
        "arguments": [arg("arg1"), arg("arg2")],
    },
    {
        "name": "test_prompt_with_embedded_resource",
        "description": "Embedded",
        "arguments": [arg("resourceUri")],
    },
    {"name": "test_prompt_with_image", "description": "Image"},
    {"name": "test_input_required_result_prompt", "description": "MRTR prompt"},
]


class Server:
    def __init__(self, era="both", page=0):
        self.era, self.page, self.listeners, self.sessions, self.tasks = era, page, [], {}, {}

    # --- capability documents
    def caps(self, era):
        c = {
            "tools": {"listChanged": True},
            "prompts": {"listChanged": True},
            "resources": {"listChanged": True, "subscribe": True},
            "completions": {},
            "logging": {},
        }
        if era == "modern":
            c["extensions"] = {TASKS: {}, P + "ui": {"mimeTypes": ["text/html;profile=mcp-app"]}}
        return c

    def supported(self):
        return ([MODERN] if self.era != "legacy" else []) + (
            LEGACY[:3] if self.era != "modern" else []
        )

    async def changed(self, kind, key=None):
        for cb in list(self.listeners):
            await cb(kind, key)
        for s in list(self.sessions.values()):
            if kind in ("tools", "prompts"):
                await s.push({"jsonrpc": "2.0", "method": f"notifications/{kind}/list_changed"})
            elif kind == "resource" and key in s.subs:
                await s.push(
                    {
                        "jsonrpc": "2.0",
                        "method": "notifications/resources/updated",
                        "params": {"uri": key},
                    }
                )

    # --- dispatch
    async def call(self, c: Ctx):
        """Result dict for one request (raises RpcError)."""
        fn = self.table(c.era).get(c.method)
        if fn is None:
            raise RpcError(-32601, "Method not found", http=404)
        try:
            r = await fn(c)
        except NeedInput as n:
            if c.era == "legacy":
                raise RpcError(-32603, "input_required on a legacy session") from None
            r = {"resultType": "input_required", "inputRequests": n.requests}
            if n.state is not None:
                r["requestState"] = seal(n.state, c.bind)
        if c.era == "modern":
            r = {"resultType": "complete", **r}
            r["_meta"] = {P + "serverInfo": INFO, **(r.get("_meta") or {})}
            if c.method in CACHEABLE and r["resultType"] == "complete":
                r = {
                    "ttlMs": 5000,
                    "cacheScope": "private" if c.method == "resources/read" else "public",
                    **r,
                }
        return r

    def table(self, era):
        t = {
            "tools/list": self.tools_list,
            "tools/call": self.tools_call,
            "prompts/list": self.prompts_list,
            "prompts/get": self.prompts_get,
            "resources/list": self.resources_list,
            "resources/templates/list": self.templates_list,
            "resources/read": self.resources_read,
            "completion/complete": self.complete,
        }
        if era == "modern":
            return {
                **t,
                "server/discover": self.discover,
                "subscriptions/listen": self.listen,
                "tasks/get": self.task_get,
                "tasks/update": self.task_update,
                "tasks/cancel": self.task_cancel,
            }
        return {
            **t,
            "ping": self.empty,
            "logging/setLevel": self.set_level,
            "resources/subscribe": self.sub,
            "resources/unsubscribe": self.unsub,
        }

    async def discover(self, c):
        return {
            "supportedVersions": self.supported(),
            "capabilities": self.caps("modern"),
            "instructions": "Conformance fixture.",
        }

    async def empty(self, c):
        return {}

    def paged(self, c, key, items):
        cur = c.params.get("cursor")
        if cur is not None and not re.fullmatch(r"o\d+", str(cur)):
            raise RpcError(-32602, "Invalid cursor")
        start = int(cur[1:]) if cur else 0
        if not self.page:
            return {key: items}
        end = start + self.page
        return {key: items[start:end], **({"nextCursor": f"o{end}"} if end < len(items) else {})}

    async def tools_list(self, c):
        return self.paged(c, "tools", [d for d, _ in TOOLS.values()])

    async def tools_call(self, c):
        name = c.params.get("name")
        if name not in TOOLS:
            raise RpcError(-32602, f"Unknown tool: {name}")
        args = c.params.get("arguments") or {}
        missing = [k for k in TOOLS[name][0]["inputSchema"].get("required", []) if k not in args]
        if missing:
            return text(f"missing argument {missing[0]}", isError=True)
        return await TOOLS[name][1](c, args)

    async def prompts_list(self, c):
        return self.paged(c, "prompts", PROMPTS)

    async def prompts_get(self, c):
        name, a = c.params.get("name"), c.params.get("arguments") or {}
        msg = lambda content: {"role": "user", "content": content}
        t = lambda s: msg({"type": "text", "text": s})
        if name == "test_simple_prompt":
            m = [t("This is a simple prompt for testing.")]
        elif name == "test_prompt_with_arguments":
            m = [t(f"Prompt with arguments: arg1='{a.get('arg1')}', arg2='{a.get('arg2')}'")]
        elif name == "test_prompt_with_embedded_resource":
            m = [
                msg(
                    res_block(
                        a.get("resourceUri"), "text/plain", "Embedded resource content for testing."
                    )
                ),
                t("Please process the embedded resource above."),
            ]
        elif name == "test_prompt_with_image":
            m = [
                msg({"type": "image", "data": PNG, "mimeType": "image/png"}),
                t("Please analyze the image above."),
            ]
        elif name == "test_input_required_result_prompt":
            r = (
                await c.ask(
                    {"user_context": elicit("What context should the prompt use?", {"context": S})}
                )
            )["user_context"]
            m = [t(f"Use the following context: {(r.get('content') or {}).get('context')}")]
        else:
            raise RpcError(-32602, f"Unknown prompt: {name}")
        return {"messages": m}

    async def resources_list(self, c):
        return self.paged(c, "resources", RESOURCES)

    async def templates_list(self, c):
        return self.paged(c, "resourceTemplates", TEMPLATES)

    async def resources_read(self, c):
        uri = c.params.get("uri")
        one = lambda mime, **kw: {"contents": [{"uri": uri, "mimeType": mime, **kw}]}
        if uri == "test://static-text":
            return one("text/plain", text="This is the content of the static text resource.")
        if uri == "test://static-binary":
            return one("image/png", blob=PNG)
        if uri == "test://watched-resource":
            return one("text/plain", text="Watched resource content")
        if uri == "ui://fixture/app.html":
            return one("text/html;profile=mcp-app", text="<!doctype html><p>app</p>")
        if m := re.fullmatch(r"test://template/([^/]+)/data", str(uri)):
            return one(
                "application/json",
                text=json.dumps({"id": m[1], "templateTest": True, "data": f"Data for ID: {m[1]}"}),
            )
        raise RpcError(-32602 if c.era == "modern" else -32002, "Resource not found", {"uri": uri})

    async def complete(self, c):
        v = str((c.params.get("argument") or {}).get("value", ""))
        hits = [x for x in ("paris", "park", "party", "test") if x.startswith(v)]
        return {"completion": {"values": hits, "total": len(hits), "hasMore": False}}

    async def set_level(self, c):
        if c.params.get("level") not in LOG_LEVELS:
            raise RpcError(-32602, "Invalid log level")
        c.session.log_level = c.params["level"]
        return {}

    async def sub(self, c):
        c.session.subs.add(c.params.get("uri"))
        return {}

    async def unsub(self, c):
        c.session.subs.discard(c.params.get("uri"))
        return {}

    def need_tasks(self, c):
        if TASKS not in (c.caps.get("extensions") or {}):
            raise RpcError(
                -32021,
                "tasks extension required",
                {"requiredCapabilities": {"extensions": {TASKS: {}}}},
                http=400,
            )

    def find_task(self, c):
        self.need_tasks(c)
        t = self.tasks.get(c.params.get("taskId"))
        if t is None:
            raise RpcError(-32602, "Unknown taskId")
        return t

    async def task_get(self, c):
        return self.find_task(c).detail()

    async def task_update(self, c):
        t = self.find_task(c)
        for k, v in (c.params.get("inputResponses") or {}).items():
            if k in t.pending:
                t.answers[k] = v
                t.pending = {x: r for x, r in t.pending.items() if x != k}
        t.wake.set()
        return {}

    async def task_cancel(self, c):
        t = self.find_task(c)
        t.set(status="cancelled", pending={})
        t.job.cancel()
        return {}

    async def listen(self, c):
        f = c.params.get("notifications") or {}
        if f.get("taskIds"):
            self.need_tasks(c)
        ack = {
            k: True
            for k in ("toolsListChanged", "promptsListChanged", "resourcesListChanged")
            if f.get(k)
        }
        for k in ("resourceSubscriptions", "taskIds"):
            if f.get(k):
                ack[k] = f[k]
        tag = {P + "subscriptionId": c.rid}
        await c.notify(
            "notifications/subscriptions/acknowledged", {"_meta": tag, "notifications": ack}
        )
        done = asyncio.Event()

        async def on(kind, key):
            if kind in ("tools", "prompts", "resources") and ack.get(f"{kind}ListChanged"):
                await c.notify(f"notifications/{kind}/list_changed", {"_meta": tag})
            elif kind == "resource" and key in ack.get("resourceSubscriptions", ()):
                await c.notify("notifications/resources/updated", {"_meta": tag, "uri": key})
            elif kind == "task" and key in ack.get("taskIds", ()):
                await c.notify("notifications/tasks", {"_meta": tag, **self.tasks[key].detail()})
            elif kind == "shutdown":
                done.set()

        self.listeners.append(on)
        try:
            await done.wait()
        finally:
            self.listeners.remove(on)
        return {"_meta": tag}
