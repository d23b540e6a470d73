"""`/api/admin/users`."""

from typing import Annotated

from fastapi import APIRouter, Query

from bascule.api.access import ControlPlane, UserManager
from bascule.api.resources.users import identities, service
from bascule.api.resources.users.schemas import (
    IdentityLink,
    IdentityList,
    IdentityUnlinked,
    IssuerUrl,
    LinkedIdentity,
    PasswordChanged,
    PasswordSet,
    Subject,
    User,
    UserCreate,
    UserList,
    UserRemoved,
    UserUpdate,
)
from bascule.storage.repositories.users import Identity

router = APIRouter(prefix="/api/admin/users", tags=["users"])


@router.get("")
async def list_users(
    control: ControlPlane,
    caller: UserManager,
    search: Annotated[str, Query(max_length=200)] = "",
    active: Annotated[bool | None, Query()] = None,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> UserList:
    """List the tenant's people; `search` is in their name, display name or e-mail address."""
    wanted = service.Wanted(search, active, page, limit)
    return await service.list_users(control, caller, wanted)


@router.post("", status_code=201)
async def create_user(control: ControlPlane, caller: UserManager, wanted: UserCreate) -> User:
    """Add a person. They sign in with a password, once one is set, or through an issuer."""
    return await service.create_user(control, caller, wanted)


@router.get("/{name}")
async def get_user(control: ControlPlane, caller: UserManager, name: str) -> User:
    """Show one person."""
    return await service.get_user(control, caller, name)


@router.patch("/{name}")
async def update_user(
    control: ControlPlane, caller: UserManager, name: str, wanted: UserUpdate
) -> User:
    """Change what is said of a person, or their roles; in force with their next request."""
    return await service.update_user(control, caller, name, wanted)


@router.delete("/{name}")
async def delete_user(control: ControlPlane, caller: UserManager, name: str) -> UserRemoved:
    """Remove a person with their sessions and personal keys. To keep them out, deactivate them."""
    await service.delete_user(control, caller, name)
    return UserRemoved(removed=name)


@router.post("/{name}/deactivate")
async def deactivate_user(control: ControlPlane, caller: UserManager, name: str) -> User:
    """Keep a person out: their sessions, tokens and personal keys are refused from now on."""
    return await service.deactivate_user(control, caller, name)


@router.post("/{name}/activate")
async def activate_user(control: ControlPlane, caller: UserManager, name: str) -> User:
    """Let a person in again, with their personal keys; they have to sign in anew."""
    return await service.activate_user(control, caller, name)


@router.post("/{name}/sign-out")
async def sign_out_user(control: ControlPlane, caller: UserManager, name: str) -> User:
    """End a person's sessions, and tokens issued before now. Their API keys stay."""
    return await service.sign_out_user(control, caller, name)


@router.post("/{name}/password")
async def set_password(
    control: ControlPlane, caller: UserManager, name: str, wanted: PasswordSet
) -> PasswordChanged:
    """Set a person's password, or have one made up that the answer shows once; signs them out."""
    return await service.set_password(control, caller, name, wanted)


@router.get("/{name}/identities")
async def list_identities(control: ControlPlane, caller: UserManager, name: str) -> IdentityList:
    """List how issuers call a person: each is a way to come in as them."""
    return await identities.list_identities(control, caller, name)


@router.post("/{name}/identities", status_code=201)
async def link_identity(
    control: ControlPlane, caller: UserManager, name: str, wanted: IdentityLink
) -> LinkedIdentity:
    """Link an identity: who has it comes in as this person, with their roles, from now on.

    A second time changes nothing. Name in `from_user` who has it now, to move it.
    """
    return await identities.link_identity(control, caller, name, wanted)


@router.delete("/{name}/identities")
async def unlink_identity(
    control: ControlPlane,
    caller: UserManager,
    name: str,
    issuer: Annotated[IssuerUrl, Query()],
    subject: Annotated[Subject, Query()],
) -> IdentityUnlinked:
    """Unlink an identity. The person is signed out everywhere, and their grants at upstreams end.

    Who has the identity comes in again as somebody new, with what the issuer claims for them.
    """
    return await identities.unlink_identity(control, caller, name, Identity(issuer, subject))
