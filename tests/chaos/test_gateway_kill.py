"""The whole gateway under SIGKILL, while it answers: what was answered is in the journal.

`BASCULE_KILL_RUNS=200 pytest tests/chaos/test_gateway_kill.py` for a longer siege.
"""

import asyncio
import json
import os
import random
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from signal import SIGKILL

import pytest

from bascule.audit.reading import tail
from bascule.audit.verify import verify
from fakes.hostile import document, hostile_upstream
from fakes.instances import Instance, serving, tool_call

pytestmark = pytest.mark.chaos

RUNS = int(os.environ.get("BASCULE_KILL_RUNS", "8"))
SEED = 20260728
BUSY_CALLERS = 16
MOST_PATIENCE = 150


def test_no_answered_call_is_missing_from_the_journal_of_a_killed_gateway(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    data = tmp_path / "data"
    answered: set[str] = set()
    least = 0

    with hostile_upstream() as service:
        with serving(data, command="serve") as first:
            first.publish(document(), "hostile", service.url)
        for run in range(RUNS):
            # Every fourth dies as soon as it is ready: a start on a journal that was just mended.
            patience = chance.randrange(1, MOST_PATIENCE) if run % 4 else 0
            least += patience
            with serving(data, command="serve") as instance:
                assert_nothing_lost(data, answered)
                answered |= asyncio.run(answers_until_killed(instance, patience))
                assert instance.child.exit_code() == -SIGKILL
        with serving(data, command="serve"):
            assert_nothing_lost(data, answered)

    assert len(answered) >= least > 0
    recorded = [record["event_id"] for record in tail(data / "audit", sys.maxsize)]
    assert len(recorded) == len(set(recorded)) == verify(data / "audit").records


def assert_nothing_lost(data: Path, answered: set[str]) -> None:
    """What a gateway that has just started finds on its disk."""
    checked = verify(data / "audit")
    recorded = {record["correlation_id"] for record in tail(data / "audit", sys.maxsize)}
    assert checked.first_bad is None
    assert answered - recorded == set()


async def answers_until_killed(instance: Instance, patience: int) -> set[str]:
    """Call from all sides, and kill it at the `patience`-th answer; gives whose answers came."""
    answered: set[str] = set()

    async def call_again_and_again() -> None:
        async with connected(instance) as (reader, writer):
            while True:
                writer.write(_request(instance))
                answered.add(await _correlation_id(reader))
                if len(answered) == patience:
                    instance.child.send(SIGKILL)

    if patience == 0:
        instance.child.send(SIGKILL)
        return answered
    async with asyncio.timeout(20), asyncio.TaskGroup() as callers:
        for _ in range(BUSY_CALLERS):
            callers.create_task(call_again_and_again())
    return answered


@asynccontextmanager
async def connected(
    instance: Instance,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection for as long as the other end lives; its death ends the block quietly."""
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        reader, writer = await asyncio.open_connection("127.0.0.1", _port(instance))
        try:
            yield reader, writer
        finally:
            writer.close()
            await writer.wait_closed()


def _port(instance: Instance) -> int:
    return int(instance.url.rsplit(":", 1)[1])


def _request(instance: Instance) -> bytes:
    call = tool_call("fine", {})
    body = json.dumps(call["json"]).encode()
    headers = {
        **call["headers"],
        "Host": "127.0.0.1",
        "Authorization": f"Bearer {instance.admin_key}",
        "Content-Length": str(len(body)),
    }
    lines = [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(["POST /mcp HTTP/1.1", *lines, "", ""]).encode() + body


async def _correlation_id(reader: asyncio.StreamReader) -> str:
    """Read one answer to its last byte; the id it goes by."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    facts = dict(re.findall(r"^([a-z-]+): (.*?)\r$", head, re.MULTILINE))
    body = json.loads(await reader.readexactly(int(facts["content-length"])))
    assert body["result"]["structuredContent"] == {"said": "fine"}
    return facts["x-correlation-id"]
