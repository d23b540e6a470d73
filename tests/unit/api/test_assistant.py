"""What the assistant remembers of its people, which is little."""

import asyncio

import pytest

from bascule.api.assistant import Readers, TooManyReaders, note_peer, peer
from bascule.gateway.principal import Principal
from unit.api.conversing import an_assistant


def somebody(name: str, tenant: str = "acme") -> Principal:
    return Principal(tenant, name, frozenset(), key_id=name)


async def test_calls_come_from_where_their_own_request_came() -> None:
    looked_in, seen = asyncio.Event(), dict[str, str]()

    async def turn(address: str) -> None:
        await looked_in.wait()
        seen[address] = peer()

    async def request(address: str, turns: asyncio.TaskGroup) -> None:
        note_peer(address)
        turns.create_task(turn(address))

    async with asyncio.timeout(5), asyncio.TaskGroup() as turns:
        async with asyncio.TaskGroup() as requests:
            for address in ("203.0.113.9", "10.0.0.1"):
                requests.create_task(request(address, turns))
        looked_in.set()
    assert seen == {"203.0.113.9": "203.0.113.9", "10.0.0.1": "10.0.0.1"}
    assert peer() == ""


def test_who_reads_too_much_is_refused_and_nobody_else() -> None:
    readers = Readers(2)
    held = [readers.enter(somebody("ann")), readers.enter(somebody("ann"))]
    with pytest.raises(TooManyReaders) as refused:
        readers.enter(somebody("ann"))
    assert refused.value.error.code == "E2016"
    held += [readers.enter(somebody("ann", "other")), readers.enter(somebody("bob"))]
    held.pop(0)
    held.append(readers.enter(somebody("ann")))


def test_those_who_want_the_same_wait_for_each_other() -> None:
    assistant = an_assistant()
    lock = assistant.lock("a")
    assert assistant.lock("a") is lock
    assert assistant.lock("b") is not lock
