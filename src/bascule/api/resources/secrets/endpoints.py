"""`/api/admin/secrets`."""

from typing import Annotated

from fastapi import APIRouter, Query

from bascule.api.access import ControlPlane, ServerManager, ServerReader, SystemAdmin
from bascule.api.resources.secrets import service
from bascule.api.resources.secrets.schemas import (
    Resealed,
    Secret,
    SecretList,
    SecretName,
    SecretRemoved,
    SecretValue,
)

router = APIRouter(prefix="/api/admin/secrets", tags=["secrets"])


@router.get("")
async def list_secrets(control: ControlPlane, caller: ServerReader) -> SecretList:
    """List the tenant's secrets by name; their values are for services only."""
    secrets = await service.list_secrets(control, caller)
    return SecretList(secrets=secrets, total=len(secrets))


@router.put("/{name}")
async def set_secret(
    control: ControlPlane, caller: ServerManager, name: SecretName, wanted: SecretValue
) -> Secret:
    """Set a secret, a new one or one that is there; in force with the next call."""
    return await service.set_secret(control, caller, name, wanted.value.get_secret_value())


@router.delete("/{name}")
async def remove_secret(
    control: ControlPlane,
    caller: ServerManager,
    name: str,
    force: Annotated[bool, Query(description="Also where a service refers to it.")] = False,
) -> SecretRemoved:
    """Remove a secret for good."""
    await service.remove_secret(control, caller, name, force=force)
    return SecretRemoved(removed=name)


@router.post("/reseal")
async def reseal_secrets(control: ControlPlane, caller: SystemAdmin) -> Resealed:
    """Encrypt every secret of every tenant under the first key, so that older ones can go."""
    return await service.reseal_secrets(control, caller)
