"""The one caller of a gateway that a person runs for themselves on loopback."""

from bascule.gateway.call import Call
from bascule.gateway.principal import Principal
from bascule.gateway.stage import FailureMode
from bascule.gateway.verdict import PASS, Verdict


class AuthenticateLocal:
    """The stage for `bascule proxy`: no account; whoever reaches the loopback port is `local`.

    The composition root uses it only where the listener is bound to loopback.
    """

    name = "authenticate"
    on_failure = FailureMode.CLOSED

    def __init__(self, principal: Principal) -> None:
        self._principal = principal

    async def inbound(self, call: Call) -> Verdict:
        """Set `call.principal`; a credential, if any came, goes no further."""
        call.credential = None
        call.principal = self._principal
        return PASS
