"""What can be imported besides OpenAPI documents."""

from typing import Protocol

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.catalogue.openapi import Conversion
from bascule.gateway.tool import UpstreamKind


class Offered(Protocol):
    """A service of a kind of its own, and how it says what it offers."""

    @property
    def kind(self) -> UpstreamKind:
        """What its upstream becomes."""
        ...

    async def read(
        self, control: Control, caller: Caller, document: bytes | None
    ) -> tuple[bytes, Conversion]:
        """The description to keep, which is `document` where one was handed over; and its tools.

        Raises:
            GatewayError: it cannot be described, or is not for this caller to import.
        """
        ...
