"""The stage that says which scopes are missing, where nothing but them is.

Source: specification 2026-07-28, basic/authorization "Runtime Insufficient Scope Errors".
"""

from bascule.gateway.builtin import SEARCH_TOOLS
from bascule.gateway.call import Call, EndpointKind, Method
from bascule.gateway.errors import ErrorCode
from bascule.gateway.principal import Principal
from bascule.gateway.scopes import is_withheld, needed_for, scopes_for
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.stage import FailureMode
from bascule.gateway.verdict import PASS, Refuse, Verdict


class Scopes:
    """Refuses what the caller may do, but not with the credential that came.

    Whatever else is missing is for later stages to say.
    """

    name = "scopes"
    on_failure = FailureMode.CLOSED

    async def inbound(self, call: Call) -> Verdict:
        """Refuse where the method needs what was withheld from the credential."""
        principal = call.principal
        if principal is None or not principal.withheld:
            return PASS
        needed = _needed(call)
        if not is_withheld(principal, needed):
            return PASS
        return insufficient(principal, needed, call.snapshot)


def insufficient(principal: Principal, needed: frozenset[str], snapshot: Snapshot) -> Refuse:
    """The refusal that names the scopes which bring all of `needed`, where tokens have scopes."""
    issuer = snapshot.issuers.get(principal.evidence.issuer) if principal.evidence else None
    scopes = () if issuer is None else scopes_for(issuer, needed)
    missing = sorted(needed & principal.withheld)
    details: dict[str, object] = {"permissions": missing}
    advice = "Use a key or sign-in that is not limited to less."
    if scopes:
        details["scopes"] = list(scopes)
        advice = f"Get a token with the scope {' '.join(scopes)}."
    return Refuse(
        ErrorCode.INSUFFICIENT_SCOPE,
        public=f"Your credential is limited, and this needs {' and '.join(missing)}. {advice}",
        private=f"{principal.subject}: the credential withholds {', '.join(missing)}",
        details=details,
    )


def _needed(call: Call) -> frozenset[str]:
    is_search = call.tool_name == SEARCH_TOOLS and call.endpoint.kind is not EndpointKind.SERVER
    return needed_for(Method.TOOLS_LIST if is_search else call.method)
