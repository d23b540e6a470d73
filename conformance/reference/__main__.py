"""`python -m conformance.reference --port 18800 --era both|modern|legacy`, or `--stdio`."""

import argparse
import asyncio

import uvicorn

import conformance.reference.tasks  # noqa: F401 - its tools register themselves
from conformance.reference.http import build_app
from conformance.reference.server import Server
from conformance.reference.stdio import stdio


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=18800)
    parser.add_argument("--stdio", action="store_true")
    parser.add_argument("--era", choices=["both", "modern", "legacy"], default="both")
    parser.add_argument("--page", type=int, default=0, help="items on a page; 0: all")
    parser.add_argument("--bearer", help="the token that is asked for")
    given = parser.parse_args()
    server = Server(given.era, given.page)
    if given.stdio:
        asyncio.run(stdio(server))
    else:
        uvicorn.run(
            build_app(server, given.bearer),
            host="127.0.0.1",
            port=given.port,
            log_level="warning",
            timeout_graceful_shutdown=1,
        )


main()
