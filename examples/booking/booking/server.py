"""Listening, announcing the address, and stopping when the parent goes."""

import json
import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import uvicorn
from fastapi import FastAPI

DRAIN_SECONDS = 5
STDIN = 0


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one. Raises OSError where it cannot listen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def read_url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def announce(ready_file: Path | None, url: str) -> None:
    """Write the address to `ready_file`, where there is one; a reader never sees half of it."""
    if ready_file is not None:
        draft = ready_file.with_name(f"{ready_file.name}.{os.getpid()}")
        draft.write_text(json.dumps({"url": url, "pid": os.getpid()}), "utf-8")
        draft.replace(ready_file)


def withdraw(ready_file: Path | None) -> None:
    """Remove what `announce` wrote."""
    if ready_file is not None:
        ready_file.unlink(missing_ok=True)


class Server(uvicorn.Server):
    """Says that it serves once signals stop it in order, and not in the middle of its start."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._say_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._say_started()


def serve(
    app: FastAPI, listener: socket.socket, *, exit_with_stdin: bool, started: Callable[[], None]
) -> None:
    """Serve until a signal, or until stdin ends; requests under way get DRAIN_SECONDS."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_level="warning",
        # Query strings carry mobile numbers; they do not belong in a log.
        access_log=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    server = Server(config, started)
    if exit_with_stdin:
        threading.Thread(target=_stop_at_end_of_stdin, args=[server], daemon=True).start()
    server.run(sockets=[listener])


def _stop_at_end_of_stdin(server: uvicorn.Server) -> None:
    # os.read, not sys.stdin: a daemon thread must not hold stdin's lock at interpreter exit.
    with suppress(OSError):
        while os.read(STDIN, 4096):
            pass
    server.should_exit = True
