"""The stage that stops calls which a person must agree to, until somebody has.

It comes after all that can refuse a call for what it is: a grant for one call is used up here, and
must not be by a call whose arguments are wrong or that comes too soon.
"""

from collections.abc import Mapping
from typing import Final

from bascule.gateway.call import Call
from bascule.gateway.elevation import Elevations
from bascule.gateway.errors import ErrorCode
from bascule.gateway.principal import Principal
from bascule.gateway.stage import FailureMode
from bascule.gateway.tool import McpSource, Tool
from bascule.gateway.verdict import PASS, Challenge, Need, Refuse, Verdict

_REQUIRED: Final[Mapping[str, object]] = {"requires_elevation": True}


class Elevate:
    """Lets calls pass that need no grant or have one; sends others where one can be asked for."""

    name = "elevate"
    on_failure = FailureMode.CLOSED

    def __init__(self, elevations: Elevations | None) -> None:
        """Without `elevations` nobody is given more than the rules allow."""
        self._elevations = elevations

    async def inbound(self, call: Call) -> Verdict:
        """Use a grant for the call where it lacks one; the record names it."""
        if not call.lacks_grant:
            return PASS
        if call.principal is None or call.tool is None:
            return Refuse(ErrorCode.INTERNAL, "The caller is unknown.", "nothing was authorised")
        return await self._use_grant(call, call.principal, call.tool)

    async def _use_grant(self, call: Call, principal: Principal, tool: Tool) -> Verdict:
        public = call.lacks_grant
        private = f"{principal.subject} has no grant for {tool.name}: {call.rule}"
        if self._elevations is None:
            return Refuse(
                ErrorCode.ELEVATION_REQUIRED, public, f"{private}; nobody can be asked", _REQUIRED
            )
        found = await self._elevations.check(
            principal, tool, call.arguments, continues=_continues(call, tool)
        )
        if found.grant is not None:
            call.lacks_grant = ""
            call.notes = {**(call.notes or {}), "elevation": found.grant.id}
            return PASS
        if not found.url:
            return Refuse(ErrorCode.ELEVATION_REQUIRED, public, private, _REQUIRED)
        return Challenge(public, private, found.url, Need.ELEVATION)


def _continues(call: Call, tool: Tool) -> str:
    """The state by which the call answers a question that came of an earlier one, else "".

    Only servers ask, and what says so is checked before they are reached; elsewhere it is ignored,
    so that no caller can claim it.
    """
    state = call.more.request_state
    return state or "" if isinstance(tool.source, McpSource) else ""
