"""What a request to the REST API is told to come back with, where its credential does not do."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute

from bascule.gateway.verdict import Refuse
from bascule.transports.access import host_of
from bascule.transports.authentication import PLAIN_CHALLENGE, WWW_AUTHENTICATE, challenge_of

_NOTHING: Final = frozenset[str]()


class Needs:
    """The permissions that the routes of an application declare, by method and path."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._table: list[tuple[frozenset[str], re.Pattern[str], frozenset[str]]] = []
        for one in iter_route_contexts(list(routes)):
            pattern, dependant = getattr(one, "path_regex", None), getattr(one, "dependant", None)
            if pattern is not None and dependant is not None:
                needed = frozenset(_permissions(dependant))
                self._table.append((frozenset(one.methods or ()), pattern, needed))

    def of(self, method: str, path: str) -> frozenset[str]:
        """What a request needs; nothing where no route is at `path`."""
        for methods, pattern, needed in self._table:
            if method in methods and pattern.match(path):
                return needed
        return _NOTHING


def challenge_headers(request: Request, refusal: Refuse) -> dict[str, str]:
    """The header that goes with `refusal` (RFC 6750, section 3); none where none does."""
    if refusal.error.http_status not in {401, 403}:
        return {}
    state = request.app.state
    control: Any = getattr(state, "control", None)
    if control is None:
        value = PLAIN_CHALLENGE if refusal.error.http_status == 401 else None
    else:
        snapshot, host = control.snapshot(), request.headers.get("host", "").encode("latin-1")
        resource = control.place.base(host, request.scope.get("scheme"))
        # Only where there is something to name, and once for all requests.
        needed = _needs(request).of(request.method, request.url.path) if snapshot.issuers else ()
        value = challenge_of(refusal, resource, host_of(host), snapshot, frozenset(needed))
    return {} if value is None else {WWW_AUTHENTICATE.decode(): value.decode()}


def _needs(request: Request) -> Needs:
    state = request.app.state
    found: Needs | None = getattr(state, "needs", None)
    if found is None:
        found = state.needs = Needs(request.app.routes)
    return found


def _permissions(dependant: Dependant) -> Iterator[str]:
    """What the dependencies of a route ask for; those of `access.permitted` say it."""
    for one in dependant.dependencies:
        permission = getattr(one.call, "permission", None)
        if isinstance(permission, str):
            yield permission
        yield from _permissions(one)
