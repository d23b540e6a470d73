"""The port to the resources of an MCP server, which are listed page by page and never held."""

from typing import NamedTuple, Protocol


class ListedResource(NamedTuple):
    """`definition` is the Resource object as listed: JSON."""

    uri: str
    definition: bytes


class ResourcePage(NamedTuple):
    """One page; `""` is a valid cursor, None the end. `ttl_ms` is what is left of its life."""

    resources: tuple[ListedResource, ...]
    next_cursor: str | None = None
    ttl_ms: int = 0
    public: bool = False


class Pages(Protocol):
    """Asks a tenant's servers, or answers from what they said a moment ago."""

    async def page(
        self, tenant: str, upstream: str, cursor: str | None, *, scope: str, deadline: float
    ) -> ResourcePage:
        """One page of `resources/list`; what is not public is kept for `scope` alone.

        `deadline` in seconds of `time.monotonic`.

        Raises:
            GatewayError: the server did not give a usable page.
        """
        ...
