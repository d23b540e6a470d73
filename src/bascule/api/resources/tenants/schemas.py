"""Tenants as the REST API shows them."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from bascule.api.bodies import Body
from bascule.api.names import HostName, TenantName

Description = Annotated[str, Field(max_length=2000)]
Hosts = Annotated[list[HostName], Field(max_length=20)]


class TenantCreate(Body):
    """A tenant to add. Under `hosts`, only its callers come in."""

    name: TenantName
    description: Description = ""
    hosts: Hosts = Field(default_factory=list)


class TenantUpdate(Body):
    """What to change about a tenant; what is left out stays."""

    description: Description | None = None
    hosts: Hosts | None = None
    is_active: bool | None = None


class Tenant(BaseModel):
    """A tenant. Nobody of an inactive one comes in."""

    name: str
    description: str
    hosts: list[str]
    is_active: bool
    created_at: datetime


class TenantDetail(Tenant):
    """A tenant, and how many things of each kind it has."""

    holds: dict[str, int]


class TenantList(BaseModel):
    """Every tenant, by name."""

    tenants: list[Tenant]
    total: int


class TenantRemoved(BaseModel):
    """The tenant that is gone."""

    removed: str
