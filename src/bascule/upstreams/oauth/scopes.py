"""Which scopes to ask for (MCP specification, authorization "Scope Selection Strategy")."""

from collections.abc import Iterable
from typing import Final

from bascule.upstreams.oauth.challenges import Demand, parse_scopes
from bascule.upstreams.oauth.metadata import ResourceMetadata, ServerMetadata

OFFLINE: Final = "offline_access"
"""What servers of OpenID Connect want to be asked for before they give a refresh token."""


def choose_scopes(
    demand: Demand,
    resource: ResourceMetadata,
    server: ServerMetadata,
    configured: tuple[str, ...] = (),
    held: Iterable[str] = (),
) -> tuple[str, ...]:
    """What the refused operation needs, else what the resource names, else what is configured.

    `held` are the scopes asked for before, which a new request must not lose.
    """
    wanted = demand.scopes or _clean(resource.scopes_supported or ()) or configured
    scopes = dict.fromkeys((*held, *wanted))
    if OFFLINE in server.scopes_supported:
        scopes[OFFLINE] = None
    else:
        # A scope that an authorization server does not know may have it refuse all of them.
        scopes.pop(OFFLINE, None)
    return tuple(scopes)


def _clean(names: Iterable[str]) -> tuple[str, ...]:
    return parse_scopes(" ".join(names))
