"""OPA: its own engine (`make opa` fetches it), behind the paths of its REST API.

As a program it is that server, or, with `evaluate`, an oracle: it reads a JSON array of modules and
writes what each one's `data.t.x` is. It runs apart: the engine brings the Go runtime with it.
"""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ENGINE = Path(__file__).parents[1] / "opa" / "engine"
SECONDS = 30.0


@dataclass
class Opa:
    """A running server."""

    url: str
    port: int

    def put_policy(self, name: str, source: str) -> None:
        """Load a module; fails where OPA refuses it."""
        self._put(f"/v1/policies/{name}", source.encode())

    def put_data(self, path: str, value: object) -> None:
        """Set `data.<path>`, with slashes."""
        self._put(f"/v1/data/{path}", json.dumps(value).encode())

    def decide(self, path: str, given: object) -> dict[str, Any]:
        """The whole answer about `data.<path>`."""
        return self._send("POST", f"/v1/data/{path}", json.dumps({"input": given}).encode())[1]

    def _put(self, path: str, body: bytes) -> None:
        status, answer = self._send("PUT", path, body)
        assert status == 200, answer

    def _send(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        connection.request(method, path, body)
        response = connection.getresponse()
        answer = json.loads(response.read())
        connection.close()
        return response.status, answer


@contextmanager
def opa_server(token: str = "") -> Iterator[Opa]:
    """A server of its own in a process of its own; with `token` it answers nobody else's POST."""
    from fakes.processes import running  # noqa: PLC0415 - not where this is the program

    needs_engine()
    with running(sys.executable, "-I", __file__, "serve", token) as child:
        child.wait_for("\n", SECONDS)
        found = re.search(r"listens on (\d+)\n", child.said)
        assert found, child.said
        yield Opa(f"http://127.0.0.1:{found[1]}", int(found[1]))


def answers_of(modules: Sequence[str]) -> list[Any]:
    """For each module `{"value": data.t.x}`, `{}` where that is undefined, or `{"error": why}`."""
    needs_engine()
    finished = subprocess.run(
        [sys.executable, "-I", __file__, "evaluate"],
        input=json.dumps(list(modules)).encode(),
        capture_output=True,
        timeout=2 * SECONDS,
        check=True,
    )
    return json.loads(finished.stdout)


def needs_engine() -> None:
    """Fail, saying what to do, where the engine was not fetched."""
    assert ENGINE.exists(), "OPA is not here: run `make opa`"


# What follows runs as the program.


@dataclass
class _Store:
    """Policies and data; the engine has no way to replace them, so each change makes a new one."""

    token: str = ""
    policies: dict[str, str] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    engine: Any = None

    def build(self, policies: dict[str, str], data: dict[str, Any]) -> None:
        from opa_bindings import OpaEngine  # noqa: PLC0415 - found in ENGINE

        engine = OpaEngine()
        for name, source in policies.items():
            engine.add_policy(name, source)
        if data:
            engine.add_data(data)
        self.engine, self.policies, self.data = engine, policies, data


def _merged(data: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """`data` with `value` at `path`."""
    head, _, rest = path.partition("/")
    inner = _merged(dict(data.get(head) or {}), rest, value) if rest else value
    return {**data, head: inner}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536
    store = _Store()

    def do_GET(self) -> None:
        self._answer(200 if self.path.startswith("/health") else 404, {})

    def do_PUT(self) -> None:
        from opa_bindings.engine import OpaError  # noqa: PLC0415

        body, store = self._body(), self.store
        with store.lock:
            try:
                if self.path.startswith("/v1/policies/"):
                    store.build({**store.policies, self.path[13:]: body.decode()}, store.data)
                else:
                    data = _merged(store.data, self.path[9:], json.loads(body))
                    store.build(store.policies, data)
            except OpaError as error:
                self._answer(400, {"code": "invalid_parameter", "message": str(error)})
            else:
                self._answer(200, {})

    def do_POST(self) -> None:
        from opa_bindings.engine import OpaError  # noqa: PLC0415

        body, store = self._body(), self.store
        if store.token and self.headers.get("authorization") != f"Bearer {store.token}":
            self._answer(401, {"code": "unauthorized", "message": "request rejected"})
            return
        given = json.loads(body or b"{}").get("input")
        with store.lock:
            try:
                path = self.path[9:].replace("/", ".")
                self._answer(200, {"result": store.engine.eval_document(path, given)})
            except OpaError as error:
                if error.code == "undefined":
                    self._answer(200, {})
                else:
                    self._answer(500, {"code": "internal_error", "message": str(error)})

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _answer(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def _serve(token: str) -> None:
    _Handler.store.token = token
    _Handler.store.build({}, {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(f"listens on {server.server_port}", flush=True)
    server.serve_forever()


def _evaluate() -> None:
    from opa_bindings import OpaEngine  # noqa: PLC0415
    from opa_bindings.engine import OpaError  # noqa: PLC0415

    answers: list[dict[str, Any]] = []
    for module in json.load(sys.stdin):
        engine = OpaEngine()
        try:
            engine.add_policy("t.rego", module)
            answers.append({"value": engine.eval_document("t.x", {})})
        except OpaError as error:
            answers.append({} if error.code == "undefined" else {"error": str(error)})
        engine.close()
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    sys.path.insert(0, str(ENGINE))
    if sys.argv[1] == "serve":
        _serve(sys.argv[2])
    else:
        _evaluate()
