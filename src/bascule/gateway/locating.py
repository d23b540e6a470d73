"""From what a call names to what it means: the port between who decides and who knows."""

from collections.abc import Sequence
from typing import Protocol

from bascule.gateway.call import Call
from bascule.gateway.inventory import Target
from bascule.gateway.principal import Principal
from bascule.gateway.verdict import Refuse


class Locator(Protocol):
    """Finds what the name, URI, reference or handle in a call stands for."""

    async def locate(self, call: Call, principal: Principal) -> Sequence[Target] | Refuse:
        """Everything it may stand for, the most fitting first; empty where it is nothing.

        Nothing is decided here: of these, the call is about the first its caller may use.

        Raises:
            GatewayError: an upstream had to be asked and did not answer.
        """
        ...


class Nowhere:
    """Knows of nothing; for a gateway that serves tools alone."""

    async def locate(self, call: Call, principal: Principal) -> Sequence[Target]:
        """Find nothing."""
        del call, principal
        return ()
