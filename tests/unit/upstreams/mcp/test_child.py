import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs

from bascule.upstreams.mcp.child import Child, ChildEvents, Command

ECHO = "import sys\nfor line in sys.stdin:\n    print('got', line, end='', flush=True)"


class Script:
    """A Python script as a child, and what came of it."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.ends: list[str] = []
        self.changed = asyncio.Event()

    def events(self) -> ChildEvents:
        return ChildEvents(self._line, self._end)

    def _line(self, line: bytes) -> None:
        self.lines.append(line)
        self.changed.set()

    def _end(self, reason: str) -> None:
        self.ends.append(reason)
        self.changed.set()

    async def until(self, reached: Callable[["Script"], bool]) -> None:
        async with asyncio.timeout(10):
            while not reached(self):
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
async def run() -> AsyncIterator[Callable]:
    """Run scripts as children; what still runs at the end is killed."""
    children: list[Child] = []

    async def run(code: str, *, limit: int = 10_000, **environment: str) -> tuple[Child, Script]:
        script = Script()
        command = Command.of((sys.executable, "-c", textwrap.dedent(code)), environment)
        child = await Child.start("peer", command, script.events(), limit)
        children.append(child)
        return child, script

    yield run
    for child in children:
        child.kill()
        await child.close(5)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def until_dead(pid: int) -> None:
    async with asyncio.timeout(10):
        while alive(pid):
            await asyncio.sleep(0.005)


def test_a_program_is_located_by_the_path_that_it_is_given(tmp_path: Path) -> None:
    program = tmp_path / "peer"
    program.touch(0o755)
    assert Command(("peer", "x"), {"PATH": str(tmp_path)}).locate() == str(program)
    with pytest.raises(FileNotFoundError, match="no command 'peer' in PATH"):
        Command(("peer",), {"PATH": str(tmp_path / "none")}).locate()


async def test_child_reads_and_writes_lines(run) -> None:
    child, script = await run(ECHO)
    assert child.write(b"one")
    assert child.write(b"two")
    await script.until(lambda script: len(script.lines) == 2)
    assert script.lines == [b"got one", b"got two"]
    await child.close(5)
    assert not child.is_running


async def test_secrets_of_the_gateway_stay_out_of_its_environment(
    run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BASCULE_SECRET", "s3cret")
    monkeypatch.setenv("LANG", "C.UTF-8")
    code = "import os\nprint(sorted(os.environ), os.environ.get('TOKEN'))"
    _, script = await run(code, TOKEN="configured")
    await script.until(lambda script: bool(script.ends))
    names = script.lines[0].decode()
    assert "BASCULE_SECRET" not in names
    assert "'LANG'" in names
    assert "'PATH'" in names
    assert names.endswith("configured")


def test_configured_variables_win_over_inherited_ones() -> None:
    command = Command.of(("x",), {"PATH": "/mine"}, {"PATH": "/theirs", "AWS_SECRET": "s"})
    assert command.environment == {"PATH": "/mine"}


async def test_arguments_are_no_shell_text(run) -> None:
    script = Script()
    argv = (sys.executable, "-c", "import sys; print(sys.argv[1])", "$(id); `id` > x")
    child = await Child.start("peer", Command.of(argv, {}), script.events(), 1000)
    await script.until(lambda script: bool(script.ends))
    assert script.lines == [b"$(id); `id` > x"]
    await child.close(5)


@pytest.mark.skipif(sys.platform != "linux", reason="the keeper is Linux's")
async def test_descriptors_of_the_gateway_stay_out_of_the_child(run) -> None:
    ours, theirs = os.pipe()
    os.set_inheritable(theirs, True)
    _, script = await run("import os; print(sorted(os.listdir('/proc/self/fd')))")
    await script.until(lambda script: bool(script.ends))
    os.close(ours)
    os.close(theirs)
    assert script.lines == [b"['0', '1', '2', '3']"]  # 3 is the listing itself


async def test_absent_command_is_named() -> None:
    command = Command.of(("no-such-command-here", "x"), {})
    with pytest.raises(FileNotFoundError, match="no-such-command-here"):
        await Child.start("peer", command, Script().events(), 1000)


async def test_file_that_is_no_program_ends_with_a_reason(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF nonsense")
    broken.chmod(0o755)
    script = Script()
    with capture_logs() as logs:
        child = await Child.start("peer", Command.of((str(broken),), {}), script.events(), 1000)
        await script.until(lambda script: bool(script.ends))
        await child.close(5)
    assert any("cannot run" in entry.get("line", "") for entry in logs)


async def test_last_lines_of_a_dying_child_are_read(run) -> None:
    _, script = await run("print('first'); print('last')")
    await script.until(lambda script: bool(script.ends))
    assert script.lines == [b"first", b"last"]


async def test_end_is_reported_once_with_the_status(run) -> None:
    child, script = await run("import sys; sys.exit(3)")
    await script.until(lambda script: bool(script.ends))
    await child.close(5)
    assert len(script.ends) == 1
    assert not child.write(b"x")


async def test_standard_error_goes_to_the_log(run) -> None:
    with capture_logs() as logs:
        _, script = await run("import sys; print('careful', file=sys.stderr)")
        await script.until(lambda script: bool(script.ends))
        async with asyncio.timeout(5):
            while not logs:
                await asyncio.sleep(0.001)
    assert (logs[0]["event"], logs[0]["line"]) == ("upstream.stderr", "careful")


async def test_line_without_end_is_not_taken_in(run) -> None:
    child, script = await run(
        "import sys, time\nwhile True: sys.stdout.write('a' * 4096)", limit=10_000
    )
    await script.until(lambda script: bool(script.ends))
    assert "larger than 10000" in script.ends[0]
    await child.close(5)


async def test_input_that_is_not_read_is_bounded(run) -> None:
    child, _ = await run("import time; time.sleep(60)", limit=10_000)
    accepted = 0
    while child.write(b"a" * 10_000):
        accepted += 1
        assert accepted < 100
    assert child.is_running


async def test_child_that_closes_its_output_is_ended(run) -> None:
    child, script = await run("import os, time; os.close(1); time.sleep(60)")
    await script.until(lambda script: bool(script.ends))
    assert script.ends == ["it closed its output"]
    assert child._transport is not None
    await until_dead(child._transport.get_pid())


async def test_child_that_ignores_the_end_of_its_input_is_terminated(run) -> None:
    code = """
        import signal, sys, time
        def stop(*_):
            print('terminated', flush=True)
            sys.exit(0)
        signal.signal(signal.SIGTERM, stop)
        print('ready', flush=True)
        time.sleep(60)
        """
    child, script = await run(code)
    await script.until(lambda script: script.lines == [b"ready"])
    await child.close(0.2)
    assert script.lines == [b"ready", b"terminated"]


async def test_child_that_ignores_everything_is_killed_with_its_descendants(run) -> None:
    code = """
        import signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        inner = subprocess.Popen([sys.executable, '-c', 'import signal, time;'
            'signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)'],
            stdout=subprocess.PIPE)
        inner.stdout.readline()
        print(inner.pid, flush=True)
        time.sleep(60)
        """
    child, script = await run(code)
    await script.until(lambda script: len(script.lines) == 1)
    assert child._transport is not None
    pids = [child._transport.get_pid(), int(script.lines[0])]
    assert all(alive(pid) for pid in pids)
    await child.close(0.1)
    for pid in pids:
        await until_dead(pid)


async def test_what_a_dead_child_leaves_behind_is_killed(run) -> None:
    code = """
        import subprocess, sys
        inner = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
        print(inner.pid, flush=True)
        """
    _, script = await run(code)
    await script.until(lambda script: bool(script.ends))
    await until_dead(int(script.lines[0]))


async def test_closing_twice_is_no_harm(run) -> None:
    child, _ = await run(ECHO)
    await child.close(5)
    await child.close(5)


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
async def test_child_dies_with_a_gateway_that_is_killed() -> None:
    gateway = """
        import asyncio, sys
        from bascule.upstreams.mcp.child import Child, ChildEvents, Command
        async def main():
            stubborn = ("import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
                        "print(os.getpid(), flush=True); time.sleep(60)")
            events = ChildEvents(lambda line: print(line.decode(), flush=True), print)
            command = Command.of((sys.executable, '-c', stubborn), {})
            child = await Child.start('peer', command, events, 1000)
            await asyncio.Event().wait()
        asyncio.run(main())
        """
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(gateway), stdout=subprocess.PIPE
    )
    assert running.stdout is not None
    async with asyncio.timeout(10):
        pid = int(await running.stdout.readline())
        assert alive(pid)
        os.kill(running.pid, signal.SIGKILL)
        await running.wait()
    await until_dead(pid)
