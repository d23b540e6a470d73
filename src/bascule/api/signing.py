"""What the REST API asks of browser sessions, which it does not keep itself."""

from typing import Protocol

from starlette.requests import Request

from bascule.gateway.principal import Principal
from bascule.gateway.verdict import Refuse


class BrowserSessions(Protocol):
    """People who signed in, known by a cookie."""

    def carried(self, request: Request) -> bool:
        """Whether `request` brings a session's cookie."""
        ...

    async def identify(self, request: Request) -> Principal | Refuse:
        """Whose session `request` belongs to; refused, too, where it may be forged (CSRF)."""
        ...
