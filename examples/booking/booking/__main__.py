"""The command line: `python -m booking --help`."""

import argparse
import signal
import sqlite3
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from booking.app import create_app
from booking.database import UnusableDatabase
from booking.server import announce, listen, read_url, serve, withdraw
from booking.service import open_service

HIGHEST_PORT = 65535


def parse_port(text: str) -> int:
    if not text.isdecimal() or int(text) > HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to {HIGHEST_PORT}")
    return int(text)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="booking", description="Serve the booking API.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument(
        "--port", type=parse_port, default=8080, help="port to listen on (%(default)s); 0: any"
    )
    parser.add_argument(
        "--database", type=Path, default=Path("booking.db"), help="SQLite file (%(default)s)"
    )
    parser.add_argument(
        "--ready-file", type=Path, help="write {url, pid} here as JSON while listening"
    )
    parser.add_argument(
        "--exit-with-stdin", action="store_true", help="stop when standard input ends"
    )
    return parser


@contextmanager
def refuse(what: str, remedy: str) -> Generator[None]:
    """Turns a failure to begin into one line and exit code 1."""
    try:
        yield
    except (OSError, sqlite3.Error, UnusableDatabase) as error:
        reason = getattr(error, "strerror", None) or error
        print(f"booking: cannot {what}: {reason}. {remedy}", file=sys.stderr)
        sys.exit(1)


def stop(*_: object) -> NoReturn:
    """Exits rather than dies: the ready file goes, and a supervisor sees a clean stop."""
    sys.exit(0)


@contextmanager
def announced(ready_file: Path | None, url: str) -> Generator[None]:
    """While the block runs, `ready_file` (where there is one) says where to call."""
    with refuse(f"write {ready_file}", "Name a file you may write to with --ready-file."):
        announce(ready_file, url)
    try:
        yield
    finally:
        withdraw(ready_file)


def main() -> None:
    """Serve until stopped; exits with 0 then, with 1 where serving could not begin."""
    options = build_parser().parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    database, address = options.database, f"{options.host}:{options.port}"
    with refuse(f"use the database {database}", "Name a file you may write to with --database."):
        service = open_service(database)
    with refuse(f"listen on {address}", "Choose another --port, or 0 for any free one."):
        listener = listen(options.host, options.port)
    url = read_url(listener)
    with listener, announced(options.ready_file, url):
        serve(
            create_app(service),
            listener,
            exit_with_stdin=options.exit_with_stdin,
            started=lambda: print(
                f"booking: serving {url} from {database}", file=sys.stderr, flush=True
            ),
        )


if __name__ == "__main__":
    main()
