"""Roles as the REST API shows them."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from bascule.api.bodies import Body
from bascule.api.names import Permissions, RoleName

Description = Annotated[str, Field(max_length=2000)]


class RoleCreate(Body):
    """A role of the tenant's own. One without permissions may still be named by access rules."""

    name: RoleName
    description: Description = ""
    permissions: Permissions


class RoleUpdate(Body):
    """What to change about a role; what is left out stays."""

    description: Description | None = None
    permissions: Permissions | None = None


class Role(BaseModel):
    """A named set of permissions. Built-in ones are the same in every tenant."""

    name: str
    description: str
    permissions: list[str]
    is_builtin: bool
    created_at: datetime


class RoleDetail(Role):
    """A role, and what names it."""

    used_by: list[str]


class RoleList(BaseModel):
    """Every role of the tenant, by name."""

    roles: list[Role]
    total: int


class RoleRemoved(BaseModel):
    """The role that is gone."""

    removed: str


class Permission(BaseModel):
    """Something a role can permit."""

    name: str
    description: str
    built_in_roles: list[str]


class PermissionList(BaseModel):
    """Every permission there is."""

    permissions: list[Permission]
    total: int
