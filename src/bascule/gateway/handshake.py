"""The calls that only introduce the two sides to each other: discover, initialize, ping."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from bascule.gateway.call import Call, Method, Result
from bascule.protocol.results import Identity, discover_result, initialize_result
from bascule.protocol.versions import SUPPORTED_VERSIONS


class Advertised(NamedTuple):
    """What an endpoint says of itself: a `ServerCapabilities` object, and words for the model."""

    capabilities: Mapping[str, object]
    instructions: str = ""


class Handshake:
    """Executes the methods that need neither tool nor upstream."""

    def __init__(
        self,
        identity: Identity,
        instructions: str,
        advertise: Callable[[Call], Advertised] | None = None,
    ) -> None:
        """Without `advertise`, every endpoint has tools and these `instructions`."""
        self._identity = identity
        self._advertise = advertise
        self._tools_alone = Advertised({"tools": {}}, instructions)

    async def execute(self, call: Call) -> Result:
        """Introduce the gateway; a ping or a notification needs no words."""
        if call.method is Method.DISCOVER:
            capabilities, instructions = self._of(call)
            body = discover_result(SUPPORTED_VERSIONS, instructions)
            return Result({**body, "capabilities": capabilities})
        if call.method is Method.INITIALIZE:
            capabilities, instructions = self._of(call)
            body = initialize_result(call.version, self._identity, instructions)
            return Result({**body, "capabilities": capabilities})
        return Result({})

    def _of(self, call: Call) -> Advertised:
        return self._tools_alone if self._advertise is None else self._advertise(call)
