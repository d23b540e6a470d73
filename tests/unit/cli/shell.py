"""A shell for tests: commands of the product run in this process, their streams kept apart."""

import asyncio
import io
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import pytest

from bascule.app.instance import open_local
from bascule.cli.main import main
from bascule.settings.loading import load
from fakes.instances import tool_call


class Stream(io.StringIO):
    """A stream that may be a terminal."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._terminal


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """Its result as JSON; fails where it had none, or had anything else to say."""
        assert (self.code, self.err) == (0, "")
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The one JSON error on stderr; fails where anything was printed beside it."""
        assert self.code != 0
        assert self.out == ""
        body = json.loads(self.err)
        assert body.keys() == {"error"}
        assert {"message", "details"} <= body["error"].keys()
        return body["error"]


def run(
    *arguments: str | Path,
    terminal: bool = False,
    stdin: bytes = b"",
    environ: Mapping[str, str] | None = None,
) -> Ended:
    """Run a command to its end; `terminal` makes both its output streams one of 100 columns."""
    out, err = Stream(terminal=terminal), Stream(terminal=terminal)
    code: object = 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["bascule", *(str(one) for one in arguments)])
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        patch.setenv("COLUMNS", "100")
        patch.setenv("TERM", "xterm")
        for name, value in (environ or {}).items():
            patch.setenv(name, value)
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
    assert isinstance(code, int)
    return Ended(int(code), out.getvalue(), err.getvalue())


@contextmanager
def answering(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """A service on loopback, for as long as the block; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


class Quiet(BaseHTTPRequestHandler):
    """A handler that writes no log."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def reply(
        self, body: bytes, status: int = 200, kind: str = "application/json", **headers: str
    ) -> None:
        """Answer with `body`."""
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


class Service(Quiet):
    """The API behind the tools: it echoes, lists, speaks plain text, and fails."""

    def do_POST(self) -> None:
        """Echo the body."""
        self.reply(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")

    def do_GET(self) -> None:
        """Answer as the path asks."""
        if self.path == "/text":
            self.reply(b"first line\nsecond line\x1b[2J", kind="text/plain")
        elif self.path == "/rows":
            rows = [{"id": 1, "name": "a"}, {"id": 2, "tags": ["x", "y"], "place": {"lat": 1}}]
            self.reply(json.dumps(rows).encode())
        elif self.path == "/nothing":
            self.reply(b"", status=204)
        else:
            self.reply(b'{"detail": "out of order"}', status=500)


def _operation(name: str, **members: Any) -> dict[str, Any]:
    answer = {"description": "ok"}
    return {"operationId": name, "summary": f"Does {name}", "responses": {"200": answer}, **members}


_FIELDS: dict[str, Any] = {
    "text": {"type": "string"},
    "count": {"type": "integer"},
    "ratio": {"type": "number"},
    "flag": {"type": "boolean"},
    "list": {"type": "array", "items": {"type": "string"}},
    "either": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    "maybe": {"type": ["integer", "null"]},
    "level": {"enum": [1, 2, 3]},
}


def document(url: str) -> bytes:
    """The OpenAPI document of `Service` at `url`."""
    body = {"type": "object", "properties": _FIELDS, "additionalProperties": False}
    content = {"application/json": {"schema": body}}
    paths: dict[str, Any] = {
        f"/{name}": {"get": _operation(name)} for name in ("text", "rows", "nothing", "broken")
    }
    paths["/echo"] = {"post": _operation("echo", requestBody={"content": content})}
    return json.dumps(
        {
            "openapi": "3.1.0",
            "info": {"title": "Service", "version": "1.0"},
            "servers": [{"url": url}],
            "paths": paths,
        }
    ).encode()


async def prepare(data: Path, url: str) -> str:
    """An instance on `data`, as the tests find it; gives the key of its user ann.

    It has the tools of the service, which users may call, and two calls in its journal: of `rows`
    by its owner, and one of `echo` by ann that failed.
    """
    data.mkdir(mode=0o700)
    async with open_local(load(None, {}), data) as (app, key):
        transport = httpx2.ASGITransport(app)
        headers = {"authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient(
            base_url="http://127.0.0.1", transport=transport, headers=headers
        ) as client:
            done = [
                await client.post(
                    "/api/admin/openapi",
                    files={"file": ("openapi.json", document(url))},
                    data={"bundle_id": "service", "auto_publish": "true"},
                ),
                await client.post(
                    "/api/admin/policies",
                    json={"name": "users call", "effect": "allow", "roles": ["user"]},
                ),
                await client.post("/api/admin/keys", json={"name": "ann", "roles": ["user"]}),
            ]
            user_key = done[-1].json()["key"]
            done.append(await client.post("/mcp", **tool_call("rows", {})))
            client.headers["authorization"] = f"Bearer {user_key}"
            done.append(await client.post("/mcp", **tool_call("echo", {"odd": 1})))
    assert all(response.is_success for response in done), [response.text for response in done]
    return user_key


def prepare_now(data: Path, url: str) -> str:
    """As `prepare`, where no event loop runs."""
    return asyncio.run(prepare(data, url))
