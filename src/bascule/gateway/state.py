"""What gateway processes must know of each other, for as long as a conversation lasts.

Nothing in here is durable: a store that starts anew has forgotten, and its users cope. What must
outlive a restart is in the database or the journal; what a caller can carry is sealed instead.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import ClassVar, Final, Protocol

from bascule.gateway.errors import ErrorCode, GatewayError

MOST_VALUE_BYTES: Final = 1024 * 1024
"""The most one value, one log entry or one message may have."""

MOST_TTL_SECONDS: Final = 366 * 86_400


class StateUnavailable(GatewayError):
    """The store cannot be asked, or has no room. Refuse the call: nobody knows what it holds."""

    error: ClassVar[ErrorCode] = ErrorCode.UNAVAILABLE


def check_value(value: bytes, ttl_seconds: float = 1.0) -> None:
    """Raise ValueError unless a store can take `value` for `ttl_seconds`."""
    if len(value) > MOST_VALUE_BYTES:
        raise ValueError(f"{len(value)} bytes are more than the {MOST_VALUE_BYTES} of one value")
    check_life(ttl_seconds)


def check_life(ttl_seconds: float) -> None:
    """Raise ValueError unless a store can keep something for `ttl_seconds`."""
    if not 0 < ttl_seconds <= MOST_TTL_SECONDS:
        raise ValueError(f"a value cannot live {ttl_seconds} seconds")


class StateStore(Protocol):
    """Short-lived values by key, counts, logs and channels; each kind has names of its own.

    Every method may raise `StateUnavailable`; a change may then have been made or not.
    More than `MOST_VALUE_BYTES`, or a life of nothing or over `MOST_TTL_SECONDS`, is a ValueError.
    """

    @property
    def local(self) -> bool:
        """Whether only this process sees the store, so that routing through it is a detour."""
        ...

    async def get(self, key: str) -> bytes | None:
        """The value, or None where there is none or it has expired."""
        ...

    async def put(self, key: str, value: bytes, ttl_seconds: float) -> None:
        """Set the value and its remaining life, whatever was there."""
        ...

    async def put_new(self, key: str, value: bytes, ttl_seconds: float) -> bool:
        """Set the value where there is none; of many at once, one gets True."""
        ...

    async def take(self, key: str) -> bytes | None:
        """Get and delete at once; of many at once, one gets the value."""
        ...

    async def delete(self, key: str) -> None:
        """Forget the value, if there is one."""
        ...

    async def count(self, key: str, ttl_seconds: float) -> int:
        """Count once more, and give the count with it: 1 for the first, and each number once.

        The count lives `ttl_seconds` from its first, and is forgotten with it.
        """
        ...

    async def append(self, log: str, value: bytes, *, most: int, ttl_seconds: float) -> int:
        """Add an entry and give its number: 1, 2, 3 and so on, without gaps while the log lives.

        Of more than `most` entries the oldest go; a store may let them go earlier, once they have
        more than 1 MiB in all. The log lives `ttl_seconds` from its last entry.
        """
        ...

    async def read(self, log: str, after: int) -> list[tuple[int, bytes]]:
        """The entries still kept with a number above `after`, in order; `after` 0 gives all."""
        ...

    async def publish(self, channel: str, message: bytes) -> None:
        """Give `message` to all who are subscribed now. At most once: nobody there, nobody told."""
        ...

    def subscribe(self, channel: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The channel's messages, in order, all that are published while the context is open.

        Entering waits until the subscription is in force. Who reads too slowly, or loses the store,
        misses messages.
        """
        ...
