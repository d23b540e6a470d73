"""An ASGI application behind a real server, in the test's own event loop."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import uvicorn

from bascule.transports.asgi import AsgiApp


@asynccontextmanager
async def served(app: AsgiApp, *, max_message_bytes: int = 1_048_576) -> AsyncGenerator[str]:
    """Serve `app` on loopback; gives its authority, `127.0.0.1:PORT`."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app,  # type: ignore[arg-type]
            ws="websockets-sansio",
            ws_max_size=max_message_bytes,
            lifespan="off",
            log_config=None,
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[method-assign]
        serving = asyncio.ensure_future(server._serve([listener]))
        async with asyncio.timeout(5):
            while not server.started:
                await asyncio.sleep(0)
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            async with asyncio.timeout(5):
                await serving
