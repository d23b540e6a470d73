"""`/api/session`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from bascule.api.resources.session import service
from bascule.api.resources.session.schemas import (
    PasswordChange,
    ProviderList,
    Session,
    SessionCreate,
    SignedOut,
)
from bascule.api.signin.browsers import Visitor

router = APIRouter(prefix="/api/session", tags=["session"])


@router.get("")
async def show_session(visitor: Annotated[Visitor, Depends(service.visitor_of)]) -> Session:
    """Tell who is signed in with this browser, what they may, and until when."""
    return service.shown(visitor)


@router.post("")
async def create_session(request: Request, response: Response, wanted: SessionCreate) -> Session:
    """Sign in with a name and a password: the answer sets the cookie."""
    return await service.create_session(request, response, wanted)


@router.delete("")
async def end_session(request: Request, response: Response) -> SignedOut:
    """Sign out in this browser."""
    return await service.end_session(request, response)


@router.get("/providers")
async def list_providers(request: Request) -> ProviderList:
    """List the ways to sign in. Needs no key."""
    return service.list_providers(request)


@router.post("/sign-out-everywhere", status_code=204)
async def sign_out_everywhere(request: Request, response: Response) -> None:
    """Sign out in every browser, and end tokens that were given to programs before now."""
    await service.end_everywhere(request, response)


@router.post("/password")
async def change_password(request: Request, response: Response, wanted: PasswordChange) -> Session:
    """Change one's password. Other sessions end; the answer sets another cookie for this one."""
    return await service.change_password(request, response, wanted)
