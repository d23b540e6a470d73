"""The suite's equipment: what counts as lost, and that the page says what the files say."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from conformance import checks
from conformance.cells import CELLS, NEVER_EXCUSED, OWN_STREAMS, Cell
from conformance.checks import Check
from conformance.keyed import Keyed

ROOT = Path(__file__).parents[2]


def run(status: str, name: str = "check") -> checks.Run:
    return {"scenario": {name: Check(status)}}


@pytest.mark.parametrize(
    ("direct", "relayed", "lost"),
    [
        ("SUCCESS", "SUCCESS", False),
        ("SUCCESS", "WARNING", True),
        ("SUCCESS", "SKIPPED", True),
        ("SUCCESS", "FAILURE", True),
        ("WARNING", "WARNING", False),
        ("WARNING", "SUCCESS", False),
        ("FAILURE", "FAILURE", False),
        ("SKIPPED", "FAILURE", False),
    ],
)
def test_a_check_is_lost_where_it_gets_worse(direct: str, relayed: str, lost: bool) -> None:
    assert bool(checks.losses(run(direct), run(relayed))) is lost


def test_a_check_that_is_not_there_any_more_is_lost() -> None:
    assert len(checks.losses(run("SUCCESS"), {})) == 1


def test_streams_of_the_gateways_own_may_differ_but_not_fail() -> None:
    name = next(iter(OWN_STREAMS))

    assert checks.losses(run("SUCCESS", name), run("INFO", name)) == []
    assert len(checks.losses(run("SUCCESS", name), run("FAILURE", name))) == 1


def test_of_several_findings_of_a_check_the_worst_counts(tmp_path: Path) -> None:
    folder = tmp_path / "server-tools-list-2026-01-02T03-04-05-678Z"
    folder.mkdir()
    found = [{"id": "a", "status": status} for status in ("SUCCESS", "FAILURE", "SUCCESS")]
    (folder / "checks.json").write_text(json.dumps(found))

    read = checks.load(tmp_path)

    assert read == {"tools-list": {"a": Check("FAILURE")}}
    assert not checks.passes(read["tools-list"])


def test_every_exception_says_why() -> None:
    for cell in CELLS:
        for exceptions in cell.exceptions.values():
            assert all(len(reason) > 40 for reason in exceptions.values()), cell.name


def test_the_matrix_on_the_page_is_the_one_of_the_last_run() -> None:
    command = [sys.executable, "scripts/draw_matrix.py", "--check"]

    assert subprocess.run(command, cwd=ROOT, timeout=20, check=False).returncode == 0


async def test_each_request_of_a_connection_gets_the_key_and_keeps_its_bytes() -> None:
    seen: list[bytes] = []
    gone = asyncio.Event()

    async def gateway(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.read(4096):
            seen.append(head)
            writer.write(b"HTTP/1.1 202 Accepted\r\n\r\n")
        gone.set()
        writer.close()

    async with (
        asyncio.timeout(5),
        await asyncio.start_server(gateway, "127.0.0.1", 0) as server,
        await asyncio.start_server(
            Keyed(server.sockets[0].getsockname()[1], "bsc_k").serve, "127.0.0.1", 0
        ) as keyed,
    ):
        reader, writer = await asyncio.open_connection(*keyed.sockets[0].getsockname())
        for request in (
            b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\na\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
        ):
            writer.write(request)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 202 ")
        writer.close()
        await gone.wait()

    assert b"".join(seen) == (
        b"POST / HTTP/1.1\r\nAuthorization: Bearer bsc_k\r\nContent-Length: 3\r\n\r\na\r\n"
        b"GET / HTTP/1.1\r\nAuthorization: Bearer bsc_k\r\n\r\n"
    )


def test_a_loss_is_told_unless_it_is_an_exception() -> None:
    excused = Cell("one", "both", "http", {"2026-07-28": {"scenario": "a reason"}})
    relayed = run("FAILURE")

    assert (
        len(checks.judge(Cell("one", "both", "http"), "2026-07-28", run("SUCCESS"), relayed)) == 1
    )
    assert checks.judge(excused, "2026-07-28", run("SUCCESS"), relayed) == []
    assert len(checks.judge(excused, "2026-07-28", run("SUCCESS"), run("SUCCESS"))) == 1


def test_what_does_not_fit_the_schema_is_no_exception() -> None:
    excused = Cell("one", "both", "http", {"2026-07-28": {"scenario": "a reason"}})
    direct, relayed = run("SUCCESS", NEVER_EXCUSED), run("FAILURE", NEVER_EXCUSED)

    assert len(checks.judge(excused, "2026-07-28", direct, relayed)) == 1
