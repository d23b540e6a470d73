"""What may happen between a request to an upstream and its response, and who is told."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeAlias

from bascule.upstreams.mcp.messages import Incoming

OnNote: TypeAlias = Callable[[Incoming], None]
"""Takes in a notification of an upstream; never waits."""

OnRequest: TypeAlias = Callable[[Incoming], Awaitable[bytes]]
"""Gives the `result` member that answers a request of a legacy upstream, as JSON.

Raises CallerRefused, which is sent back as that error, or another NoAnswer. The time it takes
does not count against the deadline of the exchange.
"""


class Hooks(NamedTuple):
    """The listeners of one exchange. Notifications carry the token that was sent upstream.

    Without `on_request`, requests of the upstream are politely refused. `drained` waits until
    the caller has read most of what it was told, which slows down an upstream whose stream
    carries this exchange alone.
    """

    on_note: OnNote
    on_request: OnRequest | None = None
    drained: Callable[[], Awaitable[None]] | None = None
