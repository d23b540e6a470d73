"""Groups as the REST API shows them."""

from datetime import datetime

from pydantic import BaseModel

from bascule.api.bodies import Body
from bascule.api.names import RoleNames


class GroupPut(Body):
    """The roles that membership brings, all of them."""

    roles: RoleNames


class Group(BaseModel):
    """A group, by the name that issuers claim, and the roles of its members."""

    name: str
    roles: list[str]
    created_at: datetime
    updated_at: datetime
    updated_by: str


class GroupList(BaseModel):
    """Every group that brings a role in this tenant, by name."""

    groups: list[Group]
    total: int


class GroupRemoved(BaseModel):
    """The group that brings nothing any more."""

    removed: str
