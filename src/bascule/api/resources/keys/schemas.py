"""API keys as the REST API shows them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from bascule.api.names import Name


class KeyCreate(BaseModel):
    """A key to make. Without `expires_in_days` it never expires."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    roles: Annotated[list[str], Field(min_length=1, max_length=20)]
    expires_in_days: Annotated[int, Field(ge=1, le=3650)] | None = None


class Key(BaseModel):
    """A key without its secret."""

    key_id: UUID
    name: str
    prefix: str
    roles: list[str]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None


class KeyCreated(Key):
    """A key just made: `key` is shown here and never again."""

    key: str


class KeyList(BaseModel):
    """Every key of the tenant, revoked ones included."""

    keys: list[Key]
    total: int
