"""Which tools the assistant can use for a person, and which it could if somebody agreed."""

from collections.abc import Container
from datetime import UTC, datetime
from typing import Final, Literal

from bascule.api.control import Rows
from bascule.api.resources.conversations.schemas import ChatTool, ChatToolList, WithheldChatTool
from bascule.api.resources.conversations.service import Seat
from bascule.chat import toolbox
from bascule.gateway.elevation import ScopeKind
from bascule.gateway.principal import Principal
from bascule.gateway.rule import Action, Effect
from bascule.gateway.tool import Tool, Upstream
from bascule.policy.elevation import ElevationStatus
from bascule.storage.repositories.elevations import Elevations, Filter, StoredElevation
from bascule.storage.repositories.grants import UserGrants

_MOST_GRANTS: Final = 500
_Why = Literal["elevation", "account"]


async def offered(seat: Seat) -> ChatToolList:
    """The tools of who asks, in the order of the list.

    Raises:
        GatewayError: they cannot be listed now.
    """
    principal = seat.person().standing()
    found = await seat.assistant.toolbox.offered(principal)
    view = seat.control.snapshot().tenant(principal.tenant)
    known = {one.name: view.tools.get(one.name) for one in found}
    async with seat.control.read(seat.caller) as rows:
        lacks = await _lacking(seat, rows, principal, [one for one in known.values() if one])
    return ChatToolList(
        tools=[_shown(one) for one in found if one.name not in lacks],
        withheld=[
            WithheldChatTool(name=one.name, title=one.title, why=lacks[one.name])
            for one in found
            if one.name in lacks
        ],
    )


async def _lacking(
    seat: Seat, rows: Rows, principal: Principal, tools: list[Tool]
) -> dict[str, _Why]:
    """What each of `tools` needs besides, where it needs something."""
    now = datetime.now(UTC)
    wanted = Filter(ElevationStatus.APPROVED, owner=principal.owner, limit=_MOST_GRANTS)
    elevations = Elevations(rows.session, rows.tenant_id)
    granted = [
        one
        for one in (await elevations.list(wanted)).items
        if one.holder.owner == principal.owner and one.expires_at and one.expires_at > now
    ]
    grants = await UserGrants(rows.session, rows.tenant_id).list(
        owner=principal.owner, limit=_MOST_GRANTS
    )
    connected = {one.key.upstream for one in grants.items}
    access = seat.control.access()
    upstreams = seat.control.snapshot().tenant(principal.tenant).upstreams
    lacks: dict[str, _Why] = {}
    for tool in tools:
        decision = access.settled(principal, tool, Action.INVOKE)
        upstream = upstreams.get(tool.source.upstream)
        if decision is not None and decision.effect is Effect.ELEVATE:
            if not any(_covers(one, tool) for one in granted):
                lacks[tool.name] = "elevation"
        elif upstream is not None and _lacks_account(upstream, connected):
            lacks[tool.name] = "account"
    return lacks


def _lacks_account(upstream: Upstream, connected: Container[str]) -> bool:
    return upstream.connector.user_grants is not None and upstream.name not in connected


def _covers(granted: StoredElevation, tool: Tool) -> bool:
    scope = granted.scope
    name = tool.bundle if scope.kind is ScopeKind.BUNDLE else tool.name
    return scope.name == name and scope.kind is not ScopeKind.CALL


def _shown(tool: toolbox.OfferedTool) -> ChatTool:
    return ChatTool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        server=tool.server,
        risk=tool.risk,
        input_schema=tool.input_schema,
    )
