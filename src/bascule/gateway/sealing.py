"""Handles that leave the gateway and come back: what they hold is hidden, and cannot be changed.

A handle is a seal over the state of one conversation, kept by the caller in place of a store here.
Sessions, cursors and request states of the protocol are all of this kind. A seal hides and proves;
it does not expire and can be used twice. A purpose with a life or a single use says so within its
payload, and checks it.
"""

from enum import StrEnum
from typing import Final, Protocol

MOST_PAYLOAD_BYTES: Final = 8 * 1024


class Purpose(StrEnum):
    """What a handle is for. A token of one purpose is worth nothing for another.

    The values are part of every token's key: changing one breaks all handles given out.
    """

    SESSION = "session"
    """A legacy session. It is opened before its caller is known, so the owner is in the payload."""
    ENDPOINT = "endpoint"
    """The same, as the address of an HTTP+SSE session takes it."""
    CURSOR = "cursor"
    """A place in a paged list."""
    REQUEST_STATE = "request-state"
    """An upstream's own request state, wrapped."""
    PARKED = "parked"
    """A call that waits here for its caller's answers."""
    TASK = "task"
    """An upstream's task."""
    ELEVATION = "elevation"
    """The link to ask for elevation by. Who may open it, and until when, is in the payload."""


class SealBroken(Exception):
    """The token was not sealed here for this purpose and owner, or was changed since.

    One reason for all: who tries tokens learns nothing from the failure.
    """

    def __init__(self) -> None:
        super().__init__("the seal does not hold")


class Sealer(Protocol):
    """Seals payloads for one owner and opens what it sealed."""

    def seal(self, purpose: Purpose, owner: str, payload: bytes) -> str:
        """A token of visible ASCII, fit for a header, a query or JSON; a new one each time.

        `owner` is bound to the token but not held in it: `owner_of`, or "" for nobody.

        Raises:
            ValueError: `payload` has more than `MOST_PAYLOAD_BYTES`.
        """
        ...

    def open(self, purpose: Purpose, owner: str, token: str) -> bytes:
        """The payload of `token`.

        Raises:
            SealBroken: on any fault of it, whatever was given.
        """
        ...


def owner_of(tenant: str, subject: str) -> str:
    """The owner to seal for. No two pairs of tenant and subject give the same one."""
    return f"{len(tenant)}:{tenant}{subject}"
