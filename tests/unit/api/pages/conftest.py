"""Where people ask for elevation, and others decide."""

from collections.abc import AsyncIterator

import pytest

from unit.api.elevation_room import Room, open_room
from unit.api.site import Site


@pytest.fixture
async def room(site: Site) -> AsyncIterator[Room]:
    """A lobby with people, and a tool that needs leave."""
    async with open_room(site) as opened:
        yield opened
