"""One process per writer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bascule.audit.lock import JournalLock, JournalLocked


def test_second_lock_names_the_process_that_holds_the_first(tmp_path: Path) -> None:
    lock = JournalLock(tmp_path, "gateway")
    try:
        with pytest.raises(JournalLocked, match=f"in use by process {os.getpid()} on ") as refused:
            JournalLock(tmp_path, "gateway")
    finally:
        lock.release()
    assert refused.value.details["lock_file"] == str(tmp_path / "gateway.lock")


def test_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    JournalLock(tmp_path, "gateway").release()

    JournalLock(tmp_path, "gateway").release()


def test_writers_lock_apart(tmp_path: Path) -> None:
    first, second = JournalLock(tmp_path, "a"), JournalLock(tmp_path, "b")

    first.release()
    second.release()


def test_lock_of_another_process_holds_and_ends_with_it(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from bascule.audit.lock import JournalLock\n"
        "lock = JournalLock(Path(sys.argv[1]), 'gateway'); print('locked', flush=True)\n"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout
        assert child.stdout.readline() == b"locked\n"
        with pytest.raises(JournalLocked, match=f"process {child.pid} on "):
            JournalLock(tmp_path, "gateway")
        child.kill()
        child.wait(5)

    JournalLock(tmp_path, "gateway").release()


def test_lock_does_not_follow_a_link_somebody_planted(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("keep")
    (tmp_path / "gateway.lock").symlink_to(tmp_path / "precious")

    with pytest.raises(OSError, match="symbolic links"):
        JournalLock(tmp_path, "gateway")
    assert (tmp_path / "precious").read_text() == "keep"
