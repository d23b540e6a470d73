"""How the small services of the benchmark listen: a free loopback port, said on stdout."""

import asyncio
import json
import signal
from collections.abc import Callable

import uvloop

ProtocolFactory = Callable[[], asyncio.Protocol]


def serve_forever(make: Callable[[asyncio.TaskGroup], ProtocolFactory]) -> None:
    """Serve on 127.0.0.1 until SIGTERM or SIGINT; prints `{"port": …}` first.

    `make` gets the task group for whatever the protocols start, and returns their factory.
    """
    uvloop.run(_serve(make))


async def _serve(make: Callable[[asyncio.TaskGroup], ProtocolFactory]) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as group:
        server = await loop.create_server(make(group), "127.0.0.1", 0, backlog=1024)
        print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
        await stop.wait()
        server.close()
