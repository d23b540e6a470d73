"""Grants as the REST API shows them: never their tokens."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class Grant(BaseModel):
    """What an authorization server lets this gateway do at an upstream, for one account.

    `expires_at` is when the token in use ends; where the server gave a refresh token, another one
    follows by itself.
    """

    grant_id: UUID
    upstream: str
    resource: str
    issuer: str
    issuer_host: str
    scopes: list[str]
    since: datetime
    updated_at: datetime
    expires_at: datetime | None


class GrantList(BaseModel):
    """The caller's own grants."""

    grants: list[Grant]
    total: int


class AccountGrant(Grant):
    """A grant, and whose it is: `owner` tells accounts apart, `account` is how people call it."""

    owner: str
    account: str


class AccountGrantList(BaseModel):
    """A page of the tenant's grants."""

    grants: list[AccountGrant]
    total: int
    page: int
    limit: int


class GrantRevoked(BaseModel):
    """The grant that is gone."""

    revoked: UUID


class Connect(BaseModel):
    """The upstream to be given access to."""

    model_config = ConfigDict(extra="forbid")

    upstream: Annotated[str, Field(min_length=1, max_length=100)]


class Connecting(BaseModel):
    """Where to consent, in a browser, within ten minutes."""

    upstream: str
    consent_url: str
