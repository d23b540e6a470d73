"""Finding what a caller may use, in the snapshot in force."""

from dataclasses import dataclass

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.resources.discovery.schemas import DiscoveredTool, Discovery
from bascule.gateway import tool as kernel
from bascule.gateway.call import EVERYTHING, Endpoint, EndpointKind
from bascule.gateway.circumstances import circumstances_now
from bascule.gateway.tool import RiskLevel
from bascule.policy.authorise import Authorise


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which tools; None means any. `bundle` shows them as that bundle's endpoint does."""

    bundle: str | None = None
    tag: str | None = None
    domain: str | None = None
    risk: RiskLevel | None = None
    search: str | None = None


async def discover(
    control: Control, caller: Caller, wanted: Wanted, page: int, limit: int
) -> Discovery:
    """A page of what the caller may see."""
    endpoint = Endpoint(EndpointKind.BUNDLE, wanted.bundle) if wanted.bundle else EVERYTHING
    authorise = Authorise(control.access())
    seen = await authorise.visible(caller.principal, endpoint, circumstances_now())
    found = [tool for tool in seen if _matches(tool, wanted)]
    start = (page - 1) * limit
    return Discovery(
        tools=[_discovered(tool) for tool in found[start : start + limit]],
        total=len(found),
        page=page,
        limit=limit,
        domains=sorted({tool.domain for tool in seen if tool.domain}),
    )


def _matches(tool: kernel.Tool, wanted: Wanted) -> bool:
    if wanted.tag is not None and wanted.tag not in tool.tags:
        return False
    if wanted.domain is not None and wanted.domain != tool.domain:
        return False
    if wanted.risk is not None and wanted.risk != tool.risk:
        return False
    text = (wanted.search or "").lower()
    return not text or text in tool.name.lower() or text in tool.description.lower()


def _discovered(tool: kernel.Tool) -> DiscoveredTool:
    return DiscoveredTool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        version=tool.version,
        bundle=tool.bundle,
        risk_level=tool.risk,
        tags=list(tool.tags),
        domain=tool.domain,
        input_schema=dict(tool.input_schema),
        output_schema=None if tool.output_schema is None else dict(tool.output_schema),
        examples=[dict(example) for example in tool.examples],
    )
