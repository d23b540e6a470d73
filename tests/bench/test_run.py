"""The whole benchmark, in small, against a stand-in for the gateway."""

import asyncio
import json
import os
import shlex
import signal
import sys
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
STANDIN = [sys.executable, str(Path(__file__).with_name("standin.py"))]
SHORT = ["--seconds", "0.3", "--warmup", "0.1", "--rounds", "1", "--connections", "2"]


async def start(*arguments: str, temporary: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench", *SHORT, *arguments),
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def bench(*arguments: str, temporary: Path) -> tuple[int | None, str, str]:
    """Exit status, stdout and stderr of one run; nothing may be left behind by it."""
    async with asyncio.timeout(60):
        process = await start(*arguments, temporary=temporary)
        stdout, stderr = await process.communicate()
    assert not list(temporary.glob("bascule-bench-*"))
    return process.returncode, stdout.decode(), stderr.decode()


@pytest.mark.parametrize("operation", ["find_customer", "echo"])
async def test_one_run_measures_all_three_and_writes_them_down(
    tmp_path: Path, operation: str
) -> None:
    results = tmp_path / "latest.json"
    status, stdout, stderr = await bench(
        *("--gateway", shlex.join(STANDIN), "--operation", operation, "--results", str(results)),
        temporary=tmp_path,
    )
    assert (status, stderr) == (0, "")
    document = json.loads(results.read_text())
    for target in ("governed", "bare", "upstream"):
        assert document[target]["calls_per_s"] > 0
        assert document[target]["p99_ms"] >= document[target]["p50_ms"] > 0
        assert any(line.startswith(target) for line in stdout.splitlines())
    # The stand-in opens a connection for each call; it cannot cost less than copying bytes does.
    assert document["governed"]["cpu_us_per_call"] > document["bare"]["cpu_us_per_call"]
    assert "governed/bare:" in stdout


async def test_a_gateway_that_misses_its_bounds_fails_the_check(tmp_path: Path) -> None:
    arguments = ["--gateway", shlex.join(STANDIN), "--only", "governed", "--check"]
    results = ["--results", str(tmp_path / "latest.json")]
    status, _, stderr = await bench(*arguments, *results, temporary=tmp_path)
    assert status == 7
    assert "check failed: governed" in stderr


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ([*STANDIN, "--makes-up-answers"], "something else answered for it"),
        ([*STANDIN, "--breaks"], "the stand-in breaks, as told"),
        ([sys.executable, "-c", "import sys; sys.exit('no gateway here')"], "no gateway here"),
        (["/no/such/command"], "cannot run /no/such/command"),
    ],
)
async def test_a_gateway_that_does_not_do_its_part_yields_no_figures(
    tmp_path: Path, command: list[str], complaint: str
) -> None:
    results = tmp_path / "latest.json"
    arguments = ["--gateway", shlex.join(command), "--only", "governed", "--results", str(results)]
    status, stdout, stderr = await bench(*arguments, temporary=tmp_path)
    assert (status, stdout) == (1, "")
    assert complaint in stderr
    assert "Traceback (most recent call last)" not in stderr.split("it said:")[0]
    assert not results.exists()


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
async def test_an_interrupted_run_leaves_no_process_behind(
    tmp_path: Path, number: signal.Signals, status: int
) -> None:
    async with asyncio.timeout(30):
        arguments = ["--only", "bare", "--seconds", "600", "--results", str(tmp_path / "none.json")]
        process = await start(*arguments, temporary=tmp_path)
        harness = psutil.Process(process.pid)
        children: list[psutil.Process] = []
        while len(children) < 3:  # the upstream, the proxy, the load generator
            await asyncio.to_thread(os.sched_yield)
            children = harness.children(recursive=True)
        process.send_signal(number)
        await process.communicate()
    assert process.returncode == status
    _, alive = await asyncio.to_thread(psutil.wait_procs, children, timeout=10)
    assert alive == []


async def test_the_check_without_governed_is_a_usage_error(tmp_path: Path) -> None:
    status, _, stderr = await bench("--only", "bare", "--check", temporary=tmp_path)
    assert status == 2
    assert "governed" in stderr
