"""Where an answer goes that is not whole: begun once, then written piece by piece."""

from typing import Protocol

from bascule.transports.reply import HeaderList


class Outlet(Protocol):
    """The client's side of one HTTP response. Nothing here waits but `drained`."""

    @property
    def begun(self) -> bool:
        """Whether the head has gone out; then no whole reply can be given any more."""
        ...

    @property
    def unsent(self) -> int:
        """Bytes written that the client has not taken yet."""
        ...

    def begin(self, status: int, headers: HeaderList) -> None:
        """Send the head of a response whose length is not known."""
        ...

    def write(self, data: bytes) -> None:
        """Send a piece of the body, or drop it where nobody reads any more."""
        ...

    async def drained(self) -> None:
        """Wait until most of what was written is sent, or can be sent no more."""
        ...

    def end(self) -> None:
        """The body is complete; safe to repeat."""
        ...

    def abort(self) -> None:
        """Give the connection up with what is unsent: its client does not read."""
        ...
