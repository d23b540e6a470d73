"""A sign-in as the REST API shows it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

_Password = Annotated[str, Field(min_length=1, max_length=1000)]


class SessionCreate(BaseModel):
    """Who wants to come in. Without `tenant`: that of the host, or `default`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, Field(min_length=1, max_length=200)]
    password: _Password
    tenant: Annotated[str, Field(max_length=63)] = ""


class PasswordChange(BaseModel):
    """The password one has, and the one to have."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    current: _Password
    new: _Password


class Session(BaseModel):
    """Who is signed in, what they may, and until when.

    `csrf_token` goes into the header `X-CSRF-Token` of every request that changes something.
    """

    session_id: UUID
    user_id: UUID
    name: str
    tenant: str
    roles: list[str]
    groups: list[str]
    permissions: list[str]
    issuer: str | None
    signed_in_at: datetime
    idle_until: datetime
    expires_at: datetime
    csrf_token: str


class SignedOut(BaseModel):
    """`provider_sign_out_url` is where to sign out as well; null where there is no such place."""

    provider: str | None = None
    provider_sign_out_url: str | None = None


class Provider(BaseModel):
    """An issuer that people may sign in at: send the browser to `url`, with `?next=/path`."""

    name: str
    url: str


class ProviderList(BaseModel):
    """The ways in: passwords, where `local_accounts` is true, and providers."""

    local_accounts: bool
    min_password_characters: int
    providers: list[Provider]
