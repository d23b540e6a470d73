"""Whoever asks, as the REST API shows them to themselves."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from bascule.api.bodies import Body
from bascule.api.names import KeyName, Permissions, RoleNames


class Me(BaseModel):
    """Who asks, by what, and what they may. `withheld` is what their credential was denied."""

    name: str
    display_name: str
    email: str
    user_id: UUID | None
    tenant: str
    home_tenant: str
    means: str
    issuer: str
    agent: str | None
    key_id: str | None
    roles: list[str]
    groups: list[str]
    permissions: list[str]
    withheld: list[str]


class OwnKeyCreate(Body):
    """A personal key to make: it has no more than its owner, and ends with them.

    Without `roles` it has those that were given to its owner here.
    """

    name: KeyName
    roles: RoleNames = Field(default_factory=list)
    scopes: Permissions | None = None
    expires_in_days: Annotated[int, Field(ge=1, le=3650)] | None = None


class OwnKey(BaseModel):
    """A personal key without its secret."""

    key_id: UUID
    name: str
    prefix: str
    roles: list[str]
    scopes: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class OwnKeyCreated(OwnKey):
    """A personal key just made: `key` is shown here and never again."""

    key: str


class OwnKeyList(BaseModel):
    """Every personal key of who asks, revoked ones included."""

    keys: list[OwnKey]
    total: int
