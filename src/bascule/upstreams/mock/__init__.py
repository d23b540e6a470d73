"""Tools that answer without a service, from what their schemas promise."""

from bascule.upstreams.mock.upstream import MockUpstream

__all__ = ["MockUpstream"]
