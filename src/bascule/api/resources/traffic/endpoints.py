"""`/api/admin/conditions`, and the breaker and the health of each of `/api/admin/upstreams`."""

from fastapi import APIRouter

from bascule.api.access import ControlPlane, ServerManager, ServerReader
from bascule.api.resources.traffic import service
from bascule.api.resources.traffic.schemas import Breaker, ConditionList, Health

router = APIRouter(prefix="/api/admin", tags=["upstreams"])


@router.get("/conditions")
async def list_conditions(control: ControlPlane, caller: ServerReader) -> ConditionList:
    """List the breaker and the health of every upstream."""
    found = service.list_conditions(control, caller)
    return ConditionList(conditions=found, total=len(found))


@router.get("/upstreams/{name}/breaker")
async def get_breaker(control: ControlPlane, caller: ServerReader, name: str) -> Breaker:
    """Show the breaker of an upstream."""
    return service.get_breaker(control, caller, name)


@router.post("/upstreams/{name}/breaker/reset")
async def reset_breaker(control: ControlPlane, caller: ServerManager, name: str) -> Breaker:
    """Close the breaker of an upstream: calls are sent to it again at once."""
    return await service.reset_breaker(control, caller, name)


@router.get("/upstreams/{name}/health")
async def get_health(control: ControlPlane, caller: ServerReader, name: str) -> Health:
    """Show how an upstream stands, by its probes, its breaker and what its server last said."""
    return service.get_health(control, caller, name)
