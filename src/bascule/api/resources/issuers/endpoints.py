"""`/api/admin/issuers`."""

from fastapi import APIRouter

from bascule.api.access import ControlPlane, SystemAdmin
from bascule.api.resources.issuers import service
from bascule.api.resources.issuers.schemas import (
    Issuer,
    IssuerList,
    IssuerRemoved,
    IssuerStatus,
    IssuerTest,
    IssuerWrite,
    TokenExplained,
    TokenToExplain,
)

router = APIRouter(prefix="/api/admin/issuers", tags=["issuers"])


@router.get("")
async def list_issuers(control: ControlPlane, _: SystemAdmin) -> IssuerList:
    """List whose tokens are accepted, in every tenant."""
    issuers = await service.list_issuers(control)
    return IssuerList(issuers=issuers, total=len(issuers))


@router.post("", status_code=201)
async def create_issuer(control: ControlPlane, caller: SystemAdmin, wanted: IssuerWrite) -> Issuer:
    """Accept the tokens of an OpenID provider or OAuth authorization server."""
    return await service.create_issuer(control, caller, wanted)


@router.get("/{name}")
async def get_issuer(control: ControlPlane, _: SystemAdmin, name: str) -> Issuer:
    """Show an issuer, with what its preset added."""
    return await service.get_issuer(control, name)


@router.put("/{name}")
async def put_issuer(
    control: ControlPlane, caller: SystemAdmin, name: str, wanted: IssuerWrite
) -> Issuer:
    """Replace the record of an issuer; every token is judged anew."""
    return await service.put_issuer(control, caller, name, wanted)


@router.post("/{name}/status")
async def set_status(
    control: ControlPlane, caller: SystemAdmin, name: str, wanted: IssuerStatus
) -> Issuer:
    """Accept its tokens, or do not any more."""
    return await service.set_status(control, caller, name, is_active=wanted.is_active)


@router.delete("/{name}")
async def delete_issuer(control: ControlPlane, caller: SystemAdmin, name: str) -> IssuerRemoved:
    """Remove an issuer; none of its tokens is accepted from the next call on."""
    await service.delete_issuer(control, caller, name)
    return IssuerRemoved(removed=name)


@router.post("/{name}/test")
async def test_issuer(control: ControlPlane, caller: SystemAdmin, name: str) -> IssuerTest:
    """Ask an issuer for its document and keys now, read its secrets, and say what is wrong."""
    return await service.test_issuer(control, caller, name)


@router.post("/{name}/explain")
async def explain_token(
    control: ControlPlane, caller: SystemAdmin, name: str, wanted: TokenToExplain
) -> TokenExplained:
    """Say what becomes of a token: who bears it, with which roles, or exactly why it is refused.

    The token is neither logged nor stored.
    """
    return await service.explain_token(control, caller, name, wanted.token)
