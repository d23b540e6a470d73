"""Tools that run as tasks (the extension io.modelcontextprotocol/tasks)."""

import asyncio
import json
import secrets
from datetime import UTC, datetime

from conformance.reference.shapes import S, elicit, obj, text
from conformance.reference.tools import NAME, tool
from conformance.reference.wire import TASKS, RpcError


class Task:
    def __init__(self, server, coro_fn):
        self.server = server
        self.id, self.status, self.created = secrets.token_urlsafe(18), "working", now()
        self.updated, self.result, self.error, self.pending, self.answers = (
            self.created,
            None,
            None,
            {},
            {},
        )
        self.wake = asyncio.Event()
        self.job = asyncio.create_task(self._run(coro_fn))

    def set(self, **kw):
        if self.status in ("completed", "failed", "cancelled"):
            return
        self.__dict__.update(kw)
        self.updated = now()
        asyncio.get_running_loop().create_task(self.server.changed("task", self.id))

    async def _run(self, fn):
        try:
            self.set(result=await fn(self), status="completed")
        except RpcError as e:
            self.set(error=e.body(), status="failed")
        except asyncio.CancelledError:
            pass

    async def input(self, reqs):
        self.set(
            pending={f"{k}-{secrets.token_hex(4)}": r for k, r in reqs.items()},
            status="input_required",
        )
        keys = {k.rsplit("-", 1)[0]: k for k in self.pending}
        while self.pending:
            await self.wake.wait()
            self.wake.clear()
        self.set(status="working")
        return {k: self.answers[v] for k, v in keys.items()}

    def head(self):
        return {
            "taskId": self.id,
            "status": self.status,
            "createdAt": self.created,
            "lastUpdatedAt": self.updated,
            "ttlMs": 600000,
            "pollIntervalMs": 100,
        }

    def detail(self):
        d = self.head()
        if self.status == "completed":
            d["result"] = {"resultType": "complete", **self.result}
        if self.status == "failed":
            d["error"] = self.error
        if self.status == "input_required":
            d["inputRequests"] = self.pending
        return d


def now():
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def task_tool(name, desc, schema=None, required=False, ask=None):
    """A tool that is a task for who knows tasks, else runs inline; `required` refuses instead."""

    def deco(fn):
        @tool(name, desc, schema)
        async def run(c, a):
            if c.era == "modern" and TASKS in (c.caps.get("extensions") or {}):
                pre = await ask(c) if ask else None
                t = Task(c.srv, lambda task: fn(task, a, pre))
                c.srv.tasks[t.id] = t
                return {"resultType": "task", **t.head()}
            if required:
                raise RpcError(
                    -32021,
                    "tasks extension required",
                    {"requiredCapabilities": {"extensions": {TASKS: {}}}},
                    http=400,
                )
            return await fn(None, a, await ask(c) if ask else None)

        return fn

    return deco


@tool("greet", "Greets, synchronously", obj({"name": S}))
async def _(c, a):
    return text(f"Hello, {a.get('name')}!")


@task_tool("slow_compute", "Sleeps, then answers", obj({"seconds": {"type": "number"}, "label": S}))
async def _(t, a, pre):
    # As long as its caller asks for.
    await asyncio.sleep(min(float(a.get("seconds", 0)), 60) if t else 0)
    return text(f"computed {a.get('label')}")


@task_tool("failing_job", "Always a tool error", required=True)
async def _(t, a, pre):
    await asyncio.sleep(0.3)  # long enough to be polled meanwhile
    return text("job failed", isError=True)


@task_tool("protocol_error_job", "Always a protocol error")
async def _(t, a, pre):
    await asyncio.sleep(0.1)  # long enough to be polled meanwhile
    raise RpcError(-32603, "internal failure")


@task_tool("confirm_delete", "Asks before deleting", obj({"filename": S}), required=True)
async def _(t, a, pre):
    r = (
        await t.input(
            {"confirm": elicit(f"Delete {a.get('filename')}?", {"confirm": {"type": "boolean"}})}
        )
    )["confirm"]
    return text("deleted" if (r.get("content") or {}).get("confirm") else "kept")


@task_tool("multi_input", "Two questions at once", required=True)
async def _(t, a, pre):
    r = await t.input({"a": elicit("First?", {"v": S}), "b": elicit("Second?", {"v": S})})
    return text(json.dumps(sorted(r)))


@task_tool(
    "test_tool_with_task",
    "MRTR first, then a task",
    required=True,
    ask=lambda c: c.ask({"user_name": elicit("Name?", NAME)}, state="pre"),
)
async def _(t, a, pre):
    return text(f"Hello from the task, {(pre['user_name'].get('content') or {}).get('name')}")
