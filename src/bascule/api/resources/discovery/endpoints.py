"""`/api/mcp/tools`."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from bascule.api.access import ControlPlane, ToolReader
from bascule.api.resources.discovery.schemas import Discovery
from bascule.api.resources.discovery.service import Wanted, discover
from bascule.gateway.tool import RiskLevel

router = APIRouter(prefix="/api/mcp/tools", tags=["tools"])

Word = Annotated[str | None, Query(max_length=100)]


@router.get("", response_model=Discovery)
async def discover_tools(
    control: ControlPlane,
    caller: ToolReader,
    bundle: Word = None,
    tag: Word = None,
    domain: Word = None,
    risk: RiskLevel | None = None,
    search: Annotated[str | None, Query(max_length=200)] = None,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    if_none_match: Annotated[str | None, Header(max_length=500)] = None,
) -> Response:
    """List what the caller may see: the same tools as `tools/list`."""
    wanted = Wanted(bundle, tag, domain, risk, search)
    found = await discover(control, caller, wanted, page, limit)
    body = found.model_dump_json().encode()
    # What a caller sees is its own: nobody in between keeps it for another.
    headers = {
        "etag": f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        "cache-control": "private, no-cache",
        "vary": "authorization",
    }
    known = {one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")}
    if headers["etag"] in known:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
