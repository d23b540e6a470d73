"""API keys as the REST API shows them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from bascule.api.bodies import Body
from bascule.api.names import KeyName, Permissions, RoleNames, UserName

Days = Annotated[int, Field(ge=1, le=3650)]


class KeyCreate(BaseModel):
    """A key to make. Without `expires_in_days` it never expires.

    With `scopes` it has no other permissions, whatever its roles. With `user` it acts for that
    person and never has more than they have; without `roles` it then has all of theirs.
    """

    model_config = ConfigDict(extra="forbid")

    name: KeyName
    roles: RoleNames = []
    scopes: Permissions | None = None
    user: UserName | None = None
    expires_in_days: Days | None = None


class KeyRotate(Body):
    """How to change a secret: the one before is accepted for `grace_seconds` more."""

    grace_seconds: Annotated[int, Field(ge=0, le=2_592_000)] = 0


class Key(BaseModel):
    """A key without its secret. `last_used_at` is up to a minute or so behind."""

    key_id: UUID
    name: str
    prefix: str
    roles: list[str]
    scopes: list[str] | None
    user: str | None
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class KeyCreated(Key):
    """A key with a secret just made: `key` is shown here and never again."""

    key: str


class KeyList(BaseModel):
    """Every key of the tenant, revoked ones included."""

    keys: list[Key]
    total: int
