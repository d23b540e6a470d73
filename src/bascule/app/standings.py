"""How the MCP servers behind the gateway stand, for those who operate them."""

from contextlib import suppress

from bascule.api.standing import Standing
from bascule.app.offers import Watched
from bascule.app.relay import Relay
from bascule.gateway.errors import GatewayError


class RelayStandings:
    """A `Standings`, out of what a relay knows."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def known(self, tenant: str, name: str) -> Standing:
        """As `bascule.api.standing.Standings`."""
        watched = self._relay.watched(tenant, name)
        if watched is None:
            return Standing(reached=False, reason="its record cannot be used")
        return _standing(watched)

    async def ask(self, tenant: str, name: str) -> Standing:
        """As `bascule.api.standing.Standings`; what it offers is in force from then on."""
        with suppress(GatewayError):  # kept by who watches the server
            await self._relay.changed(tenant, name)
        return self.known(tenant, name)


def _standing(watched: Watched) -> Standing:
    failure, offer = watched.failure, watched.offer
    reason = "" if failure is None else failure.private.removeprefix(f"{watched.upstream.name}: ")
    if offer is None:
        return Standing(reached=None if failure is None else False, reason=reason)
    return Standing(failure is None, offer.inventory.era, len(offer.tools), reason)
