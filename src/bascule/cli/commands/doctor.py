"""`bascule doctor`: what could go wrong here, and what to do about it."""

import asyncio
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import typer

from bascule.app.ready import read_ready
from bascule.app.trimming import without_collections
from bascule.audit.verify import verify
from bascule.cli.commands.audit import journal_directory
from bascule.cli.context import DEFAULT_DATA, DataOption, load_settings
from bascule.cli.failures import Exit
from bascule.cli.output import Format, OutputOption, print_rows
from bascule.gateway.errors import GatewayError
from bascule.settings.problem import SettingsInvalid

_LEAST_FREE_BYTES: Final = 1_000_000_000
_SLOW_SYNC_MILLISECONDS: Final = 20.0
_LEAST_DAYS_LEFT: Final = 14
_COLUMNS: Final = ("check", "result", "detail", "fix")

Row = dict[str, str]


def doctor(output: OutputOption = Format.TABLE, data: DataOption = DEFAULT_DATA) -> None:
    """Check this machine, the settings and the instance; exits with 7 if anything failed."""
    rows = list(_rows(data))
    print_rows(rows, _COLUMNS, output)
    if any(row["result"] == "failed" for row in rows):
        raise typer.Exit(Exit.VERIFICATION)


def _rows(data: Path) -> Iterator[Row]:
    checks: tuple[tuple[str, Callable[[Path], tuple[str, str, str]]], ...] = (
        ("python", _python),
        ("settings", _settings),
        ("tls", _tls),
        ("data directory", _directory),
        ("disk space", _space),
        ("disk sync", _sync),
        ("instance", _instance),
        ("database", _database),
        ("journal", _journal),
        ("assistant", _assistant),
    )
    unsettled = False
    for name, check in checks:
        try:
            result, detail, fix = check(data)
        except SettingsInvalid as failure:
            result, detail, fix = "failed", " ".join(str(failure).split()), "see the detail"
            if unsettled:
                result, detail, fix = "skipped", "needs settings that are right", ""
            unsettled = True
        except GatewayError as failure:
            result, detail, fix = "failed", failure.public, "see the detail"
        except OSError as failure:
            result, detail, fix = "failed", str(failure), "see the detail"
        yield {"check": name, "result": result, "detail": detail, "fix": fix}


def _python(_: Path) -> tuple[str, str, str]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return "ok", f"Python {version} on {sys.platform}", ""


def _settings(data: Path) -> tuple[str, str, str]:
    loaded = load_settings(data)
    files = ", ".join(str(path) for path in loaded.files) or "defaults only"
    return "ok", files, ""


def _tls(data: Path) -> tuple[str, str, str]:
    from bascule.app.tls import certificate_standing

    standing = certificate_standing(load_settings(data).settings.server)
    if standing.days_left is None or standing.days_left > _LEAST_DAYS_LEFT:
        return "ok", standing.detail, ""
    fix = "renew the certificate of server.tls_certificate; it is read anew by itself"
    return ("failed" if standing.days_left < 0 else "warning"), standing.detail, fix


def _directory(data: Path) -> tuple[str, str, str]:
    place = next(one for one in (data, *data.resolve().parents) if one.exists())
    if not place.is_dir():
        return "failed", f"{place} is not a directory", "choose another with --data"
    if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        return "failed", f"{place} cannot be read and written", f"chown or chmod {place}"
    if place != data:
        return "ok", f"{data} does not exist yet", ""
    if data.stat().st_mode & 0o077:
        return "warning", f"{data} is open to other users", f"chmod 700 {data}"
    return "ok", str(data.resolve()), ""


def _space(data: Path) -> tuple[str, str, str]:
    free = shutil.disk_usage(_existing(data)).free
    detail = f"{free / 1e9:.1f} GB free"
    if free < _LEAST_FREE_BYTES:
        return "warning", detail, "free space: a full disk stops every call (the journal is strict)"
    return "ok", detail, ""


def _sync(data: Path) -> tuple[str, str, str]:
    sync = getattr(os, "fdatasync", os.fsync)  # macOS has only the latter
    times: list[float] = []
    with tempfile.NamedTemporaryFile(dir=_existing(data)) as file:
        for _ in range(20):
            started = time.perf_counter()
            os.write(file.fileno(), b"x" * 512)
            sync(file.fileno())
            times.append((time.perf_counter() - started) * 1000)
    median = statistics.median(times)
    detail = f"a write takes {median:.2f} ms to be durable"
    if median > _SLOW_SYNC_MILLISECONDS:
        return "warning", detail, "put the audit directory on a faster disk: each call waits for it"
    return "ok", detail, ""


def _instance(data: Path) -> tuple[str, str, str]:
    ready = read_ready(data)
    if ready is not None:
        return "ok", f"running as process {ready.pid} at {ready.mcp_url}", ""
    from bascule.app.serving import CannotListen, ListenConfig, bind

    server = load_settings(data).settings.server
    try:
        bind(ListenConfig(server.host, server.port, server.allow_remote)).close()
    except CannotListen as reason:
        return "failed", reason.public, "see the detail"
    return "ok", f"not running; port {server.port} is free", ""


def _database(data: Path) -> tuple[str, str, str]:
    if read_ready(data) is not None:
        return "ok", "in use by the running instance", ""
    if not data.exists() or not any(data.iterdir()):
        return "ok", "will be made at the first start", ""
    asyncio.run(_open(data))
    return "ok", "opens, and its schema is current", ""


async def _open(data: Path) -> None:
    with without_collections():
        from bascule.app.instance import open_local

    async with open_local(load_settings(data), data):
        pass


def _journal(data: Path) -> tuple[str, str, str]:
    place = journal_directory(data)
    if not place.is_dir():
        return "ok", "no records yet", ""
    result = verify(place)
    if result.first_bad is None:
        return "ok", f"{result.records} records, chain intact", ""
    return (
        "failed",
        f"broken in {result.first_bad.file.name}, line {result.first_bad.line}",
        "bascule audit verify",
    )


def _assistant(data: Path) -> tuple[str, str, str]:
    from bascule.app.model_standing import model_standing
    from bascule.app.theme import read_look

    settings = load_settings(data).settings
    read_look(settings.chat)
    standing = asyncio.run(model_standing(settings.llm))
    return "warning" if standing.fix else "ok", standing.detail, standing.fix


def _existing(path: Path) -> Path:
    return next(one for one in (path, *path.resolve().parents) if one.is_dir())
