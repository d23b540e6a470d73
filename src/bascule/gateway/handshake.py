"""The calls that only introduce the two sides to each other: discover, initialize, ping."""

from bascule.gateway.call import Call, Method, Result
from bascule.protocol.results import Identity, discover_result, initialize_result
from bascule.protocol.versions import SUPPORTED_VERSIONS


class Handshake:
    """Executes the methods that need neither tool nor upstream."""

    def __init__(self, identity: Identity, instructions: str) -> None:
        self._identity = identity
        self._instructions = instructions

    async def execute(self, call: Call) -> Result:
        """Introduce the gateway; a ping or a notification needs no words."""
        if call.method is Method.DISCOVER:
            return Result(discover_result(SUPPORTED_VERSIONS, self._instructions))
        if call.method is Method.INITIALIZE:
            return Result(initialize_result(call.version, self._identity, self._instructions))
        return Result({})
