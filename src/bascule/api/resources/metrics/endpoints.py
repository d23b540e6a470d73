"""`/metrics` for who may read them; on loopback the same is a page that needs no key."""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from bascule.api.access import ControlPlane, MetricsReader
from bascule.api.resources.metrics import service

router = APIRouter(tags=["metrics"])


@router.get("/metrics", response_class=Response)
async def read_metrics(
    control: ControlPlane, caller: MetricsReader, accept: Annotated[str, Header()] = ""
) -> Response:
    """Give every metric in the format of Prometheus, or OpenMetrics where that is preferred.

    They are your own tenant's; what counts everybody's calls is for system administrators.
    """
    kind, body = service.render(control, caller, accept)
    return Response(body, media_type=kind)
