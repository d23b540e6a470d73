"""A client that comes to an upstream on behalf of one holder, with their token and no other."""

import math
import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeAlias

from bascule.upstreams.http1 import HttpRequest, HttpResponse, HttpSender, ResponseStream
from bascule.upstreams.http1.connection import Connection
from bascule.upstreams.oauth.access import Access
from bascule.upstreams.oauth.challenges import CHALLENGE, Demand, demand_of
from bascule.upstreams.oauth.ports import Grant

Release: TypeAlias = Callable[[], Awaitable[None]]

_MOST_ROUNDS: Final = 3
"""A request may see its token refreshed, then consented to anew, then given more scopes."""


class Sender(HttpSender, Protocol):
    """What adds no token of a holder: `HttpClient`, or one with the gateway's own credentials."""

    @property
    def max_body_bytes(self) -> int:
        """How much of a body is read."""
        ...

    async def open_stream(self, request: HttpRequest, deadline: float) -> Connection:
        """As `HttpClient.open_stream`."""
        ...


class GrantedClient:
    """Sends with the token of `owner`; gets one where the upstream asks for it, and sends again.

    An upstream that answers 401, or 403 for want of scopes, has not acted (RFC 9110 section
    15.5.2, RFC 6750 section 3.1), so that is safe for every method. The time a person takes does
    not count against the deadline.
    """

    def __init__(self, client: Sender, access: Access, owner: str, *, lent: bool = False) -> None:
        """The client belongs to somebody else. `lent`: as `Access.satisfy`."""
        self._lent = lent
        self._client = client
        self._access = access
        self._owner = owner

    @property
    def max_body_bytes(self) -> int:
        """How much of a body is read."""
        return self._client.max_body_bytes

    async def request(self, request: HttpRequest, deadline: float) -> HttpResponse:
        """As `HttpClient.request`. What ends a session is no reason to ask a person.

        Raises:
            GatewayError: as `HttpClient.request` and `Access.satisfy`.
        """
        grant = await self._access.current(self._owner)
        response = await self._client.request(self._with(request, grant), deadline)
        for _ in range(_MOST_ROUNDS):
            demand = _demand(response.status, response.headers)
            if demand is None or request.method == "DELETE":
                self._note(response.status, grant)
                break
            left = deadline - time.monotonic()
            grant = await self._access.satisfy(self._owner, grant, demand, lent=self._lent)
            deadline = _later(deadline, left)
            response = await self._client.request(self._with(request, grant), deadline)
        return response

    def stream(self, request: HttpRequest, deadline: float) -> ResponseStream:
        """As `HttpClient.stream`; entering raises as `request`."""
        return ResponseStream(self.open_stream, request, deadline, self._client.max_body_bytes)

    async def open_stream(self, request: HttpRequest, deadline: float) -> Connection:
        """As `HttpClient.open_stream`; raises as `request`."""
        grant = await self._access.current(self._owner)
        connection = await self._client.open_stream(self._with(request, grant), deadline)
        for _ in range(_MOST_ROUNDS):
            demand = _demand(connection.reader.status, connection.reader.headers)
            if demand is None:
                self._note(connection.reader.status, grant)
                break
            left = deadline - time.monotonic()
            connection.linger()
            grant = await self._access.satisfy(self._owner, grant, demand, lent=self._lent)
            deadline = _later(deadline, left)
            connection = await self._client.open_stream(self._with(request, grant), deadline)
        return connection

    def _note(self, status: int, grant: Grant | None) -> None:
        if status < 400:
            self._access.accepted(self._owner, grant)

    def _with(self, request: HttpRequest, grant: Grant | None) -> HttpRequest:
        if grant is None or request.origin != self._access.ground.origin:
            return request
        kept = [one for one in request.headers if one[0].lower() != "authorization"]
        kept.append(("authorization", f"Bearer {grant.access_token}"))
        return request._replace(headers=kept)


class GrantedClients:
    """A pair of clients, for calls and for what lasts, made for each holder over shared ones."""

    def __init__(
        self, access: Access, client: Sender, lasting: Sender, release: Release | None = None
    ) -> None:
        """`release` lets go of what was opened for `access` alone."""
        self.access = access
        self._client = client
        self._lasting = lasting
        self._release = release

    def of(self, owner: str, *, lent: bool = False) -> tuple[GrantedClient, GrantedClient]:
        """The clients of `owner`: one for calls, one for streams without a near end.

        With `lent` they serve the gateway's own requests, in the name of `owner`.
        """
        return (
            GrantedClient(self._client, self.access, owner, lent=lent),
            GrantedClient(self._lasting, self.access, owner, lent=lent),
        )

    async def close(self) -> None:
        """End what is under way on the way to a token; the clients belong to somebody else."""
        await self.access.close()
        if self._release is not None:
            await self._release()


def _demand(status: int, headers: list[tuple[str, str]]) -> Demand | None:
    """What would let the request through; None where a token is not the matter."""
    if status not in (401, 403):
        return None
    demand = demand_of(value for name, value in headers if name == CHALLENGE)
    if status == 403:
        return demand if demand is not None and demand.wants_more else None
    # Whatever it is refused for, 401 says that another token may do.
    return Demand() if demand is None else demand._replace(error="")


def _later(deadline: float, left: float) -> float:
    return deadline if deadline == math.inf else time.monotonic() + left
