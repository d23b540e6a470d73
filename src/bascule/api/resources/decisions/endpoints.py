"""`/api/admin/policy/explain`, `who-can`, `simulate` and `replay`; and `/api/mcp/explain`."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request

from bascule.api.access import Anybody, AuditReader, ControlPlane, PolicyReader
from bascule.api.resources.decisions import service
from bascule.api.resources.decisions.matrix import who_can as cells_of
from bascule.api.resources.decisions.replays import Running
from bascule.api.resources.decisions.replays import replay as replayed
from bascule.api.resources.decisions.schemas import (
    Explain,
    Explained,
    Matrix,
    OwnExplained,
    Replayed,
    ReplayWanted,
    Simulate,
    Simulated,
    WhoCan,
)

router = APIRouter(prefix="/api/admin/policy", tags=["policies"])
own = APIRouter(prefix="/api/mcp/explain", tags=["tools"])


@router.post("/explain")
async def explain_decision(
    control: ControlPlane, caller: PolicyReader, asked: Explain
) -> Explained:
    """Say what is decided about a use, why, and what it would take to be allowed."""
    return await service.explain(control, caller, asked)


@router.post("/simulate")
async def simulate_decision(
    control: ControlPlane, caller: PolicyReader, asked: Simulate
) -> Simulated:
    """Try a use that nobody asked for, by the policies in force or those of a draft."""
    return await service.simulate(control, caller, asked)


@router.post("/who-can")
async def who_can(control: ControlPlane, caller: PolicyReader, wanted: WhoCan) -> Matrix:
    """List who can see and call which tools, or which tools a caller can."""
    return await cells_of(control, caller, wanted)


@router.post("/replay")
async def replay_calls(
    request: Request,
    control: ControlPlane,
    _auditor: AuditReader,
    caller: PolicyReader,
    wanted: ReplayWanted,
) -> Replayed:
    """Decide recorded calls of tools again, and count what would change; one at a time.

    Closing the connection gives it up.
    """
    with _running(request).alone(caller.tenant):
        return await replayed(control, caller, wanted, request.is_disconnected)


@own.get("")
async def explain_own_decision(
    request: Request,
    control: ControlPlane,
    caller: Anybody,
    tool: Annotated[str, Query(min_length=1, max_length=300)],
) -> OwnExplained:
    """Tell callers whether they may call a tool that they see, and what it depends on."""
    peer = "" if request.client is None else request.client.host
    return await service.explain_own(control, caller, tool, peer)


_RUNNING: Final = "replays"


def _running(request: Request) -> Running:
    """The replays of this application."""
    state = request.app.state
    if not hasattr(state, _RUNNING):
        setattr(state, _RUNNING, Running())
    running: Running = getattr(state, _RUNNING)
    return running
