"""A service in front of another: it passes requests on, keeps them, and holds answers back."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that came; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass
class Detour:
    """`url` is where it is. What `answers` has, by path, is said; the rest is asked of `target`."""

    target: str = ""
    answers: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    _held: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _released: threading.Event = field(default_factory=threading.Event)
    _holds: bool = False

    def hold(self) -> None:
        """Have the answer to the next POST wait until `release`, though it was done."""
        self._holds = True
        self._released.clear()

    def await_held(self, seconds: float = 10.0) -> None:
        """Wait until an answer is held."""
        assert self._held.acquire(timeout=seconds), "no POST came"

    def release(self) -> None:
        """Let go of every answer."""
        self._released.set()

    def posts(self) -> list[Asked]:
        """What came that may have changed something."""
        return [one for one in self.asked if one.method == "POST"]

    def answer(self, asked: Asked, body: bytes) -> tuple[int, str, bytes]:
        """Status, content type and body for a request."""
        self.asked.append(asked)
        if asked.path in self.answers:
            found: tuple[int, str, bytes] = (200, *self.answers[asked.path])
        else:
            found = self._pass_on(asked, body)
        if asked.method == "POST" and self._holds:
            self._holds = False
            self._held.release()
            assert self._released.wait(60), "nobody released the answer"
        return found

    def _pass_on(self, asked: Asked, body: bytes) -> tuple[int, str, bytes]:
        kept = ("content-type", "accept", "idempotency-key")
        headers = {name: asked.headers[name] for name in kept if name in asked.headers}
        with httpx2.Client(trust_env=False, timeout=10) as client:
            url = f"{self.target}{asked.path}"
            answer = client.request(asked.method, url, headers=headers, content=body)
        return answer.status_code, answer.headers["content-type"], answer.content


class _Handler(BaseHTTPRequestHandler):
    detour: Detour

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        status, kind, content = self.detour.answer(Asked(self.command, self.path, headers), body)
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def detouring(target: str = "") -> Iterator[Detour]:
    """Run one on loopback for as long as the block."""
    detour = Detour(target)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"detour": detour}))
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign] - a killed caller is no news
    detour.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield detour
    finally:
        detour.release()
        server.shutdown()
        thread.join(10)
        server.server_close()
