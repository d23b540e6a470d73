"""What conversations rest on: the handles clients carry, and the state processes share."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from bascule.app.keyfile import ensure_sealing_key
from bascule.gateway.seals import Seals
from bascule.gateway.state import StateStore
from bascule.settings.model import Settings
from bascule.state.memory import MemoryState
from bascule.state.redis import open_redis


@asynccontextmanager
async def open_state(settings: Settings) -> AsyncGenerator[StateStore]:
    """The store in Redis where `redis.url` names one, else one in memory.

    Raises:
        StateUnavailable: the server named does not answer.
    """
    url = settings.redis.url.get_secret_value()
    if not url:
        yield MemoryState()
        return
    # Channels are not parted by the database number of the URL, so the names must do it.
    async with open_redis(url, f"bascule:{settings.app.environment}") as state:
        yield state


def seals_of(settings: Settings, data: Path) -> Seals:
    """Seals under the keys of the settings, else under the data directory's own.

    Reads and may write a file: call it in a thread.

    Raises:
        KeyUnusable, OSError: the key of the data directory cannot be used.
    """
    given = [key.key for key in settings.security.sealing_keys]
    return Seals(given or [ensure_sealing_key(data / "sealing.key")])
