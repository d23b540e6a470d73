"""Servers that the gateway starts itself: however it, or they, end, no process stays behind.

`BASCULE_KILL_RUNS=200 pytest tests/chaos/test_children.py` starts and stops three hundred of them,
and kills the gateway fifty times.
"""

import itertools
import os
import sys
from pathlib import Path
from signal import SIGKILL
from typing import Final

import psutil
import pytest

from fakes.instances import Instance, post, serving
from fakes.mcp import modern
from fakes.processes import survivors

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only the child itself is ended"),
]

RUNS: Final = int(os.environ.get("BASCULE_KILL_RUNS", "8"))
STARTS: Final = RUNS * 3 // 2
KILLS: Final = max(3, RUNS // 4)
MANNERS: Final = ("polite", "deaf", "frail")
SERVER: Final = Path(__file__).with_name("deaf_server.py")


def add(instance: Instance, name: str, manner: str, mark: str) -> None:
    command = [sys.executable, "-S", str(SERVER), manner, mark]
    with instance.api() as admin:
        added = admin.post("/api/admin/servers", json={"name": name, "command": command})
        assert added.status_code == 201, added.text
        rule = {"name": name, "effect": "allow", "roles": ["admin"], "bundles": [name]}
        assert admin.post("/api/admin/policies", json=rule).status_code == 201


def call(instance: Instance, name: str) -> str:
    """Call the server's one tool: it is started by that, if it does not run."""
    with instance.api() as client:
        message = modern("tools/call", {"name": "say", "arguments": {}})
        return client.post(f"/mcp/servers/{name}", **post(message)).text


def remove(instance: Instance, name: str) -> None:
    with instance.api() as admin:
        assert admin.delete(f"/api/admin/servers/{name}").status_code == 200
        assert admin.delete(f"/api/admin/policies/{name}").status_code == 200


def marked(mark: str) -> list[psutil.Process]:
    """The servers that bear `mark`, and what they started; whoever their parent is by now."""
    found = psutil.process_iter(["cmdline"])
    return [one for one in found if mark in (one.info["cmdline"] or ())]


def keepers(instance: Instance) -> list[psutil.Process]:
    return psutil.Process(instance.child.pid).children()


def assert_answered(text: str, manner: str) -> None:
    assert ("its process ended with status 3" if manner == "frail" else "said") in text


def test_servers_that_come_and_go_leave_no_process_behind(tmp_path: Path) -> None:
    mark = f"{tmp_path}/come-and-go"
    seen: set[psutil.Process] = set()
    with serving(tmp_path / "data") as instance:
        for number, manner in zip(range(STARTS), itertools.cycle(MANNERS), strict=False):
            add(instance, f"s{number}", manner, mark)
            assert_answered(call(instance, f"s{number}"), manner)
            seen.update(marked(mark), keepers(instance))
            remove(instance, f"s{number}")

        assert len(seen) >= STARTS * 2
        assert survivors(list(seen)) == []
        assert marked(mark) == []
        assert keepers(instance) == []


def test_servers_end_with_a_gateway_that_is_killed(tmp_path: Path) -> None:
    mark = f"{tmp_path}/killed"
    data = tmp_path / "data"
    with serving(data) as instance:
        for manner in MANNERS:
            add(instance, manner, manner, mark)
    for _ in range(KILLS):
        with serving(data) as instance:
            for manner in MANNERS:
                assert_answered(call(instance, manner), manner)
            seen = [*marked(mark), *keepers(instance)]
            instance.child.send(SIGKILL)
            assert instance.child.exit_code() == -SIGKILL

            assert len(seen) >= 6, "two servers, what they started, and a keeper for each"
            assert survivors(seen) == []
            assert marked(mark) == []
