"""A hundred thousand recorded calls decided again, and counted as one by one they would be."""

import asyncio
import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from bascule.audit.disk import Disk
from bascule.audit.lines import encode
from bascule.audit.recovery import recover
from bascule.audit.writer import ChainWriter
from bascule.gateway.masking import mask
from bascule.gateway.record import AuditRecord, EventType, Status
from unit.api.shelf import a_tool, stock
from unit.api.site import Site, make_database, open_site

CALLS: Final = 100_000
MOST_SECONDS: Final = 30.0
"""It takes a fifth of that on a core of its own."""
START: Final = datetime(2026, 5, 4, tzinfo=UTC)  # a Monday
PATH: Final = "/api/admin/policy/replay"
TOOLS: Final = [f"tool{number:02}" for number in range(40)]
GONE: Final = ["gone0", "gone1"]
PEERS: Final = ["10.1.2.3", "192.0.2.7"]
ROLES: Final = [("user",), ("operator",), ("user", "viewer"), ("viewer",), ()]
AMOUNTS: Final = [10, 49_999, 50_001, 99_999, 100_000, 7_500_000]

POLICIES: Final[list[dict[str, Any]]] = [
    {"name": "users", "effect": "allow", "roles": ["user"]},
    {"name": "operators", "effect": "allow", "roles": ["operator"], "tools": ["tool0*"]},
    {"name": "blocked", "type": "deny_list", "tools": ["tool39"]},
]
DRAFT: Final[dict[str, dict[str, Any] | None]] = {
    "limit": {
        "type": "condition",
        "effect": "deny",
        "tools": ["tool1*"],
        "when": {"arguments": [{"path": "amount", "op": "above", "value": 50_000}]},
    },
    "night": {
        "type": "condition",
        "effect": "deny",
        "tools": ["tool2*"],
        "when": {"windows": [{"from": "22:00", "to": "06:00"}]},
    },
    "inside": {
        "type": "condition",
        "effect": "elevate",
        "tools": ["tool3*"],
        "when": {"networks": ["10.0.0.0/8"]},
    },
    "blocked": None,
}


@dataclass(frozen=True, slots=True)
class Made:
    """A call as it was, before anything of it was masked."""

    number: int
    tool: str
    user: str
    roles: tuple[str, ...]
    peer: str
    amount: int

    @property
    def at(self) -> datetime:
        """When it came."""
        return START + timedelta(seconds=5 * self.number)


def make() -> Iterator[Made]:
    chance = random.Random(7)
    for number in range(CALLS):
        yield Made(
            number,
            chance.choice([*TOOLS, *TOOLS, *GONE]),
            f"user{chance.randrange(300)}",
            chance.choices(ROLES, (60, 20, 10, 8, 2))[0],
            chance.choice(PEERS),
            chance.choice(AMOUNTS),
        )


def in_force(call: Made) -> str:
    """What the policies say, written down once more by hand."""
    is_executor = bool({"user", "operator"} & set(call.roles))
    if not is_executor or call.tool == "tool39":
        return "denied"
    if "user" in call.roles or call.tool.startswith("tool0"):
        return "allowed"
    return "denied"


def drafted(call: Made) -> str:
    """What the policies with the draft say; `?` where the record does not tell the amount."""
    blocked_before = Made(call.number, "tool38", call.user, call.roles, call.peer, call.amount)
    allowed = in_force(blocked_before if call.tool == "tool39" else call)
    if allowed == "denied":
        return "denied"
    if call.tool.startswith("tool1"):
        if call.amount >= 100_000:
            return "?"
        return "denied" if call.amount > 50_000 else "allowed"
    if call.tool.startswith("tool2"):
        return "denied" if call.at.hour >= 22 or call.at.hour < 6 else "allowed"
    if call.tool.startswith("tool3") and call.peer.startswith("10."):
        return "elevation"
    return "allowed"


class Expected:
    """What a replay has to count, counted one by one."""

    def __init__(self, made: list[Made]) -> None:
        self.changes: Counter[str] = Counter()
        self.tools: dict[str, Counter[str]] = {}
        self.users: dict[str, Counter[str]] = {}
        self.uncertain = self.compared = 0
        for one in made:
            if one.roles and one.tool in TOOLS:
                self._count(one, in_force(one), drafted(one))

    def _count(self, one: Made, before: str, after: str) -> None:
        if after == "?":
            self.uncertain += 1
            return
        self.compared += 1
        if before != after:
            change = f"{before}_to_{after}"
            self.changes[change] += 1
            self.tools.setdefault(one.tool, Counter())[change] += 1
            self.users.setdefault(one.user, Counter())[change] += 1


def record_of(call: Made) -> AuditRecord:
    was = in_force(call)
    return AuditRecord(
        event_id=f"e{call.number}",
        timestamp=call.at + timedelta(milliseconds=20),
        event_type=EventType.TOOL_CALL,
        action="tools/call",
        status=Status.SUCCESS if was == "allowed" else Status.DENIED,
        correlation_id=f"c{call.number}",
        tenant="default",
        user=call.user,
        agent="planner",
        roles=call.roles,
        tool_name=call.tool,
        tool_version="1.0.0",
        rule="users" if was == "allowed" else "",
        latency_ms=20.0,
        error_code="" if was == "allowed" else "E3001",
        arguments=mask({"amount": call.amount, "note": "a text that is masked"}),
        arguments_digest="d" * 64,
        key_id="key-1",
        peer=call.peer,
        metadata={"policy": {"version": 1, "inputs": ["roles"]}},
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Made]]:
    """A directory with a database and a journal in several files; and the calls in it."""
    place = tmp_path_factory.mktemp("replay")
    asyncio.run(make_database(place / "bascule.db"))
    journal = place / "audit"
    journal.mkdir()
    made = list(make())
    for first in range(0, CALLS, 20_000):
        position, _ = recover(journal, "gateway")
        chain = ChainWriter(position, 1, Disk())
        for start in range(first, first + 20_000, 2_000):
            done = chain.commit([encode(record_of(one)) for one in made[start : start + 2_000]])
            assert done.failure is None
        chain.close()
    return place, made


@pytest.fixture
async def site(world: tuple[Path, list[Made]], tmp_path: Path) -> Any:
    """The API over it."""
    shutil.copy(world[0] / "bascule.db", tmp_path)
    (tmp_path / "audit").symlink_to(world[0] / "audit")
    async with open_site(tmp_path / "bascule.db") as opened:
        await stock(opened, *(a_tool(name) for name in TOOLS))
        for policy in POLICIES:
            assert (await opened.post("/api/admin/policies", json=policy)).is_success
        body = {"changes": DRAFT}
        made = await opened.ask("PUT", "/api/admin/policy/drafts/next", json=body)
        assert made.is_success, made.text
        yield opened


async def replay(site: Site, **body: Any) -> dict[str, Any]:
    request = site.client.post(
        PATH,
        headers={"authorization": "Bearer bsc_default-admin"},
        json={"since": START.isoformat(), "examples": 50, **body},
    )
    async with asyncio.timeout(2 * MOST_SECONDS):
        response = await request
    assert response.status_code == 200, response.text
    return response.json()


async def late(stop: asyncio.Event) -> list[float]:
    """By how many seconds the event loop was late, again and again, until `stop`."""
    found: list[float] = []
    loop = asyncio.get_running_loop()
    while not stop.is_set():
        due = loop.time() + 0.005
        await asyncio.sleep(0.005)
        found.append(loop.time() - due)
    return found


async def test_a_draft_is_replayed_over_all_of_them_as_they_would_be_one_by_one(
    site: Site, world: tuple[Path, list[Made]]
) -> None:
    made = world[1]
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        delays = tasks.create_task(late(stop))
        began = time.process_time()
        found = await replay(site, draft="next")
        spent = time.process_time() - began
        stop.set()
    assert spent < MOST_SECONDS
    assert sorted(delays.result())[len(delays.result()) * 99 // 100] < 0.5
    assert found["looked_at"] == CALLS
    assert found["is_complete"]
    comparison, recorded = found["comparisons"]
    expected = Expected(made)
    assert comparison["by_change"] == expected.changes
    assert len(expected.changes) == 4
    nameless = sum(1 for one in made if not one.roles)
    assert comparison["uncertain"] == {"roles": nameless, "arguments": expected.uncertain}
    assert comparison["compared"] == expected.compared
    assert {one["name"]: one["by_change"] for one in comparison["tools"]} == expected.tools
    assert comparison["more_tools"] == 0
    shown = {one["name"]: one["by_change"] for one in comparison["users"]}
    assert len(shown) + comparison["more_users"] == len(expected.users)
    assert all(expected.users[name] == counts for name, counts in shown.items())
    assert found["gone"]["calls"] == sum(1 for one in made if one.roles and one.tool in GONE)
    # What was recorded is what the policies in force say.
    assert (recorded["changed"], recorded["uncertain"]) == (0, {"roles": nameless})
    assert_true(comparison["examples"], made)


def assert_true(examples: list[dict[str, Any]], made: list[Made]) -> None:
    """Each example is a call that changes as it says."""
    by_id = {f"c{one.number}": one for one in made}
    assert len(examples) == 50
    for example in examples:
        call = by_id[example["correlation_id"]]
        assert example["change"] == f"{in_force(call)}_to_{drafted(call)}"
        assert datetime.fromisoformat(example["time"]) == call.at


async def test_a_replay_that_nobody_waits_for_any_more_ends(site: Site) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await replay(site)
    async with asyncio.timeout(10):
        while True:  # the next one is let in once the first has let go
            response = await site.post(PATH, json={})
            if response.status_code == 200:
                break
            assert response.status_code == 409


async def test_part_of_the_time_is_part_of_the_calls(
    site: Site, world: tuple[Path, list[Made]]
) -> None:
    since, until = START + timedelta(hours=50), START + timedelta(hours=51)
    found = await replay(site, since=since.isoformat(), until=until.isoformat(), tool="tool05")
    ended = timedelta(milliseconds=20)
    assert found["looked_at"] == sum(
        1 for one in world[1] if since <= one.at + ended <= until and one.tool == "tool05"
    )
