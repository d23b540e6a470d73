"""A process killed while it imports leaves an import whole, or not there at all."""

import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

CHILD = Path(__file__).parent / "import_child.py"
OPERATIONS = 200


def import_until_killed(data: Path, imports: int) -> None:
    """Kill -9 a process in the middle of its import of that number."""
    child = subprocess.Popen(
        [sys.executable, str(CHILD), str(data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert child.stdout is not None
        begun = (line for line in child.stdout if line == b"begun\n")
        for _ in range(imports):
            assert next(begun, None) is not None, "the child has ended on its own"
    finally:
        child.kill()
        child.communicate(timeout=20)


def ask(data: Path, query: str) -> Sequence[Any]:
    with closing(sqlite3.connect(data / "bascule.db")) as database:
        return database.execute(query).fetchall()


@pytest.mark.parametrize("imports", [1, 2, 3])
def test_a_killed_import_is_whole_or_not_there(tmp_path: Path, imports: int) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    import_until_killed(data, imports)
    assert ask(data, "PRAGMA integrity_check") == [("ok",)]
    made = ask(data, "SELECT status, COUNT(*) FROM openapi_specs GROUP BY status")
    counts = dict(made)
    # The last one was begun, and may have been committed just before the kill.
    assert sum(counts.values()) in (imports - 1, imports)
    assert counts.get("draft", 0) == 0
    assert counts.get("published", 0) == min(1, sum(counts.values()))
    by_status = dict(ask(data, "SELECT status, COUNT(*) FROM tools GROUP BY status"))
    assert by_status.get("active", 0) == OPERATIONS * counts.get("published", 0)
    assert by_status.get("deprecated", 0) == OPERATIONS * counts.get("superseded", 0)
    assert "draft" not in by_status
    addresses = ask(data, "SELECT base_url FROM openapi_specs WHERE status = 'published'")
    assert ask(data, "SELECT url FROM upstreams") == addresses
