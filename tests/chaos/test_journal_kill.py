"""The journal under SIGKILL and on a file system that is really full.

`BASCULE_KILL_RUNS=200 pytest tests/chaos/test_journal_kill.py` for a longer siege.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bascule.audit.reading import tail
from bascule.audit.verify import verify

pytestmark = pytest.mark.chaos

CHILD = Path(__file__).with_name("journal_child.py")
RUNS = int(os.environ.get("BASCULE_KILL_RUNS", "25"))
SEED = 20260728


def run_until_killed(directory: Path, run: int, patience: int) -> set[str]:
    """Kill a child once it has answered `patience` records; gives every record it answered."""
    command = [sys.executable, str(CHILD), "append", str(directory), str(run)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout
        assert child.stdout.readline() == b"starting\n"
        seen = [child.stdout.readline() for _ in range(patience)]
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read()
        assert child.wait(10) == -signal.SIGKILL
    whole = b"".join(seen) + rest[: rest.rfind(b"\n") + 1]
    return set(whole.decode().split())


def tear(directory: Path, chance: random.Random) -> None:
    """Leave what power loss may leave and SIGKILL does not: the start of a line, then zeros."""
    last = max(directory.glob("*.jsonl"))
    line = b'{"tenant_seq":1,"tenant_prev":"' + b"0" * 64 + b'","event_id":"torn"}'
    with last.open("ab") as file:
        file.write(line[: chance.randint(1, len(line))] + bytes(chance.choice([0, 1, 5000])))


def test_no_answered_record_is_lost_to_sigkill(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    answered: set[str] = set()
    torn = 0

    for run in range(RUNS):
        # Every fifth child dies while it opens the journal, so recovery is interrupted too.
        answered |= run_until_killed(tmp_path, run, chance.randrange(300) if run % 5 else 0)

        if run % 5 == 3:
            tear(tmp_path, chance)
            torn += 1

    # The last one starts on what is left, so that the end of the journal is repaired.
    answered |= run_until_killed(tmp_path, RUNS, 1)
    checked = verify(tmp_path)
    recorded = [record["event_id"] for record in tail(tmp_path, sys.maxsize)]
    assert checked.first_bad is None
    assert checked.segments > 1
    assert len(answered) > 50 * RUNS
    assert answered <= set(recorded)
    assert len(recorded) == len(set(recorded)) == checked.records
    assert len(list(tmp_path.glob("*.torn-*"))) >= torn > 0


@pytest.mark.parametrize("kind", ["tmpfs", "limit"])
def test_full_file_system_refuses_then_recovers_without_losing_a_record(
    tmp_path: Path, kind: str
) -> None:
    if kind == "tmpfs" and not may_mount(tmp_path):
        kind = "limit"  # the same test against RLIMIT_FSIZE, which needs no privilege
    journal = tmp_path / "audit"
    command = [sys.executable, str(CHILD), "fill", str(journal), kind]
    if kind == "tmpfs":
        command = in_tiny_file_system(tmp_path, command)

    done = subprocess.run(command, capture_output=True, timeout=20, check=False)

    assert done.returncode == 0, done.stderr.decode()
    seen = json.loads(done.stdout.splitlines()[-1])
    reason = "No space left on device" if kind == "tmpfs" else "File too large"
    assert reason in seen["private"]
    assert "free space on the audit volume" in seen["public"]
    assert (seen["healthy_when_full"], seen["healthy_after"]) == (False, True)
    assert seen["lines_when_full"] == seen["answered_when_full"] > 0
    assert seen["ends_with_newline"]
    recorded = {record["event_id"]: record for record in seen["records"]}
    assert set(seen["answered"]) <= set(recorded)
    assert [record["seq"] for record in seen["records"]] == list(range(1, len(recorded) + 1))
    assert "journal.recovered" in {record["action"] for record in recorded.values()}


def may_mount(directory: Path) -> bool:
    if shutil.which("unshare") is None:
        return False
    probe = subprocess.run(
        in_tiny_file_system(directory, ["true"]), capture_output=True, timeout=10, check=False
    )
    return probe.returncode == 0


def in_tiny_file_system(directory: Path, command: list[str]) -> list[str]:
    """`command` in a mount namespace of its own; the mount ends with it, however it ends."""
    script = 'mount -t tmpfs -o size=96k tmpfs "$1" && shift && exec "$@"'
    return ["unshare", "-rm", "sh", "-c", script, "sh", str(directory), *command]
