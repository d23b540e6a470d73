"""A service that keeps every request as the bytes it came in, and answers as it is told."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Received:
    """One request as it came: nothing is decoded, header names keep their case."""

    line: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @property
    def target(self) -> str:
        """Path and query, encoded as they were."""
        return self.line.split(b" ")[1].decode("ascii")

    def header(self, name: str) -> bytes | None:
        """The value of `name`, which may come only once."""
        found = [value for key, value in self.headers if key.lower() == name.lower().encode()]
        assert len(found) <= 1
        return found[0] if found else None


Answer = Callable[[Callable[[bytes], None]], None]
"""Writes a response with what it is given; returning ends the connection."""


@dataclass
class Echo:
    """What came, and what is answered on which path; any other is answered with `{}`."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answers: dict[str, bytes | Answer] = field(default_factory=dict)
    closed: threading.Event = field(default_factory=threading.Event)
    """Set when a client hung up on an answer that was still being written."""

    def last(self, path: str) -> Received:
        """The last request, which must be to below `path`."""
        request = self.received[-1]
        assert request.target.startswith(path), request.line
        return request


def response(
    body: bytes, media_type: str = "application/json", status: str = "200 OK",
    **headers: str,
) -> bytes:  # fmt: skip
    """The bytes of a response; underscores in names of headers stand for dashes."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}"]
    lines += [f"content-type: {media_type}"] if media_type else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


@contextmanager
def echoing() -> Iterator[Echo]:
    """Serve on loopback, in threads of its own."""
    echo = Echo()

    class Handler(socketserver.StreamRequestHandler):
        timeout = 20

        def handle(self) -> None:
            while self._serve():
                pass

        def _serve(self) -> bool:
            line = self.rfile.readline().rstrip(b"\r\n")
            if not line:
                return False
            headers: list[tuple[bytes, bytes]] = []
            while header := self.rfile.readline().rstrip(b"\r\n"):
                name, _, value = header.partition(b": ")
                headers.append((name, value))
            lengths = [int(value) for name, value in headers if name.lower() == b"content-length"]
            body = self.rfile.read(lengths[0]) if lengths else b""
            echo.received.append(request := Received(line, headers, body))
            answer = echo.answers.get(request.target.partition("?")[0], response(b"{}"))
            if isinstance(answer, bytes):
                self.wfile.write(answer)
                return not answer.startswith(b"HTTP/1.0")
            try:
                answer(self._write)
            except OSError:
                echo.closed.set()
            return False

        def _write(self, data: bytes) -> None:
            self.wfile.write(data)
            self.wfile.flush()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        echo.url = f"http://127.0.0.1:{server.server_address[1]}"
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        try:
            yield echo
        finally:
            server.shutdown()
            serving.join(5)
