"""An upstream that wants tokens, and its authorization server, over loopback."""

from collections.abc import AsyncIterator

import pytest

from fakes import ways
from fakes.ways import World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with ways.world() as it:
        yield it
